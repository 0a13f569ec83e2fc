package profile

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// simplePages are pages and whether the fast reader takes them. It must not
// take what the other would refuse.
var simplePages = []struct {
	name, text string
	simple     bool
}{
	{"plain", "go_goroutines 7\n", true},
	{"without an end", "go_goroutines 7", false},
	{"DOS line ends", "go_goroutines 7\r\nprocess_start_time_seconds 1.5e+09\r\n", true},
	{"labels", "http_requests_total{code=\"200\",handler=\"query\",method=\"get\"} 7\n", true},
	{"summed up in any order", "http_requests_total{code=\"2\",method=\"b\"} 1\nhttp_requests_total{code=\"1\"} 2\nhttp_requests_total{code=\"2\",method=\"a\"} 4e-1\n", true},
	{"an empty value", "http_requests_total{code=\"\"} 1\nhttp_requests_total 2\n", true},
	{"no label that is kept", "go_goroutines{pod=\"a\"} 1\ngo_goroutines{pod=\"b\"} 2\n", true},
	{"a brace and other letters in a value", "http_requests_total{handler=\"a}ü,b=\"} 1\n", true},
	{"unknown families", "node_load1 {{{\n# TYPE go_info nonsense\ngo_goroutines 7\n", true},
	{"a time", "go_goroutines 7 1395066363000\n", false},
	{"escapes", "http_requests_total{handler=\"a\\\"b\\\\\"} 1\n", false},
	{"NaN", "go_goroutines NaN\n", false},
	{"blanks", "go_goroutines\t7\nhttp_requests_total{ code = \"200\" } 1\n", false},
	{"a comma behind the last label", "http_requests_total{code=\"200\",} 1\n", false},
	{"no labels in braces", "go_goroutines{} 1\n", false},
	{"a label twice", "http_requests_total{code=\"1\",code=\"2\"} 1\n", false},
	{"a reserved label", "http_requests_total{__name__=\"1\"} 1\n", false},
	{"a quoted label", "http_requests_total{\"a b\"=\"1\"} 1\n", false},
	{"not UTF-8", "http_requests_total{code=\"\xff\"} 1\n", false},
	{"no number", "go_goroutines 1-2\n", false},
	{"too large a number", "go_goroutines 1e999\n", false},
	{"hexadecimal", "go_goroutines 0x1p4\n", false},
	{"nothing", "go_goroutines \n", false},
	{"a label without a value", "http_requests_total{code} 1\n", false},
	{"a name with a digit first", "http_requests_total{1=\"1\"} 1\n", false},
}

func TestSimplePages(t *testing.T) {
	for _, tt := range simplePages {
		t.Run(tt.name, func(t *testing.T) {
			if simple := sameMetrics(t, []byte(tt.text)); simple != tt.simple {
				t.Errorf("taken by the fast reader: %v, want %v", simple, tt.simple)
			}
		})
	}
	data, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	if !sameMetrics(t, data) {
		t.Error("the page of a real process is not taken by the fast reader")
	}
}

// sameMetrics checks that the fast reader, where it takes a page, finds in it
// what the other one does.
func sameMetrics(t *testing.T, data []byte) (simple bool) {
	t.Helper()
	read := func(with func(*page) bool) (map[string][]Value, bool) {
		p := &page{in: NewIntern(), buf: make([]byte, 1<<10), families: map[string]*family{}}
		if err := p.keep(bytes.NewReader(data)); err != nil || !with(p) {
			return nil, false
		}
		m := map[string][]Value{}
		for name, f := range p.families {
			m[name] = f.sumUp()
		}
		return m, true
	}
	fast, simple := read((*page).readSimple)
	if !simple {
		return false
	}
	slow, ok := read(func(p *page) bool { return p.readAny() == nil })
	if !ok {
		t.Errorf("only the fast reader takes %q", data)
	}
	if diff := cmp.Diff(slow, fast); diff != "" {
		t.Errorf("-slow +fast:\n%s", diff)
	}
	return true
}
