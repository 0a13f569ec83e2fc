package classify

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

var (
	evaluateSeed    = flag.Uint64("evaluate.seed", 0, "seed of the simulated processes; 0: the short evaluation has its own, the long one takes a fresh one")
	evaluateClass   = flag.String("evaluate.class", "", "evaluate only classes whose name has this, or the \"harmless\" ones; several are separated by commas")
	evaluateRun     = flag.Int("evaluate.run", -1, "evaluate only the run of this number, from 0")
	evaluateRuns    = flag.Int("evaluate.runs", 0, "runs of each class; 0: the short evaluation has its own number, the long one takes what time allows")
	evaluateStride  = flag.Int("evaluate.stride", 0, "judge only each so many looks; 0: the short evaluation has its own number, the long one judges all")
	evaluateExplain = flag.Bool("evaluate.explain", false, "tell of each false finding and of each leak that was missed")
)

const (
	// hoursADay is those of a cron's history, hoursAMonth those of a
	// target-month.
	hoursADay, hoursAMonth = 24, 30 * 24
	// perCron is the looks of a day at every 15 minutes.
	perCron = 4 * hoursADay
)

// What the short evaluation asks for.
const (
	quickSeed = 1
	// quickSpan and quickLeakSpan are hours of looks at a harmless and at a
	// leaking process.
	quickSpan, quickLeakSpan = hoursAWeek, 36
	quickRuns                = 4
	quickScans               = 20
	// quickStride is 4: what a look sees, the next ones see as well.
	quickStride = 4
)

// What the short evaluation bears, by the nearer end of the 95 % interval: so
// few processes show no more.
const (
	// quickFalse is false findings per 100 target-months of one harmless
	// class, quickFalseOfAll of all together, quickFalseScans such scans of
	// 1000.
	quickFalse, quickFalseOfAll, quickFalseScans = 50, 10, 10
	// quickRecall is the share of leaks of 50 an hour and more that are
	// found within a day.
	quickRecall = 0.5
)

// scanSizes are the numbers of samples of single scans.
var scanSizes = [2]int{5, 20}

// evaluation is how processes are evaluated.
type evaluation struct {
	seed uint64
	// span and leakSpan are hours of looks at a harmless and at a leaking
	// process.
	span, leakSpan float64
	scans          int // of each size, at each harmless process
	// stride is the looks from one call of Judge to the next.
	stride  int
	explain func(text string)
}

// outcome is what came of some simulated processes of a class. Outcomes add
// up.
type outcome struct {
	runs    int
	looks   int // calls of Judge
	judging time.Duration
	months  float64 // of looks at harmless processes

	// likely and suspect are distinct false findings of that level or above:
	// one is counted once a process, however many looks show it. hit is
	// processes with a likely one.
	likely, suspect, hit int
	scans                [len(scanSizes)]scanned

	// hours are those from the first look to the finding, +Inf for a leak
	// that was missed.
	hours []float64
	// cases is the findings at likely of the looks that found a leak.
	cases int

	leakProf, risen baseline
}

// scanned is what came of single scans at harmless processes.
type scanned struct{ scans, likely, suspect int }

// A baseline is a rule of others on the same data: the distinct harmless stacks
// that it reports, and the leaks that it finds within a day.
type baseline struct{ wrong, found int }

// add adds the outcome of other processes.
func (o *outcome) add(p outcome) {
	o.runs += p.runs
	o.looks += p.looks
	o.judging += p.judging
	o.months += p.months
	o.likely += p.likely
	o.suspect += p.suspect
	o.hit += p.hit
	for i := range o.scans {
		o.scans[i].scans += p.scans[i].scans
		o.scans[i].likely += p.scans[i].likely
		o.scans[i].suspect += p.scans[i].suspect
	}
	o.hours = append(o.hours, p.hours...)
	o.cases += p.cases
	o.leakProf.wrong += p.leakProf.wrong
	o.leakProf.found += p.leakProf.found
	o.risen.wrong += p.risen.wrong
	o.risen.found += p.risen.found
}

// found is the number of leaks found within some hours of the first look.
func (o *outcome) found(within float64) int {
	n := 0
	for _, h := range o.hours {
		if h <= within {
			n++
		}
	}
	return n
}

// withinDay is what a finding of the first day has at most: the looks of a cron
// are a few seconds late.
const withinDay = hoursADay + 0.01

