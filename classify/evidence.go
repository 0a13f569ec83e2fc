package classify

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// Strength is how much a piece of evidence weighs.
type Strength string

// The strengths, strongest first.
const (
	Proof    Strength = "proof"
	Strong   Strength = "strong"
	Medium   Strength = "medium"
	Weak     Strength = "weak"
	Contrary Strength = "contrary" // speaks against a leak
	Link     Strength = "link"     // ties other evidence together
)

var strengths = []Strength{Proof, Strong, Medium, Weak, Contrary, Link}

// Kinds of evidence.
const (
	KindKnownSignature = "known-signature"   // the stack is that of an advisory
	KindBlockedForever = "blocked-forever"   // no event can end the wait
	KindProven         = "gc-proven"         // the garbage collector's own proof
	KindOutlived       = "outlived-deadline" // the same goroutines for longer than a request may take
	KindStuck          = "requests-stuck"    // requests that began and did not end in time
	KindGrowing        = "growing"           // more and more of them
	KindRestarts       = "restarts"          // growth with uptime, in one run after the other
	KindRetained       = "retained"          // the work is over and they stayed
	KindSaturated      = "saturated"         // all slots are taken and nothing gets through
	KindTurnover       = "turnover"          // they come and go
	KindLoad           = "load"              // they follow the requests
	KindChain          = "chain"             // who waits for whom, by goroutine ids
	KindPrecondition   = "precondition"      // what the leak needs, on this process
)

// Evidence is one reason to believe or to doubt a finding.
type Evidence struct {
	Kind     string   `json:"kind"`
	Strength Strength `json:"strength"`
	// Text says it with the numbers, for people.
	Text string `json:"text"`
}

// sortEvidence brings evidence into the documented order; pieces of the same
// strength stay in the order in which they were found.
func sortEvidence(ev []Evidence) {
	slices.SortStableFunc(ev, func(a, b Evidence) int {
		return slices.Index(strengths, a.Strength) - slices.Index(strengths, b.Strength)
	})
}

// growingEvidence says how a count grew, or that it was looked at and did not.
func growingEvidence(g Growth, span time.Duration, samples int) []Evidence {
	if g.Verdict != Growing || g.P == nil {
		return nil
	}
	text := fmt.Sprintf("%d → %d in %s over %d samples", g.First, g.Last, Span(span), samples)
	if g.PerHour != nil {
		text += fmt.Sprintf(", %s an hour", Rate(*g.PerHour))
	}
	text += fmt.Sprintf(" (Mann–Kendall p = %s)", probability(*g.P))
	strength := Strong
	if *g.P > 0.001 {
		strength = Medium
	}
	return []Evidence{{Kind: KindGrowing, Strength: strength, Text: text}}
}

// blockedEvidence says that goroutines wait for what cannot happen.
func blockedEvidence(n int, state profile.State) Evidence {
	return Evidence{Kind: KindBlockedForever, Strength: Proof,
		Text: fmt.Sprintf("%s in %q: no event can end that", Count(n, "goroutine"), string(state))}
}

// preconditionEvidence says which preconditions were found met or not.
func preconditionEvidence(states []PreconditionState) []Evidence {
	var ev []Evidence
	for _, s := range states {
		switch {
		case s.Met == nil:
		case *s.Met:
			ev = append(ev, Evidence{Kind: KindPrecondition, Strength: Link, Text: s.Observed + ": " + s.Text})
		case !s.Optional:
			ev = append(ev, Evidence{Kind: KindPrecondition, Strength: Contrary,
				Text: s.Observed + ", but needed is: " + s.Text})
		}
	}
	return ev
}

// Count returns "1 goroutine" or "2 goroutines", for any noun.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Span returns a duration for people, to the second: "1m40s", "3h20m", "2d4h".
func Span(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return d.String()
}

// Rate returns a number of goroutines an hour for people: "+5184", "+3.2".
func Rate(perHour float64) string {
	if math.Abs(perHour) >= 10 {
		return fmt.Sprintf("%+.0f", perHour)
	}
	return fmt.Sprintf("%+.1f", perHour)
}

// probability returns a p-value for people.
func probability(p float64) string {
	if p < 0.0001 {
		return "0.0001 or less"
	}
	return fmt.Sprintf("%.4f", p)
}
