package classify

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
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

// queue hands out processes to be evaluated, so that each class gets the same
// time, or the same number of runs.
type queue struct {
	mu      sync.Mutex
	classes []*classWork
	runs    int       // of each class; 0 for as many as there is time
	leaks   int       // most runs of each class of leaks, where there is time
	until   time.Time // not looked at if runs is set
	only    int       // number of the only run; -1 for all
}

// classWork is what has been done for a class.
type classWork struct {
	*simClass
	begun, done int
	spent       time.Duration
	outcome     outcome
}

// share is the time that the class has had, with what is under way.
func (c *classWork) share() time.Duration {
	if c.done == 0 {
		return time.Duration(c.begun) * time.Hour
	}
	return c.spent / time.Duration(c.done) * time.Duration(c.begun)
}

// over reports whether the class gets no more runs.
func (q *queue) over(c *classWork) bool {
	switch {
	case q.only >= 0:
		return c.begun >= 1
	case q.runs > 0:
		return c.begun >= q.runs
	}
	return c.leaks() && c.begun >= q.leaks || time.Now().After(q.until)
}

// next returns the class that has had the least, and the number of the run; nil
// if all are over.
func (q *queue) next() (c *classWork, run int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, d := range q.classes {
		if !q.over(d) && (c == nil || q.runs > 0 && d.begun < c.begun || q.runs == 0 && d.share() < c.share()) {
			c = d
		}
	}
	if c == nil {
		return nil, 0
	}
	c.begun++
	return c, max(q.only, c.begun-1)
}

// work evaluates processes until the queue is empty, on all processors.
func (q *queue) work(e *evaluation) {
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				c, run := q.next()
				if c == nil {
					return
				}
				before := time.Now()
				o := e.one(c.simClass, run)
				q.mu.Lock()
				c.outcome.add(o)
				c.done++
				c.spent += time.Since(before)
				q.mu.Unlock()
			}
		})
	}
	workers.Wait()
}

// newQueue returns a queue of the classes that the flags ask for.
func newQueue(t *testing.T) *queue {
	q := &queue{runs: *evaluateRuns, only: *evaluateRun}
	for i := range simClasses {
		c := &simClasses[i]
		wanted := func(name string) bool {
			return strings.Contains(c.name, strings.TrimSpace(name)) || name == "harmless" && !c.leaks()
		}
		if slices.ContainsFunc(strings.Split(*evaluateClass, ","), wanted) {
			q.classes = append(q.classes, &classWork{simClass: c})
		}
	}
	if len(q.classes) == 0 {
		t.Fatalf("no class has %q in its name", *evaluateClass)
	}
	return q
}

// evaluate runs the queue and prints what came of it.
func evaluate(t *testing.T, e *evaluation, q *queue) {
	t.Helper()
	if *evaluateExplain {
		e.explain = func(text string) { t.Log(text) }
	}
	before := time.Now()
	q.work(e)
	looks, judging := 0, time.Duration(0)
	for _, c := range q.classes {
		looks += c.outcome.looks
		judging += c.outcome.judging
	}
	t.Logf("seed %d, %s: %d calls of Judge, %.0f a second and core\n\n%s\n%s", e.seed, time.Since(before).Round(time.Second),
		looks, float64(looks)/judging.Seconds(), harmlessTable(q.classes), leakTable(q.classes))
}

// harmlessTable shows what is falsely reported.
func harmlessTable(classes []*classWork) string {
	rows := [][]string{{"harmless", "runs", "months", "likely", "per 100 months [95 %]", "runs hit", "suspect per 100",
		"likely of 1000 scans of 5", "suspect", "likely of 1000 scans of 20", "suspect", "10,000 per 100", "last>first per 100"}}
	sum := &classWork{simClass: &simClass{name: "all"}}
	row := func(c *classWork) {
		o := &c.outcome
		per := 100 / o.months
		r := []string{c.name, fmt.Sprint(o.runs), fmt.Sprintf("%.1f", o.months), fmt.Sprint(o.likely), poissonText(o.likely, per),
			fmt.Sprintf("%d", o.hit), fmt.Sprintf("%.0f", per*float64(o.suspect))}
		for _, s := range o.scans {
			per := 1000 / float64(s.scans)
			r = append(r, poissonText(s.likely, per), fmt.Sprintf("%.1f", per*float64(s.suspect)))
		}
		rows = append(rows, append(r, fmt.Sprintf("%.0f", per*float64(o.leakProf.wrong)), fmt.Sprintf("%.0f", per*float64(o.risen.wrong))))
	}
	for _, c := range classes {
		if !c.leaks() && c.outcome.runs > 0 {
			row(c)
			sum.outcome.add(c.outcome)
		}
	}
	if sum.outcome.runs > 0 {
		row(sum)
	}
	return aligned(rows)
}

