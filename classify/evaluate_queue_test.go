package classify

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

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
