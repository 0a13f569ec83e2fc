package profile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Bounds of a page of /metrics; a receiver with thousands of tenants stays
// below.
const (
	maxMetrics  = 64 << 20 // bytes
	maxLines    = 32 << 20 // bytes of the lines that are kept
	maxPageLine = 1 << 20  // bytes of one line
	maxSeries   = 100_000  // number of those lines
)

// ReadMetrics reads a page in the Prometheus text format, keeping what
// decisions read. A page without any such family is an error: it is no
// /metrics of a Go process.
func ReadMetrics(r io.Reader) (Metrics, error) { return NewIntern().ReadMetrics(r) }

// ReadMetrics reads a page as the function of that name does. The labels are
// shared with what was read before.
func (in *Intern) ReadMetrics(r io.Reader) (Metrics, error) {
	p := pages.Get().(*page)
	defer p.free()
	p.in = in
	if err := p.keep(r); err != nil {
		return nil, err
	}
	if !p.readSimple() {
		p.clear()
		if err := p.readAny(); err != nil {
			return nil, fmt.Errorf("not in the Prometheus text format: %w", err)
		}
	}
	m := Metrics{}
	for _, name := range slices.Sorted(maps.Keys(p.families)) { // so that of several mistakes the same is told each time
		f := p.families[name]
		if len(f.series) == 0 {
			continue
		}
		m[name] = f.sumUp()
		if err := checkFamily(name, len(f.series), m[name]); err != nil {
			return nil, err
		}
	}
	if len(m) == 0 {
		return nil, fmt.Errorf("a page without metrics of a Go process")
	}
	return m, nil
}

// maxNumber is more than any family counts: 2^63, which is what Go shows as the
// limit of memory where there is none.
const maxNumber = 1 << 63

// checkFamily refuses what no process shows: numbers that are none, from which
// nothing can be told, and twice what a process is only once. A sum of the two
// would be believed.
func checkFamily(name string, lines int, values []Value) error {
	ofProcess := strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") || name == "thanos_build_info"
	if ofProcess && lines > 1 {
		return fmt.Errorf("%s stands there %d times: a page of several processes, as a proxy or an agent that merges pages makes it", name, lines)
	}
	counts := strings.HasSuffix(name, "_total") // and does not fall below 0, as what is measured may
	for _, v := range values {
		if !(math.Abs(v.Value) <= maxNumber) || (ofProcess || counts) && v.Value < 0 { // NaN is not less, either
			return fmt.Errorf("%s is %g, which is no number of a process", name, v.Value)
		}
	}
	return nil
}

// page is a page that is being read. It is used again for other pages.
type page struct {
	in       *Intern
	buf      []byte // of the scanner
	lines    []byte // those of known families
	families map[string]*family
	text     []byte   // scratch
	names    [][]byte // of the labels of a line
	values   [][]byte // of its labels that are kept, in their order; nil for none
}

var pages = sync.Pool{New: func() any {
	return &page{buf: make([]byte, 64<<10), families: map[string]*family{}}
}}

// free lets another page use p, unless this one was far larger than most.
func (p *page) free() {
	p.clear()
	p.in = nil
	if cap(p.lines) <= 1<<20 {
		pages.Put(p)
	}
}

// clear forgets what was read.
func (p *page) clear() {
	for _, f := range p.families {
		clear(f.series) // what was interned is not to be kept here
		f.series = f.series[:0]
	}
}

// keep keeps the lines of known families, so that no parser ever meets the
// rest of the page.
func (p *page) keep(r io.Reader) error {
	p.lines = p.lines[:0]
	sc := bufio.NewScanner(r)
	sc.Buffer(p.buf, maxPageLine)
	whole := true
	sc.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		n, l, err := bufio.ScanLines(data, atEOF)
		whole = n == 0 || data[n-1] == '\n'
		return n, l, err
	})
	size, series := 0, 0
	for sc.Scan() {
		l := sc.Bytes()
		if size += len(l) + 1; size > maxMetrics {
			return fmt.Errorf("a page of more than %d MiB", maxMetrics>>20)
		}
		if _, ok := families[string(l[:nameEnd(l)])]; !ok {
			continue
		}
		p.lines = append(append(p.lines, l...), '\n')
		if series++; series > maxSeries || len(p.lines) > maxLines {
			return fmt.Errorf("a page with more than %d series, or %d MiB of them, in the families that are read", maxSeries, maxLines>>20)
		}
		if !whole {
			return errors.New("a page that ends in the middle of a line")
		}
	}
	if errors.Is(sc.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("a page with a line of more than %d KiB", maxPageLine>>10)
	}
	return sc.Err()
}

// nameEnd returns where the name at the beginning of a line ends.
func nameEnd(l []byte) int {
	for i, c := range l {
		if c == '{' || c == ' ' || c == '\t' {
			return i
		}
	}
	return len(l)
}

// family is the lines of a family.
type family struct{ series []series }

// series is a line without the labels that are not kept.
type series struct {
	labelSet
	value float64
}

// family returns the family of that name, which is new if need be.
func (p *page) family(name []byte) *family {
	f := p.families[string(name)]
	if f == nil {
		f = new(family)
		p.families[string(name)] = f
	}
	return f
}