// leakTable shows which leaks are found, and when.
func leakTable(classes []*classWork) string {
	rows := [][]string{{"leak", "runs", "in a day", "recall [95 %]", "median h", "in the run", "recall [95 %]",
		"findings when found", "false likely", "10,000 in a day", "last>first in a day"}}
	for _, c := range classes {
		o := &c.outcome
		if !c.leaks() || o.runs == 0 {
			continue
		}
		inDay, inRun := o.found(withinDay), o.found(math.MaxFloat64)
		rows = append(rows, []string{c.name, fmt.Sprint(o.runs), fmt.Sprint(inDay), shareText(inDay, o.runs), hoursText(median(o.hours)),
			fmt.Sprint(inRun), shareText(inRun, o.runs), fmt.Sprintf("%.1f", float64(o.cases)/float64(max(inRun, 1))),
			fmt.Sprint(o.likely), fmt.Sprintf("%.2f", share(o.leakProf.found, o.runs)), fmt.Sprintf("%.2f", share(o.risen.found, o.runs))})
	}
	return aligned(rows)
}

// hoursText is a median time; it is infinite where most leaks are missed.
func hoursText(h float64) string {
	if math.IsInf(h, 1) {
		return "missed"
	}
	return fmt.Sprintf("%.1f", h)
}

// aligned sets rows as a table; empty where there is nothing but a heading.
func aligned(rows [][]string) string {
	if len(rows) < 2 {
		return ""
	}
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	w.Flush()
	return b.String()
}

func share(n, of int) float64 { return float64(n) / float64(of) }

// poissonText is a number of events as a rate, with its interval.
func poissonText(n int, per float64) string {
	low, high := garwood(n)
	return fmt.Sprintf("%.1f [%.1f, %.1f]", per*float64(n), per*low, per*high)
}

// shareText is n of so many as a share, with its interval.
func shareText(n, of int) string {
	low, high := clopperPearson(n, of)
	return fmt.Sprintf("%.2f [%.2f, %.2f]", share(n, of), low, high)
}

// garwood returns the exact 95 % interval of the mean of a Poisson distribution
// of which n events were seen. It takes events to be independent; several false
// findings of one process are not quite.
func garwood(n int) (low, high float64) {
	most := float64(n) + 10*math.Sqrt(float64(n)+1) + 10
	if n > 0 {
		low = bisect(0, most, func(mean float64) bool { return 1-poissonCDF(n-1, mean) < 0.025 })
	}
	return low, bisect(0, most, func(mean float64) bool { return poissonCDF(n, mean) > 0.025 })
}

// clopperPearson returns the exact 95 % interval of a share of which n of so
// many were seen.
func clopperPearson(n, of int) (low, high float64) {
	high = 1
	if n > 0 {
		low = bisect(0, 1, func(p float64) bool { return 1-binomialCDF(n-1, of, p) < 0.025 })
	}
	if n < of {
		high = bisect(0, 1, func(p float64) bool { return binomialCDF(n, of, p) > 0.025 })
	}
	return low, high
}

