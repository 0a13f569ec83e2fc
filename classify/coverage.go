package classify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// A Soak is what a result of a soak tells beside its findings: a release with a
// leak is clean as long as the load does not do what the leak needs.
type Soak struct {
	// Rounds is the number of rounds of load that all targets were looked at
	// after, 0 for a soak without rests.
	Rounds int `json:"rounds"`
	// UnderLoad says that nothing rested: something else made load all the time.
	UnderLoad bool `json:"-"`
	// Targets are in the order of the result's.
	Targets []SoakTarget `json:"targets"`
	// Conditions are what leaks of these components need, the general ones
	// first, then by advisory.
	Conditions []Condition `json:"conditions"`
}

// A SoakTarget is how one process came through a soak.
type SoakTarget struct {
	Target string `json:"target"`
	// AtRest is the number of goroutines at each rest, the least of its
	// samples: the first before any load. Without rests it is the same of as
	// many equal parts of the time as there would be.
	AtRest []int `json:"at_rest"`
	// Requests are those completed in each round, or in each part of the time
	// but the first; nil if /metrics do not tell.
	Requests []int `json:"requests"`
}

// A Condition is something that leaks need, and whether the soak had it.
type Condition struct {
	// Name is what --require takes: one of the names below, or the ID of an
	// advisory.
	Name string `json:"name"`
	// Text says what it is, for people.
	Text string `json:"text"`
	// Exercised is nil where nothing tells.
	Exercised *bool `json:"exercised"`
	// Observed is what tells it; empty if nothing does.
	Observed string `json:"observed"`
	// Look says where a person can see it that nothing tells; empty for nowhere.
	Look string `json:"look"`
	// Affected says that the release of a target has, or may have, the leak of
	// the advisory; true for the general conditions.
	Affected bool `json:"affected"`
	// Required says that the soak fails without it.
	Required bool `json:"required"`

	// Try says what makes it happen; empty where Text says it.
	Try string `json:"-"`
}

// Names of the conditions that are not those of one advisory.
const (
	ConditionRequests    = "requests" // each round had enough requests
	ConditionCancelled   = advisory.WitnessCancelled
	ConditionSilentStore = advisory.WitnessSilentStore
)

// ConditionNames are the names that are not those of one advisory.
var ConditionNames = []string{ConditionRequests, ConditionCancelled, ConditionSilentStore}

// Unmet returns the conditions that are required and were not exercised.
func (s *Soak) Unmet() []Condition {
	return slices.DeleteFunc(slices.Clone(s.Conditions), func(c Condition) bool {
		return !c.Required || c.Exercised != nil && *c.Exercised
	})
}

// minRequests is the number of requests in a round below which nothing is said
// of a process that serves them.
const minRequests = 20

// givenUp are the codes of requests that their caller gave up, or that took too
// long; Thanos answers 503 to both where it may not answer in part.
var givenUp = []string{"408", "499", "503", "504", "Canceled", "DeadlineExceeded"}

// soakOf returns what the soak of the processes shows; nil if it was none.
func (j *judge) soakOf(processes []*process, cases []*caseOf) *Soak {
	s := &Soak{Targets: []SoakTarget{}, Conditions: []Condition{}, UnderLoad: j.last == 0}
	var soaked []*process
	for _, p := range processes {
		if p.samples() == 0 || !j.Soak && len(p.newest().rests()) == 0 {
			continue
		}
		soaked = append(soaked, p)
		t := p.soakTarget()
		if n := len(p.newest().rests()) - 1; len(soaked) == 1 || n < s.Rounds {
			s.Rounds = max(n, 0)
		}
		s.Targets = append(s.Targets, t)
	}
	if len(soaked) == 0 {
		return nil
	}
	s.Conditions = append(s.Conditions, requestsCondition(soaked, s.Targets))
	if c, ok := happened(Condition{Name: ConditionCancelled, Text: "a request is cancelled or times out",
		Try: "queries that take longer than --query.timeout"}, "", soaked); ok {
		s.Conditions = append(s.Conditions, c)
	}
	if c, ok := happened(Condition{Name: ConditionSilentStore, Text: "a store is silent for so long that its stream is given up",
		Try: "--store.response-timeout, and silentstore among the endpoints (docs/recipes.md) or kill -STOP of a store"}, "query", soaked); ok {
		s.Conditions = append(s.Conditions, c)
	}
	for _, a := range j.Advisories.Advisories {
		if c, ok := advisoryCondition(a, soaked, cases); ok {
			s.Conditions = append(s.Conditions, c)
		}
	}
	for i := range s.Conditions {
		s.Conditions[i].Required = slices.Contains(j.Require, s.Conditions[i].Name)
	}
	s.Conditions = append(s.Conditions, j.nowhere(s.Conditions)...)
	return s
}

