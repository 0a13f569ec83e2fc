package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/report"
)

// remembered is a week of a querier that was upgraded, leaks from then on, and
// is killed for its memory every 18 hours, at a number of goroutines.
func remembered(peak int) *profile.Past {
	end := time.Date(2026, 11, 22, 6, 45, 0, 0, time.UTC)
	upgraded := end.Add(-130 * time.Hour)
	p := &profile.Past{
		Instance: "10.0.0.1:10902", Pod: "thanos-query-0", From: end.Add(-7 * 24 * time.Hour), To: end, Step: 34 * time.Minute,
		Versions: []profile.PastVersion{{Time: end.Add(-7 * 24 * time.Hour), Version: "0.34.1"}},
	}
	for at := p.From; !at.After(end); at = at.Add(p.Step) {
		point := profile.PastPoint{Time: at, Goroutines: 22, Started: upgraded.Add(-1000 * time.Hour)}
		if since := at.Sub(upgraded); since >= 0 {
			point.Started = upgraded.Add(since.Truncate(18 * time.Hour))
			point.Goroutines += int(float64(peak) * at.Sub(point.Started).Hours() / 18)
			if len(p.Versions) == 1 {
				p.Versions = append(p.Versions, profile.PastVersion{Time: at, Version: "0.35.1"})
			}
		}
		p.Points = append(p.Points, point)
	}
	return p
}

// pastLines returns the lines of a report about pasts.
func pastLines(t *testing.T, width int, targets ...profile.Target) string {
	t.Helper()
	var b bytes.Buffer
	o := report.TextOptions{Width: width}
	r := judge(t, targets...)
	if err := report.Text(&b, theRun(), r, o); err != nil {
		t.Fatal(err)
	}
	checkLines(t, b.String(), o, commands(r))
	_, rest, _ := strings.Cut(b.String(), "  before")
	lines, _, _ := strings.Cut("  before"+rest, "\n\n")
	lines, _, _ = strings.Cut(lines, "\n  memory")
	lines, _, _ = strings.Cut(lines, "\n  culprits")
	return lines
}

func TestPast(t *testing.T) {
	s := shelf{t, map[string][]profile.Target{}}
	x := s.one("v0.35.1-go121-slowstore-eager", "upper", "thanos-query:10902")
	x.Past = remembered(48_000)
	for width, want := range map[int]string{
		80: `
  before      22 ▁▁▁▁▁▁ ▄▇ ▃▆▇ ▄▇ ▃▅█ ▄▆ ▂▅▇ ▃▆ ▂ 9977
              7d in Prometheus, 8 restarts
              rise since 2026-11-16 20:45 UTC, when v0.34.1 became v0.35.1;
              restarts about every 18h, at up to 47,844 goroutines, from about
              777 again each time`,
		100: `
  before      22 ▁▁▁▁▁▁ ▄▇ ▃▆▇ ▄▇ ▃▅█ ▄▆ ▂▅▇ ▃▆ ▂ 9977   7d in Prometheus, 8 restarts
              rise since 2026-11-16 20:45 UTC, when v0.34.1 became v0.35.1; restarts about every
              18h, at up to 47,844 goroutines, from about 777 again each time`,
	} {
		if d := cmp.Diff(want, "\n"+pastLines(t, width, x)); d != "" {
			t.Errorf("%d columns:\n%s", width, d)
		}
	}
}

// TestPastOfFleet: of many targets only the worst are shown.
func TestPastOfFleet(t *testing.T) {
	s := shelf{t, map[string][]profile.Target{}}
	var all []profile.Target
	for i := range 60 {
		x := s.one("v0.35.1-go121-slowstore-eager", "upper", fmt.Sprintf("10.0.0.%d:10902", i))
		x.Past = remembered(1000 * (1 + i%30))
		if i == 59 {
			x.Past.Points = x.Past.Points[:60] // before the upgrade: a level
		}
		if i == 58 {
			x.Past = nil
		}
		all = append(all, x)
	}
	for width, want := range map[int]string{
		80: `
  before      10.0.0.29:10902  22 ▁▁▁▁▁▁ ▄▇ ▃▆▇ ▄▇ ▃▅█ ▄▆ ▂▅▇ ▃▆ ▂ 6244
              8 restarts
              10.0.0.28:10902  22 ▁▁▁▁▁▁ ▄▇ ▃▆▇ ▄▇ ▃▅█ ▄▆ ▂▅▇ ▃▆ ▂ 6036
              8 restarts
              10.0.0.27:10902  22 ▁▁▁▁▁▁ ▄▇ ▃▆▇ ▄▇ ▃▅█ ▄▆ ▂▅▇ ▃▆ ▂ 5829
              8 restarts
              7d in Prometheus: rise since 2026-11-16 20:45 UTC, when v0.34.1
              became v0.35.1
  and 56 more targets (-v shows all)`,
		100: `
  before      10.0.0.29:10902  22 ▁▁▁▁▁▁ ▄▇ ▃▆▇ ▄▇ ▃▅█ ▄▆ ▂▅▇ ▃▆ ▂ 6244   8 restarts
              10.0.0.28:10902  22 ▁▁▁▁▁▁ ▄▇ ▃▆▇ ▄▇ ▃▅█ ▄▆ ▂▅▇ ▃▆ ▂ 6036   8 restarts
              10.0.0.27:10902  22 ▁▁▁▁▁▁ ▄▇ ▃▆▇ ▄▇ ▃▅█ ▄▆ ▂▅▇ ▃▆ ▂ 5829   8 restarts
              7d in Prometheus: rise since 2026-11-16 20:45 UTC, when v0.34.1 became v0.35.1
  and 56 more targets (-v shows all)`,
	} {
		if d := cmp.Diff(want, "\n"+pastLines(t, width, all...)); d != "" {
			t.Errorf("%d columns:\n%s", width, d)
		}
	}
}

// TestPastOfCleanTarget: where nothing is found, a rise is a warning.
func TestPastOfCleanTarget(t *testing.T) {
	s := shelf{t, map[string][]profile.Target{}}
	all := s.all("v0.35.1-healthy")
	all[0].Past = remembered(5000)
	r := judge(t, all...)
	var b bytes.Buffer
	if err := report.Text(&b, theRun(), r, report.TextOptions{Width: 80}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"CLEAN", "warning  ", "nothing is found now, but its"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, b.String())
		}
	}
}
