package table

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestEmbedded holds that nothing is lost between the embedded files and what
// is read of them.
func TestEmbedded(t *testing.T) {
	for _, tt := range []struct {
		name     string
		raw      []byte
		releases int // at least
		facts    int // at least
	}{
		{ThanosFile, thanosRaw, 79, 500},
		{GoFile, goRaw, 10, 300},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tab, err := Decode(tt.raw)
			if err != nil {
				t.Fatal(err)
			}
			if len(tab.Releases) < tt.releases || len(tab.Facts) < tt.facts || len(tab.Comments) == 0 {
				t.Errorf("%d releases, %d facts, %d comments", len(tab.Releases), len(tab.Facts), len(tab.Comments))
			}
			if diff := cmp.Diff(string(tt.raw), string(tab.Encode())); diff != "" {
				t.Errorf("encode(decode(file)) differs from the file:\n%s", diff)
			}
		})
	}
}

func TestRoundTrip(t *testing.T) {
	b := NewBuilder([]string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"}, []string{"made of nothing", "by hand"})
	for _, i := range []int{0, 1, 3, 4, 10} {
		b.Add(i, "module a", "v1")
	}
	b.Add(2, "lines x/y.go", "1 2 3")
	b.Add(5, "module a", "v2")
	want := b.Table()
	got, err := Decode(want.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if row := []byte("\tv1\t1-2 4-5 11\n"); !bytes.Contains(want.Encode(), row) {
		t.Errorf("no row %q in\n%s", row, want.Encode())
	}
}

func TestDecodeErrors(t *testing.T) {
	for name, text := range map[string]string{
		"release twice":        "releases 1 2\nreleases 1\n",
		"release with hyphen":  "releases 1-rc\n",
		"value without name":   "releases 1\n\tv\t1\n",
		"no releases":          "releases 1\nm\n\tv\n",
		"empty releases":       "releases 1\nm\n\tv\t\n",
		"unknown release":      "releases 1\nm\n\tv\t2\n",
		"span backwards":       "releases 1 2\nm\n\tv\t2-1\n",
		"spans out of order":   "releases 1 2\nm\n\tv\t2 1\n",
		"empty value":          "releases 1\nm\n\t\t1\n",
		"span without its end": "releases 1\nm\n\tv\t1-\n",
	} {
		t.Run(name, func(t *testing.T) {
			if tab, err := Decode([]byte(text)); err == nil {
				t.Errorf("read as %+v", tab)
			}
		})
	}
}
