package classify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

func TestLives(t *testing.T) {
	for _, tt := range []struct {
		name   string
		starts []float64
		builds []string
		want   []int // samples of each life
	}{
		{"no samples", nil, nil, nil},
		{"one", []float64{100}, nil, []int{1}},
		{"the same", []float64{100, 100, 100}, nil, []int{3}},
		{"no metrics", []float64{0, 0, 0}, nil, []int{3}},
		{"the boot time is rounded anew", []float64{100, 101, 99.5, 101.5, 100}, nil, []int{5}},
		{"a restart", []float64{100, 100, 160, 160}, nil, []int{2, 2}},
		{"an older process takes the address", []float64{200, 200, 100, 100}, nil, []int{2, 2}},
		{"three lives", []float64{100, 160, 160, 220}, nil, []int{1, 2, 1}},
		{"metrics fail in between", []float64{100, 0, 0, 100, 160}, nil, []int{4, 1}},
		{"a restart while metrics fail", []float64{100, 0, 160}, nil, []int{2, 1}},
		{"another binary", []float64{0, 0, 0}, []string{"a", "a", "b"}, []int{2, 1}},
		{"a build that is not always told", []float64{0, 0, 0, 0}, []string{"a", "", "a", ""}, []int{4}},
		{"other lines", []float64{0, 0, 0}, []string{"", "moved", "moved"}, []int{1, 2}},
		{"other lines, the start is the same", []float64{100, 100}, []string{"", "moved"}, []int{2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var samples []profile.Sample
			for i, at := range tt.starts {
				s := profile.Sample{Time: start.Add(time.Duration(i) * time.Second), Goroutines: snapshot()}
				if at > 0 {
					s.Metrics = profile.Metrics{"process_start_time_seconds": {{Value: at}}}
				}
				if tt.builds != nil && tt.builds[i] == "moved" {
					s.Goroutines = standing(1000)
				} else if tt.builds != nil {
					s.Goroutines = standing(0)
					s.Goroutines.BuildID = tt.builds[i]
				}
				samples = append(samples, s)
			}
			var got []int
			n := 0
			for _, l := range livesOf(samples) {
				got = append(got, len(l.samples))
				for _, s := range l.samples {
					if !s.Time.Equal(samples[n].Time) {
						t.Errorf("sample %d is out of order", n)
					}
					n++
				}
			}
			if !slices.Equal(got, tt.want) || n != len(samples) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func levelAndCulprits(f Finding) string { return fmt.Sprintf("%s %d", f.Level, f.Culprits) }

// standing is a snapshot of twenty functions, that far down in their files.
func standing(down int) *profile.Snapshot {
	s := &profile.Snapshot{Encoding: profile.Debug1}
	for i := range 20 {
		s.Groups = append(s.Groups, profile.Group{Frames: []profile.Frame{{Func: fmt.Sprintf("main.f%d", i), Line: down + i + 1}}})
	}
	return s
}

// restarted makes the start times of lives with so many samples each.
func restarted(lives ...int) []float64 {
	var starts []float64
	for n, samples := range lives {
		for range samples {
			starts = append(starts, float64(1000+1000*n))
		}
	}
	return starts
}

// TestRestarts puts a restart into the middle of a series: it neither hides a
// leak nor makes one up.
func TestRestarts(t *testing.T) {
	up := rising(8)
	for _, tt := range []struct {
		name    string
		starts  []float64
		samples [][]stack
		want    string // level and culprits; empty for nothing above note
		judged  Judged
	}{
		{"a warm-up after each start", restarted(8, 8),
			counts(pump, 2, 60, 80, 90, 91, 90, 92, 91, 1, 61, 79, 90, 90, 91, 92, 90), "", JudgedYes},
		{"two warm-ups would look like growth", restarted(4, 4),
			counts(pump, 10, 20, 30, 40, 50, 60, 70, 80), "", JudgedUndecided},
		{"without the restart they do", nil,
			counts(pump, 10, 20, 30, 40, 50, 60, 70, 80), "suspect 80", JudgedYes},
		{"a leak that grows after the start", restarted(3, 8),
			counts(pump, append([]int{100, 200, 300}, up...)...), "suspect 64", JudgedYes},
		{"unknown growth that a restart ended", restarted(8, 6),
			counts(pump, append(slices.Clone(up), 1, 1, 1, 1, 1, 1)...), "", JudgedYes},
		{"a known leak that a restart ended", restarted(8, 6),
			counts(leaked, append(slices.Clone(up), 0, 0, 0, 0, 0, 0)...), "confirmed 0", JudgedYes},
		{"a known leak that comes again", restarted(8, 2),
			counts(leaked, append(slices.Clone(up), 0, 3)...), "confirmed 3", JudgedYes},
		{"less of it since the start", restarted(8, 2),
			counts(stack{frames: eagerCulprit}, append(slices.Clone(up), 0, 3)...), "confirmed 3", JudgedYes},
		{"a known leak, then growth of something else", restarted(8, 8),
			side(counts(leaked, append(slices.Clone(up), 0, 0, 0, 0, 0, 0, 0, 0)...), counts(pump, append(make([]int, 8), up...)...)),
			"confirmed 0 suspect 64", JudgedYes},
		{"a restart just now", restarted(8, 1), counts(pump, 40, 40, 41, 40, 40, 39, 40, 40, 4), "", JudgedUndecided},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := judged(t, made{component: "query", version: "0.35.1", starts: tt.starts, samples: tt.samples})
			var got []string
			for _, f := range r.Findings {
				if f.Level.AtLeast(Suspect) {
					got = append(got, levelAndCulprits(f))
				}
				for _, o := range f.Occurrences {
					if len(o.Points) != len(tt.samples) && f.Advisory != "" {
						t.Errorf("%d points of %d samples", len(o.Points), len(tt.samples))
					}
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			x := r.Targets[0]
			if x.Judged != tt.judged || x.Samples != len(tt.samples) || len(x.Totals) != len(tt.samples) {
				t.Errorf("judged %s with %d samples and %d totals", x.Judged, x.Samples, len(x.Totals))
			}
			if want := len(slices.Compact(slices.Clone(tt.starts))) - 1; x.Restarts != max(want, 0) {
				t.Errorf("%d restarts, want %d", x.Restarts, want)
			}
		})
	}
}

// A life is judged by its own counts only.
func TestGrowthIsOfOneLife(t *testing.T) {
	m := made{component: "query", version: "0.35.1", starts: restarted(3, 8),
		samples: counts(leaked, append([]int{500, 600, 700}, rising(8)...)...)}
	o := only(t, judged(t, m)).Occurrences[0]
	if o.Growth.First != 8 || o.Growth.Last != 64 || o.Growth.Lives != 2 || o.Growth.Verdict != Growing {
		t.Errorf("%+v", o.Growth)
	}
	if o.Growth.PerHour == nil || !near(*o.Growth.PerHour, 5760, 1) {
		t.Errorf("%v an hour", o.Growth.PerHour)
	}
}

func TestVerdict(t *testing.T) {
	steady := func(name string) made {
		return made{name: name, component: "query", version: "0.42.4", samples: counts(pump, 4, 4, 4, 4, 4, 4)}
	}
	short := func(name string) made { return made{name: name, samples: counts(pump, 4, 4)} }
	growing := func(name string) made { return made{name: name, samples: counts(pump, rising(8)...)} }
	leaking := func(name string) made { return made{name: name, version: "0.35.1", samples: counts(leaked, 5)} }
	silent := func(name string) made { return made{name: name} }
	for _, tt := range []struct {
		name    string
		targets []made
		want    Verdict
	}{
		{"no targets", nil, VerdictIncomplete},
		{"clean", []made{steady("a"), steady("b")}, VerdictClean},
		{"a sample too few", []made{steady("a"), short("b")}, VerdictUndecided},
		{"no sample", []made{steady("a"), silent("b")}, VerdictIncomplete},
		{"no sample and a sample too few", []made{short("a"), silent("b")}, VerdictIncomplete},
		{"growth", []made{steady("a"), growing("b")}, VerdictSuspect},
		{"growth and no sample", []made{silent("a"), growing("b")}, VerdictSuspect},
		{"a leak", []made{steady("a"), leaking("b")}, VerdictLeak},
		{"a leak, growth, no sample", []made{silent("a"), growing("b"), leaking("c"), short("d")}, VerdictLeak},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := judged(t, tt.targets...)
			if r.Verdict != tt.want {
				t.Errorf("%s, want %s", r.Verdict, tt.want)
			}
			for i, x := range r.Targets {
				if x.Name != tt.targets[i].name {
					t.Errorf("target %d is %s", i, x.Name)
				}
			}
			if r.Findings == nil || r.Warnings == nil || r.Targets == nil {
				t.Error("a list is nil, which JSON spells null")
			}
		})
	}
}

// TestUnseen: samples that do not show all goroutines rule no growth out, unless they
// are few and the newest shows all.
func TestUnseen(t *testing.T) {
	cut := func(s *profile.Snapshot) { s.Truncated = true }
	for _, tt := range []struct {
		name   string
		of     []int // numbers of the samples that are spoilt
		spoil  func(*profile.Snapshot)
		judged Judged
	}{
		{"none", nil, cut, JudgedYes},
		{"one in the middle", []int{5}, cut, JudgedYes},
		{"the newest", []int{17}, cut, JudgedUndecided},
		{"more than a third", []int{0, 1, 2, 3, 4, 5, 6}, cut, JudgedUndecided},
		{"as many unreadable as a leak has", []int{17}, func(s *profile.Snapshot) { s.Unreadable = 8 }, JudgedUndecided},
		{"a few unreadable", []int{17}, func(s *profile.Snapshot) { s.Unreadable = 7 }, JudgedYes},
	} {
		target := made{version: "0.36.1", component: "query", samples: counts(pump, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)}.target()
		for _, i := range tt.of {
			tt.spoil(target.Samples[i].Goroutines)
		}
		r := judgedTargets(t, target)
		if got := r.Targets[0]; got.Judged != tt.judged || tt.judged == JudgedUndecided && !strings.Contains(got.Undecided, "do not show all goroutines") {
			t.Errorf("%s: %s, %q; want %s", tt.name, got.Judged, got.Undecided, tt.judged)
		}
	}
}

// TestUnseenAlone: that one sample is a part is said before that more are needed.
func TestUnseenAlone(t *testing.T) {
	target := made{component: "query", version: "0.35.1", samples: counts(pump, 8)}.target()
	target.Samples[0].Goroutines.Truncated = true
	r := judgedTargets(t, target)
	mustContain(t, r.Targets[0].Undecided, "the sample does not show all goroutines (9 could be read)")
}