// nowhere are the required conditions that none of the components can have.
func (j *judge) nowhere(have []Condition) []Condition {
	var missing []Condition
	for _, name := range j.Require {
		if !slices.ContainsFunc(have, func(c Condition) bool { return c.Name == name }) {
			no := false
			missing = append(missing, Condition{Name: name, Text: "no target is of a component that can have it", Exercised: &no, Required: true})
		}
	}
	return missing
}

// soakTarget returns the counts of the process at rest.
func (p *process) soakTarget() SoakTarget {
	l := p.newest()
	totals := make([]float64, len(l.samples))
	for i := range l.samples {
		totals[i] = float64(l.samples[i].Goroutines.Total)
	}
	parts := l.rests()
	if len(parts) == 0 {
		parts = equalParts(len(l.samples))
	}
	t := SoakTarget{Target: p.target.Name, AtRest: []int{}, Requests: roundRequests(l, parts, p.component)}
	for _, part := range parts {
		t.AtRest = append(t.AtRest, int(least(totals, part)))
	}
	return t
}

// equalParts divides n samples into as many parts as a soak has rests at least.
func equalParts(n int) [][]int {
	var parts [][]int
	for k := range min(MinRounds+1, n) {
		var part []int
		for i := k * n / (MinRounds + 1); i < (k+1)*n/(MinRounds+1); i++ {
			part = append(part, i)
		}
		if len(part) > 0 {
			parts = append(parts, part)
		}
	}
	return parts
}

// least is the smallest of the counts with the given numbers.
func least(counts []float64, of []int) float64 {
	v := counts[of[0]]
	for _, i := range of {
		v = min(v, counts[i])
	}
	return v
}

// requestsCondition tells whether each process had enough to do in each round.
func requestsCondition(processes []*process, targets []SoakTarget) Condition {
	c := Condition{Name: ConditionRequests, Affected: true,
		Text: fmt.Sprintf("at least %d requests completed by each target in each round (a compactor: an iteration, a ruler: an evaluation)", minRequests)}
	fewest, where, met := -1, "", true
	for i, t := range targets {
		if t.Requests == nil {
			c.Observed = "the /metrics of " + t.Target + " do not tell"
			return c
		}
		enough, _ := enoughWork(processes[i].component)
		for _, n := range t.Requests {
			met = met && n >= enough
			if fewest < 0 || n < fewest {
				fewest, where = n, t.Target
			}
		}
	}
	switch {
	case fewest < 0:
		c.Observed = "no round was looked at"
		return c
	case met:
		c.Observed = fmt.Sprintf("%d and more", fewest)
	default:
		c.Observed = fmt.Sprintf("%s in a round of %s", Count(fewest, "request"), where)
	}
	c.Exercised = &met
	return c
}

// witnessCounters count what happened during a soak, by the counters of a page. Where
// partial responses are allowed, as they are by default, a query that timed out
// is answered with 200: then only the streams that it had from stores tell. They
// count as DeadlineExceeded after --query.timeout, and as Canceled after
// --store.response-timeout (seen in v0.35.1, v0.36.1 and v0.42.4). A client that
// goes away ends none of them (seen in v0.35.1 and v0.42.4).
var witnessCounters = map[string]func(profile.Metrics) float64{
	ConditionCancelled: func(m profile.Metrics) float64 {
		return withCodes(m, "http_requests_total", "handler", "code") + withCodes(m, "grpc_server_handled_total", "grpc_method", "grpc_code") +
			m.Sum("grpc_client_handled_total", "grpc_method", "Series", "grpc_code", "DeadlineExceeded")
	},
	ConditionSilentStore: func(m profile.Metrics) float64 {
		return m.Sum("grpc_client_handled_total", "grpc_method", "Series", "grpc_code", "Canceled")
	},
}

// witnessed returns how often it happened in the process while it was looked at; told is
// false if /metrics do not tell. Of a process that was not seen after the last load
// of a soak they do not tell that it did not happen.
func (p *process) witnessed(name string) (n float64, told bool) {
	l := p.newest()
	first, last := l.samples[0].Metrics, l.last().Metrics
	if first == nil || last == nil {
		return 0, false
	}
	n = witnessCounters[name](last) - witnessCounters[name](first)
	return n, n > 0 || p.lastRest == 0 || l.last().Rest == p.lastRest && len(l.rests()) > 1
}

