// Package advisory knows the goroutine leaks of Thanos: in which releases they
// are, how their goroutines look, what must hold for them to fire and what to
// do about them.
//
// An advisory is one YAML file, decoded strictly: a field that the package
// does not know is an error, so that a typing mistake never silences a leak.
// The files beside this package are embedded ([Default]); [Load] reads a
// user's own.
//
// A pattern is a list of functions, leaf first. In a name, "*" stands for
// anything. Functions are adjacent unless "..." stands between them; the first
// one is the leaf unless "..." precedes it. What is called by the last one is
// left open. "=" stands for the function above once more, "~" for another
// method of its type. Functions of the runtime are no part of a pattern, as
// they are no part of a signature.
package advisory

import (
	"slices"
	"strings"
	"time"
)

// An Advisory is a known leak.
type Advisory struct {
	// ID is "TL-YEAR-NUMBER"; a user's own may have another prefix.
	ID string `yaml:"id"`
	// Title says in one line what leaks where.
	Title string `yaml:"title"`
	// Why is the cause in at most three lines, as the report prints it, with
	// ${flag} and ${flag:default} replaced by the process's own flags.
	Why string `yaml:"why"`
	// Summary is the whole story, for people who want to understand it.
	Summary string `yaml:"summary"`
	// Symptoms are what operators see before they know the cause.
	Symptoms []string `yaml:"symptoms"`
	// Components are the values of [profile.Target.Component] that can have
	// the leak, the one that mostly has it first.
	Components []string `yaml:"components"`
	Class      Class    `yaml:"class"`
	Severity   Severity `yaml:"severity"`
	// Affected are the releases that have the leak, oldest first.
	Affected []Range `yaml:"affected"`
	// SettlesWithin is how long a pile-up with a bound grows at most before
	// it is flat, with the default flags and a margin ("10m"): what grows for
	// longer is something else. 0 for one without a bound that is known, and
	// for all that is no pile-up.
	SettlesWithin time.Duration `yaml:"settles_within"`
	// Lasts is how long the culprits may stand there in health, where that is
	// longer than any request ("1h"): a sync of a large bucket. 0 for as long
	// as a request.
	Lasts time.Duration `yaml:"lasts"`
	// KnownFrom tells how well the leak is known.
	KnownFrom Source `yaml:"known_from"`
	// Culprits are the goroutines that have the defect, Victims those that
	// wait behind them. An advisory without culprits cannot be seen in a
	// profile.
	Culprits []Pattern `yaml:"culprits"`
	Victims  []Pattern `yaml:"victims"`
	// Preconditions must all be met for the leak to fire, but for those
	// marked optional, which make it likelier.
	Preconditions []Precondition `yaml:"preconditions"`
	// Mitigate are ways to stop the leak without another release, best
	// first.
	Mitigate []Mitigation `yaml:"mitigate"`
	// Restart says what a restart does; goroutines blocked for ever only go
	// with their process.
	Restart string `yaml:"restart"`
	// Avoid are steps that seem to help and do not.
	Avoid []Avoid `yaml:"avoid"`
	// Verify says how to see that the leak is gone.
	Verify string `yaml:"verify"`
	// References are URLs of issues and changes, the fix first.
	References []string `yaml:"references"`
}

// Class is the kind of a problem.
type Class string

// The classes.
const (
	Leak     Class = "leak"     // goroutines that never end
	Deadlock Class = "deadlock" // goroutines that wait for each other
	PileUp   Class = "pile-up"  // goroutines that end, but later than they come
	Stuck    Class = "stuck"    // something that never recovers, without goroutines that tell
	Crash    Class = "crash"    // the process ends
	Generic  Class = "pattern"  // a way of leaking that any program may have
)

// classes are all of them, for messages and checks.
var classes = []Class{Leak, Deadlock, PileUp, Stuck, Crash, Generic}

// Severity is how much an affected process suffers.
type Severity string

// The severities.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
	Info     Severity = "info"
)

// severities are ordered, worst last.
var severities = []Severity{Info, Low, Medium, High, Critical}

// AtLeast reports whether s is as bad as t or worse.
func (s Severity) AtLeast(t Severity) bool {
	return slices.Index(severities, s) >= slices.Index(severities, t)
}

// Source tells how an advisory came to be known.
type Source string

// The sources, best first.
const (
	Captured   Source = "captured"   // seen in profiles of a real process
	Reproduced Source = "reproduced" // made to happen in a test
	ReadOnly   Source = "source"     // read in the code only
)

// Health tells how a pattern occurs in a process that is well.
type Health string

// The ways.
const (
	Never   Health = "never"   // it cannot stand there
	Briefly Health = "briefly" // for as long as a request, at most AtMost
	Always  Health = "always"  // it belongs there; only growth tells
)