// one evaluates a process.
func (e *evaluation) one(c *simClass, run int) outcome {
	span := e.span
	if c.leaks() {
		span = e.leakSpan
	}
	p := newSimulated(c, span, e.seed, uint64(run))
	w := &simWatch{evaluation: e, process: p, name: fmt.Sprintf("%s, seed %d, run %d", c.name, e.seed, run),
		kinds: map[string]string{}, leaked: map[string]bool{}, seen: map[string]Level{}, hours: math.Inf(1)}
	for _, s := range p.stacks {
		w.kinds[s.key] = s.kind
		w.leaked[s.key] = s.leak != nil
	}
	all := p.take(p.cron())
	w.cron(all)
	w.outcome.leakProf = w.baseline(all, hugeStacks)
	w.outcome.risen = w.baseline(all, risenStacks)
	w.outcome.runs = 1
	if c.leaks() {
		w.outcome.hours = []float64{w.hours}
		return w.outcome
	}
	for i, n := range scanSizes {
		for range e.scans {
			w.scan(&w.outcome.scans[i], p.take(p.scan(n)))
		}
	}
	w.outcome.months = span / hoursAMonth
	return w.outcome
}

// simWatch looks at one process.
type simWatch struct {
	*evaluation
	process *simulated
	name    string
	kinds   map[string]string // of the stacks, by the key of a finding
	leaked  map[string]bool   // which of them leak
	seen    map[string]Level  // the surest level of each false finding so far
	hours   float64           // from the first look to the finding of the leak
	outcome outcome
}

// judge is a look by the real judge, without advisories.
func (w *simWatch) judge(samples []profile.Sample) *Result {
	target := profile.Target{Name: "one", Samples: samples}
	before := time.Now()
	r := Judge([]profile.Target{target}, Options{Thresholds: DefaultThresholds(), Advisories: &advisory.DB{}})
	w.outcome.judging += time.Since(before)
	w.outcome.looks++
	return r
}

// cron judges after each sample what the last day has shown, until a leak is
// found.
func (w *simWatch) cron(all []profile.Sample) {
	for i := 0; i < len(all); i += w.stride {
		r := w.judge(all[dayBefore(all, i) : i+1])
		w.note(r, i)
		if w.catch(r, all[i].Time.Sub(all[0].Time)) {
			break
		}
	}
	for _, level := range w.seen {
		w.outcome.suspect++
		if level.AtLeast(Likely) {
			w.outcome.likely++
		}
	}
	if w.outcome.likely > 0 {
		w.outcome.hit++
	}
	if w.process.leak != nil && math.IsInf(w.hours, 1) {
		w.miss(all)
	}
}

// dayBefore is the first sample that a cron still has when it takes the given
// one.
func dayBefore(all []profile.Sample, i int) int {
	from := max(0, i-perCron)
	for all[i].Time.Sub(all[from].Time) > hoursADay*time.Hour+time.Minute {
		from++
	}
	return from
}

// note keeps the false findings of a look.
func (w *simWatch) note(r *Result, look int) {
	for _, f := range r.Findings {
		if w.leaked[f.Key] || !f.Level.AtLeast(Suspect) || w.seen[f.Key].AtLeast(f.Level) {
			continue
		}
		w.seen[f.Key] = f.Level
		if f.Level.AtLeast(Likely) {
			w.tell(fmt.Sprintf("false at look %d", look), f)
		}
	}
}

// catch sees whether a look found the leak, by any of its stacks.
func (w *simWatch) catch(r *Result, after time.Duration) bool {
	caught, cases := false, 0
	for _, f := range r.Findings {
		if f.Level.AtLeast(Likely) {
			cases++
			caught = caught || w.leaked[f.Key]
		}
	}
	if caught {
		w.hours = after.Hours()
		w.outcome.cases = cases
	}
	return caught
}

// miss tells what the last look showed of a leak that was missed.
func (w *simWatch) miss(all []profile.Sample) {
	if w.explain == nil {
		return
	}
	i := len(all) - 1
	for _, f := range w.judge(all[dayBefore(all, i):]).Findings {
		if w.leaked[f.Key] {
			w.tell("missed, at the last look", f)
			return
		}
	}
	w.explain(w.name + ": missed, nothing of it at the last look")
}

