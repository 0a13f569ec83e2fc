package classify

import "time"

// A Result is what Judge found. Its JSON form, with an envelope around it, is
// the contract thanosleak/v1 in docs/result.schema.json.
type Result struct {
	Verdict Verdict `json:"verdict"`
	// Reach is that of [Options].
	Reach string `json:"-"`
	// Targets are in the order in which they were given.
	Targets []TargetResult `json:"targets"`
	// Findings are sorted by level, then by culprits, most first, then by
	// key.
	Findings []Finding `json:"findings"`
	// Warnings are in full sentences, in the order of the targets.
	Warnings []string `json:"warnings"`
	// Comparison tells what differs from an older capture; nil, and then no key
	// in the JSON form, if none was given.
	Comparison *Comparison `json:"comparison,omitempty"`
	// Soak is what a soak exercised; nil if the samples are of none.
	Soak *Soak `json:"soak,omitempty"`

	// Ignored are the keys of findings that were left out because somebody has
	// accepted them, sorted.
	Ignored []string `json:"-"`
	// IgnoredOn are the targets that those were on, by key.
	IgnoredOn map[string][]string `json:"-"`
}

// Verdict sums a result up.
type Verdict string

// The verdicts, worst first; the first that holds is given.
const (
	VerdictLeak       Verdict = "leak"       // a finding at likely or above
	VerdictSuspect    Verdict = "suspect"    // a finding at suspect
	VerdictIncomplete Verdict = "incomplete" // a target gave no sample
	VerdictUndecided  Verdict = "undecided"  // too little evidence to rule growth out
	VerdictClean      Verdict = "clean"
)

// Judged tells how far a target could be judged.
type Judged string

// The values.
const (
	JudgedYes       Judged = "yes"
	JudgedUndecided Judged = "undecided" // too few samples to rule growth out
	JudgedNo        Judged = "no"        // no sample
)

// A TargetResult is what is known of a target and how far it was judged.
type TargetResult struct {
	Name   string            `json:"name"`
	URL    string            `json:"url"`
	Labels map[string]string `json:"labels"`
	// Component is the Thanos component, empty if unknown.
	Component string `json:"component"`
	// ThanosVersion is without "v"; empty if unknown.
	ThanosVersion string `json:"thanos_version"`
	// VersionSource is "buildinfo", "metrics", "flag", "dump" or "unknown":
	// who told ThanosVersion, or VersionCandidates ("dump").
	VersionSource string `json:"version_source"`
	// VersionCandidates are the releases that the dump may be from, where
	// the version is unknown; oldest first.
	VersionCandidates []string `json:"version_candidates"`
	GoVersion         string   `json:"go_version"`
	// Restarts is the number of times that a new process was met.
	Restarts    int        `json:"restarts"`
	Samples     int        `json:"samples"`
	FirstSample *time.Time `json:"first_sample"`
	LastSample  *time.Time `json:"last_sample"`
	Goroutines  Goroutines `json:"goroutines"`
	// ResidentBytes and StackBytes are of the last sample; nil if unknown.
	ResidentBytes *int64 `json:"resident_bytes"`
	StackBytes    *int64 `json:"stack_bytes"`
	// ChainedQueriers are the addresses of queriers that this querier
	// queries, sorted; nil if unknown.
	ChainedQueriers []string `json:"chained_queriers"`
	// Flags are the flags that decisions read; nil if unknown.
	Flags map[string]string `json:"flags"`
	// Exposed are the IDs of the advisories that this release has and whose
	// preconditions are met, but that were not seen; sorted.
	Exposed []string `json:"exposed"`
	Judged  Judged   `json:"judged"`
	// Error says why there is no sample or not every sample; empty if all
	// went well.
	Error string `json:"error"`

	// Unreached says that this run got no sample: those that there are, are of
	// earlier runs.
	Unreached bool `json:"-"`
	// Kept says that this run did not look at the target: an earlier one left
	// its samples.
	Kept bool `json:"-"`
	// FailedSamples is the number of samples of this run that could not be
	// had.
	FailedSamples int `json:"-"`
	// Undecided says why a target is undecided and what would decide it, in
	// a phrase; empty if it is judged.
	Undecided string `json:"-"`
	// FirstResidentBytes is ResidentBytes of the first sample.
	FirstResidentBytes *int64 `json:"-"`
	// Totals are the goroutines of each sample, for charts.
	Totals []Total `json:"-"`
	// Past is what the target's monitoring tells of the time before; nil if it
	// was not asked or knows nothing.
	Past *PastResult `json:"-"`
	// Top are the most numerous stacks of the last sample, most first.
	Top []Stack `json:"-"`
}

// Goroutines are counts of one target over its samples; 0 without samples.
type Goroutines struct {
	First int `json:"first"`
	Last  int `json:"last"`
	Max   int `json:"max"`
}

// A Total is the number of goroutines of one sample.
type Total struct {
	Time time.Time
	// Life is the number of the process life, from 0.
	Life       int
	Goroutines int
}