// bisect returns where a condition that holds from low on ceases to hold.
func bisect(low, high float64, holds func(float64) bool) float64 {
	for range 60 {
		if mid := (low + high) / 2; holds(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// poissonCDF is the probability of at most n events of which mean are to be
// expected.
func poissonCDF(n int, mean float64) float64 {
	p := 0.0
	for k := range n + 1 {
		faculty, _ := math.Lgamma(float64(k) + 1)
		p += math.Exp(float64(k)*math.Log(mean) - mean - faculty)
	}
	return p
}

// binomialCDF is the probability of at most n of so many, each with chance p.
func binomialCDF(n, of int, p float64) float64 {
	sum := 0.0
	all, _ := math.Lgamma(float64(of) + 1)
	for k := range n + 1 {
		a, _ := math.Lgamma(float64(k) + 1)
		b, _ := math.Lgamma(float64(of-k) + 1)
		sum += math.Exp(all - a - b + float64(k)*math.Log(p) + float64(of-k)*math.Log1p(-p))
	}
	return sum
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

// TestIntervals compares the exact intervals with those of published tables.
func TestIntervals(t *testing.T) {
	for _, tt := range []struct {
		n, of     int
		low, high float64
	}{
		{0, 0, 0, 3.689}, {1, 0, 0.0253, 5.572}, {10, 0, 4.795, 18.390}, {100, 0, 81.36, 121.63}, {1000, 0, 938.97, 1063.95},
		{0, 10, 0, 0.3085}, {5, 10, 0.1871, 0.8129}, {10, 10, 0.6915, 1}, {95, 100, 0.8872, 0.9836}, {0, 1, 0, 0.975},
	} {
		name, f := "garwood", func() (float64, float64) { return garwood(tt.n) }
		if tt.of > 0 {
			name, f = "clopperPearson", func() (float64, float64) { return clopperPearson(tt.n, tt.of) }
		}
		low, high := f()
		if math.Abs(low-tt.low) > 0.0005*max(1, tt.low) || math.Abs(high-tt.high) > 0.0005*max(1, tt.high) {
			t.Errorf("%s of %d, %d: %.4f to %.4f, want %.4f to %.4f", name, tt.n, tt.of, low, high, tt.low, tt.high)
		}
	}
}

// TestBaselines looks at the rules of others.
func TestBaselines(t *testing.T) {
	a, b := []string{"a"}, []string{"b"}
	window := func(first, last [2]int) []profile.Sample {
		sample := func(n [2]int) profile.Sample {
			return profile.Sample{Goroutines: snapshot(stack{n: n[0], frames: a}, stack{n: n[1], frames: b})}
		}
		return []profile.Sample{sample(first), sample([2]int{90_000, 0}), sample(last)}
	}
	for _, tt := range []struct {
		first, last [2]int
		huge, risen string
	}{
		{[2]int{1, 0}, [2]int{20, 20}, "", "b"},
		{[2]int{100, 0}, [2]int{120, 19}, "", "a"},
		{[2]int{101, 20}, [2]int{121, 1}, "", ""},
		{[2]int{10_000, 9_990}, [2]int{9_999, 10_000}, "b", ""},
	} {
		w := window(tt.first, tt.last)
		huge, risen := hugeStacks(w), risenStacks(w)
		if fmt.Sprint(huge) != "["+tt.huge+"]" || fmt.Sprint(risen) != "["+tt.risen+"]" {
			t.Errorf("%v → %v: %v and %v, want %q and %q", tt.first, tt.last, huge, risen, tt.huge, tt.risen)
		}
	}
}

// TestDayBefore looks at what a cron still has: a day, however many looks
// failed.
func TestDayBefore(t *testing.T) {
	at := func(hours ...float64) []profile.Sample {
		var samples []profile.Sample
		for _, h := range hours {
			samples = append(samples, profile.Sample{Time: start.Add(time.Duration(h * float64(time.Hour)))})
		}
		return samples
	}
	var even []float64
	for k := range 3 * perCron {
		even = append(even, float64(k)/4)
	}
	for _, tt := range []struct {
		name  string
		hours []float64
		i     int
		want  int
	}{
		{"the first", even, 0, 0},
		{"a day on", even, perCron, 0},
		{"two days on", even, 2 * perCron, perCron},
		{"with gaps", []float64{0, 1, 20, 24.5, 30}, 3, 1},
		{"with wide gaps", []float64{0, 1, 20, 24.5, 60}, 4, 4},
	} {
		if got := dayBefore(at(tt.hours...), tt.i); got != tt.want {
			t.Errorf("%s: from %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestQueue looks at who is evaluated next.
func TestQueue(t *testing.T) {
	work := func() []*classWork {
		return []*classWork{
			{simClass: &simClass{name: "slow"}, begun: 1, done: 1, spent: 9 * time.Second},
			{simClass: &simClass{name: "quick"}, begun: 8, done: 8, spent: 8 * time.Second},
			{simClass: &simClass{name: "leak", perHour: 1}, begun: 7, done: 7, spent: time.Second},
		}
	}
	later := time.Now().Add(time.Hour)
	for _, tt := range []struct {
		name  string
		queue *queue
		want  string
	}{
		{"by time", &queue{only: -1, until: later, leaks: 100}, "leak 7"},
		{"by time, leaks enough", &queue{only: -1, until: later, leaks: 7}, "quick 8"},
		{"by time that is over", &queue{only: -1, leaks: 100}, ""},
		{"by number", &queue{only: -1, runs: 8}, "slow 1"},
		{"by number that is reached", &queue{only: -1, runs: 1}, ""},
	} {
		tt.queue.classes = work()
		if tt.name == "by number that is reached" {
			tt.queue.classes = tt.queue.classes[:1]
		}
		got := ""
		if c, run := tt.queue.next(); c != nil {
			got = fmt.Sprint(c.name, " ", run)
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	q := &queue{only: 17, classes: []*classWork{{simClass: &simClasses[0]}}}
	if _, run := q.next(); run != 17 {
		t.Errorf("run %d, want 17", run)
	}
	if c, _ := q.next(); c != nil {
		t.Errorf("the only run twice")
	}
}