// tell explains a finding to people who ask for it.
func (w *simWatch) tell(what string, f Finding) {
	if w.explain == nil {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %s %s: %s (%.0f in flight)", w.name, what, f.Level, f.Key, w.kinds[f.Key], w.process.load.mean)
	for _, o := range f.Occurrences {
		for _, e := range o.Evidence {
			fmt.Fprintf(&b, "\n    %s %s: %s", e.Strength, e.Kind, e.Text)
		}
	}
	w.explain(b.String())
}

// scan judges a single scan.
func (w *simWatch) scan(s *scanned, samples []profile.Sample) {
	r := w.judge(samples)
	s.scans++
	worst := Level("")
	for _, f := range r.Findings {
		if f.Level.AtLeast(worst) {
			worst = f.Level
		}
		if f.Level.AtLeast(Likely) {
			w.tell(fmt.Sprintf("false in a scan of %d", len(samples)), f)
		}
	}
	if worst.AtLeast(Suspect) {
		s.suspect++
	}
	if worst.AtLeast(Likely) {
		s.likely++
	}
}

// baseline tells what a rule of others reports of the same looks.
func (w *simWatch) baseline(all []profile.Sample, rule func(window []profile.Sample) []profile.Signature) baseline {
	var b baseline
	reported := map[profile.Signature]bool{}
	leaks := map[profile.Signature]bool{}
	for _, s := range w.process.stacks {
		leaks[s.group.Signature] = s.leak != nil
	}
	for i := range all {
		for _, sig := range rule(all[dayBefore(all, i) : i+1]) {
			if leaks[sig] && all[i].Time.Sub(all[0].Time).Hours() <= withinDay {
				b.found = 1
			}
			reported[sig] = true
		}
	}
	for sig := range reported {
		if !leaks[sig] {
			b.wrong++
		}
	}
	return b
}

// hugeStacks is the rule of LeakProf: a stack of 10,000 goroutines.
func hugeStacks(window []profile.Sample) []profile.Signature {
	var huge []profile.Signature
	for _, g := range window[len(window)-1].Goroutines.Groups {
		if g.Count < 10_000 {
			break // most goroutines come first
		}
		huge = append(huge, g.Signature)
	}
	return huge
}

// risenStacks compares the last sample with the first: at least 20 goroutines
// and a fifth more.
func risenStacks(window []profile.Sample) []profile.Signature {
	first := map[profile.Signature]int{}
	for _, g := range window[0].Goroutines.Groups {
		first[g.Signature] = g.Count
	}
	var risen []profile.Signature
	for _, g := range window[len(window)-1].Goroutines.Groups {
		if n := first[g.Signature]; g.Count >= n+20 && float64(g.Count) >= 1.2*float64(n) {
			risen = append(risen, g.Signature)
		}
	}
	return risen
}

// TestEvaluate is the short evaluation: it sees whether the judge has gone
// wrong by far. How right it is the long one measures (-tags evaluate).
func TestEvaluate(t *testing.T) {
	q := newQueue(t)
	if q.runs == 0 {
		q.runs = quickRuns
	}
	evaluate(t, &evaluation{seed: cmp.Or(*evaluateSeed, quickSeed), span: quickSpan, leakSpan: quickLeakSpan,
		scans: quickScans, stride: cmp.Or(*evaluateStride, quickStride)}, q)
	var harmless, fast outcome
	for _, c := range q.classes {
		switch {
		case !c.leaks():
			harmless.add(c.outcome)
			mustBeRare(t, c.name, c.outcome, quickFalse)
		case c.perHour >= 50:
			fast.add(c.outcome)
		}
	}
	mustBeRare(t, "all harmless classes", harmless, quickFalseOfAll)
	if low, _ := clopperPearson(fast.found(withinDay), fast.runs); fast.runs >= len(simClasses)/3 && low < quickRecall {
		t.Errorf("%d of %d leaks of 50 an hour and more are found in a day: %.2f at least, want %.2f",
			fast.found(withinDay), fast.runs, low, quickRecall)
	}
}

// mustBeRare fails if false findings are shown to be more frequent than most per
// 100 target-months.
func mustBeRare(t *testing.T, name string, o outcome, most float64) {
	t.Helper()
	if low, _ := garwood(o.likely); o.likely > 0 && 100*low/o.months > most {
		t.Errorf("%s: %d false findings in %.1f target-months: %.0f per 100 at least, want %.0f at most",
			name, o.likely, o.months, 100*low/o.months, most)
	}
	for i, s := range o.scans {
		if low, _ := garwood(s.likely); s.likely > 0 && 1000*low/float64(s.scans) > quickFalseScans {
			t.Errorf("%s: %d of %d scans of %d samples have false findings", name, s.likely, s.scans, scanSizes[i])
		}
	}
}
