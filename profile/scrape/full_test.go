package scrape

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/profile"
)

func TestFullStacks(t *testing.T) {
	p := newProcess(t)
	c := client(t, p.url, Options{})
	s, raw, err := c.FullStacks(t.Context(), MaxFullStacks)
	if err != nil {
		t.Fatal(err)
	}
	if s.Encoding != profile.Debug2 || s.Total == 0 || bytes.Count(raw, []byte("\ngoroutine "))+1 != s.Total {
		t.Errorf("%d goroutines in %s", s.Total, raw)
	}
	if diff := cmp.Diff([]string{"/debug/pprof/goroutine?debug=2"}, p.asked()); diff != "" {
		t.Error(diff)
	}
	_, _, err = c.FullStacks(t.Context(), MaxFullStacks+1)
	if err == nil {
		t.Fatal("not refused")
	}
	contains(t, err.Error(), "2001 goroutines", "120ms", "--force")
	if asked := p.asked(); asked != nil {
		t.Errorf("asked %q although refused", asked)
	}
	if _, _, err := client(t, p.url, Options{Force: true}).FullStacks(t.Context(), 1_000_000); err != nil {
		t.Error(err)
	}
}

func TestFullStacksOfAnotherForm(t *testing.T) {
	for _, tc := range []struct {
		name, body, want string
	}{
		{"debug=0", string(debug0(t)), "compressed"},
		{"debug=1", "goroutine profile: total 1\n1 @ 0x1\n#\t0x1\tmain.f+0x1\t/x.go:1\n", "debug=1"},
		{"nothing", "", "0 bytes"},
		{"page", "<html>", "web page"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProcess(t)
			p.set("/debug/pprof/goroutine", page(tc.body))
			_, _, err := client(t, p.url, Options{}).FullStacks(t.Context(), 1)
			if err == nil {
				t.Fatal("no error")
			}
			contains(t, err.Error(), tc.want)
		})
	}
}

func TestPauseEstimate(t *testing.T) {
	for _, tc := range []struct {
		n      int
		each   time.Duration
		passes int
	}{
		{0, 0, 1},
		{299, 299 * 15 * time.Microsecond, 1},
		{2000, 30 * time.Millisecond, 4},
		{10_000, 150 * time.Millisecond, 7},
		{100_000, 1500 * time.Millisecond, 7},
		{1_000_000, 15 * time.Second, 7},
	} {
		each, passes := PauseEstimate(tc.n)
		if each != tc.each || passes != tc.passes {
			t.Errorf("PauseEstimate(%d) = %v, %d, want %v, %d", tc.n, each, passes, tc.each, tc.passes)
		}
	}
}
