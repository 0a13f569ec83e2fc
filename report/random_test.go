package report_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/report"
)

// command is how commands of random results begin, by which their lines are
// told from others.
const command = "thanosleak scan "

// random returns a result of which nothing is known but its type.
func random(rng *rand.Rand) *classify.Result {
	words := []string{"goroutine", "—", "a", "store.(*eagerRespSet).Next", "github.com/thanos-io/thanos/pkg/store.x", "10.0.0.1:10902",
		" ", "\t", "", "✔", "日本語", "x\ny", "\u202e", "\xff", strings.Repeat("w", 200)}
	f := filler{
		text: func(path string) string {
			var b strings.Builder
			if strings.HasSuffix(path, ".Command") && rng.IntN(3) > 0 {
				b.WriteString(command)
			}
			for range rng.IntN(12) {
				b.WriteString(words[rng.IntN(len(words))])
				if rng.IntN(2) == 0 {
					b.WriteByte(' ')
				}
			}
			if strings.HasSuffix(path, ".Command") && !strings.HasPrefix(b.String(), command) {
				return ""
			}
			return b.String()
		},
		length: func(path string) int {
			if path == "Targets" || path == "Findings.Remedies.Steps" || path == "Targets.Totals" || path == "Findings.Occurrences" {
				return rng.IntN(30)
			}
			return rng.IntN(4)
		},
		number: func(string) int64 { return rng.Int64N([]int64{2, 30, 100_000, 1 << 40}[rng.IntN(4)]) },
	}
	r := f.result()
	for i := range r.Findings {
		for j := range r.Findings[i].Occurrences { // most are of targets that exist
			if len(r.Targets) > 0 && rng.IntN(4) > 0 {
				r.Findings[i].Occurrences[j].Target = r.Targets[rng.IntN(len(r.Targets))].Name
			}
		}
	}
	forget(reflect.ValueOf(r).Elem(), rng)
	return r
}

// forget makes some pointers, slices and maps nil.
func forget(v reflect.Value, rng *rand.Rand) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				forget(v.Field(i), rng)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			forget(v.Index(i), rng)
		}
	case reflect.Pointer, reflect.Map:
		if rng.IntN(3) == 0 {
			v.SetZero()
		}
	}
}

// TestRandomResults: whatever a result holds, the text fits the page and no
// writer panics.
func TestRandomResults(t *testing.T) {
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 1))
		r := random(rng)
		o := report.TextOptions{Width: 80 + rng.IntN(150), Verbose: rng.IntN(2) == 0}
		var b bytes.Buffer
		if err := report.Text(&b, theRun(), r, o); err != nil {
			t.Fatal(err)
		}
		checkLines(t, b.String(), o, []string{command})
		if c, bad := unsafe(b.Bytes()); bad {
			t.Errorf("%U reaches the terminal", c)
		}
		if err := report.JSON(io.Discard, theRun(), r, report.TextOptions{}); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

// TestPartsOfNothing: results in which any one slice or map is nil.
func TestPartsOfNothing(t *testing.T) {
	for _, verdict := range []classify.Verdict{classify.VerdictLeak, classify.VerdictSuspect, classify.VerdictIncomplete,
		classify.VerdictUndecided, classify.VerdictClean, ""} {
		for _, r := range []*classify.Result{
			{Verdict: verdict},
			{Verdict: verdict, Targets: make([]classify.TargetResult, 1)},
			{Verdict: verdict, Targets: make([]classify.TargetResult, 40)},
			{Verdict: verdict, Findings: []classify.Finding{{Level: classify.Confirmed}}},
			{Verdict: verdict, Findings: []classify.Finding{{Level: classify.Suspect, Occurrences: make([]classify.Occurrence, 1), Stacks: []classify.Stack{{Role: classify.RoleCulprit}}}}},
		} {
			var b bytes.Buffer
			if err := report.Text(&b, report.Run{}, r, report.TextOptions{}); err != nil || b.Len() == 0 {
				t.Errorf("%d bytes: %v", b.Len(), err)
			}
		}
	}
}

// full is a writer on a disk with some bytes left.
type full struct {
	left  int
	quiet bool // writes less without an error, which a writer must not
}

var errFull = errors.New("no space left on device")

func (f *full) Write(b []byte) (int, error) {
	n := min(len(b), f.left)
	f.left -= n
	if n < len(b) && !f.quiet {
		return n, errFull
	}
	return n, nil
}

func TestWriteErrors(t *testing.T) {
	r := results(t)["both-tiers"]
	writers := map[string]func(io.Writer) error{
		"text": func(w io.Writer) error { return report.Text(w, theRun(), r, report.TextOptions{}) },
		"json": func(w io.Writer) error { return report.JSON(w, theRun(), r, report.TextOptions{}) },
	}
	for name, write := range writers {
		for _, left := range []int{0, 1, 1000} {
			if err := write(&full{left: left}); !errors.Is(err, errFull) {
				t.Errorf("%s with %d bytes left: %v, want %v", name, left, err, errFull)
			}
			if err := write(&full{left: left, quiet: true}); !errors.Is(err, io.ErrShortWrite) {
				t.Errorf("%s with %d bytes left: %v, want %v", name, left, err, io.ErrShortWrite)
			}
		}
		if err := write(&full{left: 1 << 20}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReportsChangeNothing: several reports are written of one result.
func TestReportsChangeNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	r := random(rng)
	before := *r
	before.Findings = slices.Clone(r.Findings)
	var first, second bytes.Buffer
	for _, w := range []io.Writer{&first, &second} {
		if err := report.Text(w, theRun(), r, report.TextOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if first.String() != second.String() || !reflect.DeepEqual(before, *r) {
		t.Error("a report changed the result")
	}
}