// withCodes sums a family of completed requests up that were given up.
func withCodes(m profile.Metrics, family, name, code string) float64 {
	sum := 0.0
	for _, v := range m[family] {
		if !idle(v.Labels[name]) && slices.Contains(givenUp, v.Labels[code]) {
			sum += v.Value
		}
	}
	return sum
}

// happened completes the condition of a witness, which has its name, over the
// processes of a component; empty for all. ok is false where there is none.
func happened(c Condition, component string, processes []*process) (_ Condition, ok bool) {
	c.Affected, c.Observed = true, "/metrics do not tell"
	sum, told := 0.0, true
	var where []string
	for _, p := range processes {
		if component != "" && p.component != component {
			continue
		}
		ok = true
		n, tells := p.witnessed(c.Name)
		if told = told && tells; n > 0 {
			where = append(where, p.target.Name)
		}
		sum += n
	}
	met := sum > 0
	if !told && !met {
		return c, ok
	}
	c.Exercised, c.Observed = &met, "none"
	if met {
		c.Observed = fmt.Sprintf("%.0f by /metrics", sum)
	}
	if met && len(processes) > 1 {
		c.Observed += " of " + Few(where)
	}
	return c, ok
}

// advisoryCondition tells whether the soak had what the leak needs, all of it in
// one process; ok is false if none is of its components.
func advisoryCondition(a *advisory.Advisory, processes []*process, cases []*caseOf) (c Condition, ok bool) {
	if a.Class == advisory.PileUp || a.Class == advisory.Generic {
		return c, false
	}
	c = Condition{Name: a.ID, Text: a.Title}
	if slices.ContainsFunc(cases, func(k *caseOf) bool { return k.key == a.ID && k.occurrence.Level.AtLeast(Suspect) }) {
		met := true
		c.Exercised, c.Observed, c.Affected = &met, "it was found", true
		return c, true
	}
	var unmet []string
	var unknown []PreconditionState
	for _, p := range processes {
		if p.component == "" || !advisory.AppliesTo(a.Components, p.component) {
			continue
		}
		ok = true
		if has := p.has(a); has != "" && !c.Affected {
			c.Affected, c.Text = true, a.Title+" ("+has+")"
		}
		no, open := p.lacks(a)
		unmet, unknown = append(unmet, no...), append(unknown, open...)
		if len(no)+len(open) == 0 {
			met := true
			c.Exercised, c.Observed = &met, "all that it needs was there"
			return c, true
		}
	}
	switch {
	case len(unmet) > 0:
		met := false
		c.Exercised, c.Observed = &met, unmet[0]
	case len(unknown) > 0:
		c.Observed, c.Look = "nothing shows whether "+unknown[0].Text, unknown[0].Look
	}
	return c, ok
}

// has says whether the release of the process has the leak; empty if it has not.
// A build that is no release of the project is taken for one of its number: that
// old leaks may have come back in it is nothing to go through for each soak.
func (p *process) has(a *advisory.Advisory) string {
	affected := p.affected(a)
	if affected == AffectedUnknown && len(p.releases) == 1 {
		r := p.releases[0]
		if r.Suffix = ""; !a.Affects(r) {
			affected = AffectedNo
		}
	}
	switch affected {
	case AffectedYes:
		return p.releaseNames() + " has it"
	case AffectedUnknown:
		return "this release may have it"
	}
	return ""
}

// Witnessed reports whether a process can tell in a soak that it had all that the
// leak needs.
func Witnessed(a *advisory.Advisory) bool {
	events := 0
	for _, c := range a.Preconditions {
		switch {
		case c.Optional:
		case c.Witness != "":
			events++
		case c.Look != "":
			return false
		}
	}
	return a.Class != advisory.PileUp && a.Class != advisory.Generic && (events > 0 || a.Verify == "")
}

// lacks returns what the leak needs and the process or the load does not have,
// and what nothing tells of.
func (p *process) lacks(a *advisory.Advisory) (unmet []string, unknown []PreconditionState) {
	events := false
	for _, c := range a.Preconditions {
		if c.Optional || !advisory.AppliesTo(c.Components, p.component) {
			continue
		}
		s := p.precondition(c)
		events = events || c.Event
		told := false
		if c.Witness != "" {
			_, told = p.witnessed(c.Witness)
		}
		switch {
		case s.Met == nil && told:
			unmet = append(unmet, "did not happen: "+s.Text)
		case s.Met == nil:
			unknown = append(unknown, s)
		case !*s.Met:
			unmet = append(unmet, s.Observed+", but needed is: "+s.Text)
		}
	}
	if !events && a.Verify != "" && len(unmet) == 0 {
		unknown = append(unknown, PreconditionState{Text: "the load did what it needs: " + strings.TrimSpace(a.Verify)})
	}
	return unmet, unknown
}