// A Pattern describes stacks; see the package's documentation.
type Pattern struct {
	// Name says in a few words what the goroutines do.
	Name   string   `yaml:"name"`
	Frames []string `yaml:"frames"`
	// State is what they wait for; empty for any. An unknown state matches.
	State string `yaml:"state"`
	// CreatedBy is the function that starts them, "*" standing for anything;
	// empty for any. An unknown creator matches.
	CreatedBy string `yaml:"created_by"`
	// InHealth is how the pattern occurs in a healthy process; empty for
	// victims.
	InHealth Health `yaml:"in_health"`
	// AtMost is the number that may stand there in health; 0 if no bound is
	// known.
	AtMost int `yaml:"at_most"`
	// Each makes AtMost count for each goroutine that has one of these lists
	// of frames and for which the culprits work: 64 workers for each listing
	// under way. Where there is none, no culprit may stand there.
	Each [][]string `yaml:"each"`
	// Releases are those in which the names hold; nil for all.
	Releases *Range `yaml:"releases"`
}

// A Precondition is something that must hold for the leak to fire.
type Precondition struct {
	// Text says what must hold.
	Text string `yaml:"text"`
	// Flag is a command-line flag of the process without dashes. It is met
	// if its value is one of Is or, as a duration, longer than Above.
	Flag  string   `yaml:"flag"`
	Is    []string `yaml:"is"`
	Above string   `yaml:"above"`
	// Default is the value that the flag has unless somebody sets it: what
	// a process is exposed to that does not tell its flags.
	Default string `yaml:"default"`
	// Topology is [ChainedQueriers] (the querier has queriers as endpoints)
	// or [DeadEndpoint] (an endpoint refuses connections).
	Topology string `yaml:"topology"`
	// Look says where a person finds out, for what no process tells: a key
	// in the file of --objstore.config-file.
	Look string `yaml:"look"`
	// Event says that it is something that happens and not how the process is
	// set up: a process is exposed although it has not happened yet.
	Event bool `yaml:"event"`
	// Witness is what shows in a soak whether the event happened: one of
	// [Witnesses]; empty if nothing does.
	Witness string `yaml:"witness"`
	// Optional says that the leak fires without it too, but less.
	Optional bool `yaml:"optional"`
	// Components are those that the precondition holds for; nil for all.
	Components []string `yaml:"components"`
}

// A Mitigation stops a leak without another release.
type Mitigation struct {
	Text string `yaml:"text"`
	// Command is what is to be typed or set; may be empty.
	Command string `yaml:"command"`
	// Cost is what one loses by it.
	Cost string `yaml:"cost"`
	// Releases are those in which it works; nil for all affected.
	Releases   *Range   `yaml:"releases"`
	Components []string `yaml:"components"`
}

// Avoid is a step that seems to help and does not.
type Avoid struct {
	Text       string   `yaml:"text"`
	Releases   *Range   `yaml:"releases"`
	Components []string `yaml:"components"`
}

// AppliesTo reports whether something for the given components holds for one
// of them; nil holds for all, and an unknown component is not ruled out.
func AppliesTo(components []string, component string) bool {
	return component == "" || len(components) == 0 || slices.Contains(components, component)
}

// Match reports whether the functions of a stack, leaf first, have the
// pattern's frames.
func (p *Pattern) Match(functions []string) bool { return matchFrames(p.Frames, functions, "") }

// WorksFor reports whether a goroutine with all the functions of its stack, leaf
// first, is one that culprits of the pattern work for (Each).
func (p *Pattern) WorksFor(functions []string) bool { return matchAny(p.Each, functions) }

// matchAny reports whether a stack has one of several lists of frames.
func matchAny(lists [][]string, functions []string) bool {
	return slices.ContainsFunc(lists, func(frames []string) bool { return matchFrames(frames, functions, "") })
}

// Frames of a pattern that stand for others.
const (
	gap     = "..." // any number of functions
	again   = "="   // the function above once more
	sibling = "~"   // a method of the type whose method stands above
)

// matchFrames reports whether a stack has the frames; above is the function
// before it, empty at the leaf.
func matchFrames(frames, functions []string, above string) bool {
	if len(frames) == 0 {
		return true
	}
	if frames[0] != gap {
		return len(functions) > 0 && matchFrame(frames[0], functions[0], above) && matchFrames(frames[1:], functions[1:], functions[0])
	}
	// The first place where the frames up to the next gap stand is the best: it
	// leaves the most functions for the others.
	next := frames[1:]
	if end := slices.Index(next, gap); end >= 0 {
		next = next[:end]
	}
	for i := range len(functions) - len(next) + 1 {
		if matchFrames(next, functions[i:], above) {
			return matchFrames(frames[1+len(next):], functions[i+len(next):], "")
		}
	}
	return false
}

// matchFrame reports whether a function fits one frame that is no gap.
func matchFrame(frame, function, above string) bool {
	switch frame {
	case again:
		return function == above
	case sibling:
		of := receiver(function)
		return of != "" && of == receiver(above)
	}
	return MatchName(frame, function)
}

// receiver returns the type of a method, "pkg.(*T)"; empty for a function.
func receiver(function string) string {
	end := strings.LastIndex(function, ").")
	if end < 0 {
		return ""
	}
	return function[:end+1]
}

// MatchName reports whether the name of a function has the pattern's form, in
// which "*" stands for anything.
func MatchName(pattern, name string) bool {
	head, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == name
	}
	if !strings.HasPrefix(name, head) {
		return false
	}
	name = name[len(head):]
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(name, part)
		}
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name, rest = name[i+len(part):], after
	}
}