// sumUp returns the series in the order of their labels' text, one of each.
func (f *family) sumUp() []Value {
	all := f.series
	byText := func(a, b series) int { return strings.Compare(a.text, b.text) }
	if !slices.IsSortedFunc(all, byText) {
		slices.SortStableFunc(all, byText) // sums of floats depend on the order
	}
	values := make([]Value, 0, len(all))
	for i, s := range all {
		if i > 0 && s.text == all[i-1].text {
			values[len(values)-1].Value += s.value
			continue
		}
		values = append(values, Value{Labels: s.labels, Value: s.value})
	}
	return exact(values)
}

// readSimple reads the lines if all have the form that Go's client library
// gives them: name{label="value",label="value"} 12.5. Nothing but that is
// accepted, for the parser of all forms decides what anything else means.
func (p *page) readSimple() bool {
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	for l := range bytes.Lines(p.lines) {
		l = l[:len(l)-1]
		n := nameEnd(l)
		name, rest := l[:n], l[n:]
		keep := families[string(name)]
		p.text = p.text[:0]
		if len(rest) > 0 && rest[0] == '{' {
			var ok bool
			if rest, ok = p.labels(rest[1:], keep); !ok {
				return false
			}
		}
		v, ok := simpleValue(rest)
		if !ok {
			return false
		}
		known, ok := p.in.labels[string(p.text)]
		if !ok {
			known = p.newLabels(keep)
		}
		f := p.family(name)
		f.series = append(f.series, series{known, v})
	}
	return true
}

// labels reads labels behind their opening brace and returns what follows the
// closing one.
func (p *page) labels(l []byte, keep []string) (rest []byte, ok bool) {
	p.names = p.names[:0]
	p.values = append(p.values[:0], make([][]byte, len(keep))...)
	for {
		name, after, _ := bytes.Cut(l, []byte(`="`))
		end := bytes.IndexByte(after, '"')
		if end < 0 || end+1 == len(after) || !isLabelName(name) || len(p.names) == maxSimple {
			return nil, false
		}
		val := after[:end]
		if bytes.IndexByte(val, '\\') >= 0 || !utf8.Valid(val) {
			return nil, false
		}
		for _, other := range p.names {
			if bytes.Equal(other, name) {
				return nil, false
			}
		}
		p.names = append(p.names, name)
		for i, k := range keep {
			if string(name) == k {
				p.values[i] = short(val)
			}
		}
		l = after[end+2:]
		switch after[end+1] {
		case '}':
			for i, k := range keep {
				if p.values[i] != nil {
					p.text = appendLabel(p.text, k, string(p.values[i]))
				}
			}
			return l, true
		case ',':
		default:
			return nil, false
		}
	}
}

// short shortens a value as [bounded] does.
func short(val []byte) []byte {
	if len(val) <= maxValue {
		return val
	}
	return []byte(bounded(string(val)))
}

// maxSimple is the most labels that the fast reader takes: it looks for
// duplicates one by one.
const maxSimple = 16

// isLabelName tells plain names of labels, without those that are reserved.
func isLabelName(name []byte) bool {
	for i, c := range name {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return len(name) > 0 && !bytes.HasPrefix(name, []byte("__"))
}

// simpleValue reads a space and a number, and nothing else.
func simpleValue(l []byte) (float64, bool) {
	if len(l) < 2 || l[0] != ' ' {
		return 0, false
	}
	for _, c := range l[1:] {
		if (c < '0' || c > '9') && c != '.' && c != 'e' && c != '+' && c != '-' {
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(string(l[1:]), 64)
	return v, err == nil
}

// newLabels remembers the labels that were read last.
func (p *page) newLabels(keep []string) labelSet {
	labels := map[string]string{}
	if len(p.text) > 0 {
		for i, k := range keep {
			if p.values[i] != nil {
				labels[k] = string(p.values[i])
			}
		}
	}
	return p.in.labelSet(p.text, labels)
}

// readAny reads the lines with the parser that knows every form.
func (p *page) readAny() error {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	parsed, err := parser.TextToMetricFamilies(bytes.NewReader(p.lines))
	if err != nil {
		return err
	}
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	for name, metrics := range parsed {
		f := p.family([]byte(name))
		for _, s := range metrics.Metric {
			labels := map[string]string{}
			for _, l := range s.Label {
				if slices.Contains(families[name], l.GetName()) {
					labels[l.GetName()] = bounded(l.GetValue())
				}
			}
			p.text = appendLabels(p.text[:0], labels)
			f.series = append(f.series, series{p.in.labelSet(p.text, labels), value(s)})
		}
	}
	return nil
}

// value returns the number of a series of any simple type. Without a TYPE line,
// which is not kept, all are untyped.
func value(s *dto.Metric) float64 {
	return s.GetUntyped().GetValue() + s.GetGauge().GetValue() + s.GetCounter().GetValue()
}

// appendLabels appends the text of labels, by which they are compared and
// ordered: {a="x",b="y",} without the braces.
func appendLabels(text []byte, labels map[string]string) []byte {
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		text = appendLabel(text, k, labels[k])
	}
	return text
}

func appendLabel(text []byte, name, value string) []byte {
	text = append(append(text, name...), '=')
	return append(strconv.AppendQuote(text, value), ',')
}
