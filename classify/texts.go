package classify

import "fmt"

// provenEvidence says what the garbage collector proved.
func provenEvidence(p proof) []Evidence {
	if !p.holds() {
		return nil
	}
	return []Evidence{{Kind: KindProven, Strength: Proof, Text: fmt.Sprintf(
		"the runtime's goroutineleak profile lists %s: nothing that lives can wake them", Count(p.goroutines, "goroutine"))}}
}

// outlivedEvidence says how many goroutines are older than their requests may
// be.
func outlivedEvidence(o overstay, d deadline) []Evidence {
	if o.goroutines == 0 {
		return nil
	}
	strength, limit := Strong, fmt.Sprintf("no longer than %s (%s)", Span(d.after), d.text)
	if d.assumed {
		strength, limit = Medium, fmt.Sprintf("as is assumed no longer than %s (%s)", Span(d.after), d.text)
	}
	return []Evidence{{Kind: KindOutlived, Strength: strength, Text: fmt.Sprintf(
		"%s of requests, by id the same ones, have stood there for up to %s; a request lasts %s",
		Count(o.goroutines, "goroutine"), Span(o.atLeast), limit)}}
}

// stuckEvidence says how many requests are overdue.
func stuckEvidence(s stuckRequests) []Evidence {
	if s.count == 0 {
		return nil
	}
	strength, assumed := Strong, ""
	if s.deadline.assumed {
		strength, assumed = Medium, " as is assumed"
	}
	return []Evidence{{Kind: KindStuck, Strength: strength, Text: fmt.Sprintf(
		"by /metrics, %s that had begun %s before the last sample have not ended; a request lasts%s no longer than %s (%s)",
		Count(s.count, "request"), Span(s.over), assumed, Span(s.deadline.after), s.deadline.text)}}
}

// retainedEvidence says what stayed when the work was over.
func retainedEvidence(r retention) []Evidence {
	if !r.found {
		return nil
	}
	why, strength := "the requests have all but ended", Strong
	switch {
	case r.resting:
		why, strength = "their number has never fallen (no metrics tell whether there was load)", Medium
	case !r.byLoad:
		why, strength = "all other goroutines of requests have gone", Medium
	}
	return []Evidence{{Kind: KindRetained, Strength: strength, Text: fmt.Sprintf(
		"%s stayed, for %s: %s", Count(r.count, "goroutine"), Span(r.over), why)}}
}

// jamEvidence says that a gate lets nobody through.
func jamEvidence(j jam) []Evidence {
	if j.slots == 0 {
		return nil
	}
	strength, assumed := Strong, ""
	if !j.strong() {
		strength, assumed = Medium, ", assumed"
	}
	return []Evidence{{Kind: KindSaturated, Strength: strength, Text: fmt.Sprintf(
		"all %d slots for queries have been taken for %s, over %s, and no query succeeded: longer than one may last (%s%s)",
		j.slots, Span(j.over), Count(j.samples, "sample"), Span(j.deadline.after), assumed)}}
}

// climbEvidence says how a count rises over a day, or over uptime.
func climbEvidence(c climb) []Evidence {
	switch {
	case !c.found:
		return nil
	case c.lives > 1:
		return []Evidence{{Kind: KindRestarts, Strength: Strong, Text: fmt.Sprintf(
			"in %d runs of the process they rise with its uptime, by %.0f within %s, to the end of each; the next run begins anew",
			c.lives, c.rise, Span(c.over))}}
	}
	explain := "neither the hours of the day nor the requests explain it"
	if !c.loadKnown {
		explain = "the hours of the day do not explain it, and no metrics tell the requests"
	}
	return []Evidence{{Kind: KindGrowing, Strength: Strong, Text: fmt.Sprintf(
		"they rise in every quarter of %s, by %.0f, and the least at the end is above the most at the beginning: %s",
		Span(c.over), c.rise, explain)}}
}

// turnoverEvidence says that the goroutines of a stack are not the same ones.
func turnoverEvidence(t turnover) []Evidence {
	if !t.comesAndGoes() {
		return nil
	}
	return []Evidence{{Kind: KindTurnover, Strength: Contrary, Text: fmt.Sprintf(
		"they come and go: of %d that came after the first sample %d are still there", t.born, t.stayed)}}
}

// loadEvidence says what the load has to do with growth.
func loadEvidence(b blame) []Evidence {
	switch b {
	case blameExplain:
		return []Evidence{{Kind: KindLoad, Strength: Contrary, Text: "their number follows the requests completed a second, up and down"}}
	case blameTie:
		return []Evidence{{Kind: KindLoad, Strength: Contrary, Text: "the requests completed a second rose as well: load and leak cannot be told apart until the load falls"}}
	}
	return nil
}