// A Finding is one root cause over all targets.
type Finding struct {
	// Key is the advisory's ID, else the portable ID of the culprit's
	// signature; no target, time or release is in it.
	Key      string `json:"key"`
	Level    Level  `json:"level"`
	Advisory string `json:"advisory"` // empty if no advisory knows it
	Title    string `json:"title"`
	Class    string `json:"class"`
	// Status compares with earlier runs: StatusNew, StatusOngoing, StatusGone
	// or StatusUnknown.
	Status string `json:"status"`
	// FirstSeen is when a run first reported the finding; nil if nothing is
	// remembered.
	FirstSeen *time.Time `json:"first_seen"`
	// Culprits and Victims are goroutines of the last samples, summed over
	// the occurrences.
	Culprits int `json:"culprits"`
	Victims  int `json:"victims"`
	// Stacks are culprits first, then victims, most goroutines first.
	Stacks []Stack `json:"stacks"`
	// Occurrences are in the order of the targets.
	Occurrences []Occurrence `json:"occurrences"`
	// Remedies are one for each set of targets with the same version and
	// component, in the order of the targets.
	Remedies []Remedy `json:"remedies"`
	// RetainedBytes is an estimate of the memory of the finding's stacks,
	// culprits' and victims', by how the stacks in use rose with the
	// culprits; nil if the metrics do not tell.
	RetainedBytes *int64   `json:"retained_bytes"`
	References    []string `json:"references"`

	// Symptoms are what people notice of the leak; nil if no advisory knows it.
	Symptoms []string `json:"-"`
	// Why is the cause for people, filled in for these processes. Where no
	// advisory knows the stack, it is what the stack looks like; empty if it
	// looks like nothing known.
	Why string `json:"-"`
}

// Roles of a stack in a finding.
const (
	RoleCulprit = "culprit"
	RoleVictim  = "victim"
)

// A Stack is a group of goroutines in a finding.
type Stack struct {
	Role        string  `json:"role"`
	SignatureID string  `json:"signature_id"`
	PortableID  string  `json:"portable_id"`
	Frames      []Frame `json:"frames"` // leaf first
	State       string  `json:"state"`  // empty if unknown
	CreatedBy   string  `json:"created_by"`
	// Count is goroutines in the last samples, over all targets.
	Count int `json:"count"`
	// First is goroutines in the first samples of the processes that Count is
	// of.
	First int `json:"-"`
}

// A Frame is one call of a stack.
type Frame struct {
	Func string `json:"func"`
	File string `json:"file"`
	Line int    `json:"line"` // 1-based, 0 if unknown
}

// An Occurrence is a finding on one target.
type Occurrence struct {
	Target   string `json:"target"`
	Level    Level  `json:"level"`
	Culprits int    `json:"culprits"`
	Victims  int    `json:"victims"`
	// MaxWaitSeconds is the longest wait of a culprit, a lower bound; nil if
	// no dump shows one.
	MaxWaitSeconds *int64 `json:"max_wait_seconds"`
	Growth         Growth `json:"growth"`
	// Evidence is strongest first.
	Evidence      []Evidence          `json:"evidence"`
	Preconditions []PreconditionState `json:"preconditions"`
	// Points are the samples, oldest first.
	Points []Point `json:"points"`

	// Chain is who waits for the culprits by goroutine ids, on the way that most
	// of them have: the culprits first, then those behind, step by step; nil if
	// ids do not tell.
	Chain []Waiter `json:"-"`
	// Since says for how long the culprits have stood there and how fast
	// they came, as far as one dump tells; empty if it does not.
	Since string `json:"-"`
	// Cost says what memory they hold and what is left, empty where the
	// metrics do not support it.
	Cost string `json:"-"`
	// StackBytes is an estimate of the memory of the stacks of culprits and victims; 0 if
	// unknown.
	StackBytes int64 `json:"-"`
}

// A Waiter is one step of a chain.
type Waiter struct {
	// Func is the leaf-most function that is not of the standard library, as
	// ShortFunc writes it.
	Func  string
	State string // empty if unknown
}

// A PreconditionState is a precondition of the advisory as found on a process.
type PreconditionState struct {
	Text string `json:"text"`
	// Met is nil if the process does not tell.
	Met      *bool  `json:"met"`
	Observed string `json:"observed"`

	// Optional says that the leak fires without it too, but less.
	Optional bool `json:"-"`
	// Event says that it is something that happens, not how the process is
	// set up.
	Event bool `json:"-"`
	// ByDefault says that it is not known, but holds unless somebody has set a
	// flag.
	ByDefault bool `json:"-"`
	// Look says where a person finds out what the process does not tell;
	// empty if that is known.
	Look string `json:"-"`
}

// A Point is the goroutines of an occurrence in one sample.
type Point struct {
	Time     time.Time `json:"time"`
	Culprits int       `json:"culprits"`
	Victims  int       `json:"victims"`
}

// A Remedy is what to do about a finding on targets of one version.
type Remedy struct {
	Targets []string `json:"targets"`
	Version string   `json:"version"` // empty if unknown
	// Candidates are the releases that the dumps may be from, where Version
	// is unknown; oldest first.
	Candidates []string `json:"-"`
	// Affected is nil if the version is unknown or no advisory applies.
	Affected *bool `json:"affected"`
	// GoTo is the release to go to, empty if there is none or no advisory
	// applies; Newest the newest release known.
	GoTo   string `json:"go_to"`
	Newest string `json:"newest"`
	// Steps are in the order in which they are to be done.
	Steps []Step   `json:"steps"`
	Avoid []string `json:"avoid"`
}

// Kinds of steps.
const (
	StepSave     = "save"
	StepMitigate = "mitigate"
	StepRestart  = "restart"
	StepUpgrade  = "upgrade"
	StepVerify   = "verify"
)

// A Step is one thing to do.
type Step struct {
	Kind    string `json:"kind"`
	Text    string `json:"text"`
	Command string `json:"command"` // to be typed or set; empty if none
	Cost    string `json:"cost"`    // what one loses; empty if nothing
}
