package profile

import "time"

// A Target is a process that was looked at, or that should have been, with
// what is known of it.
type Target struct {
	// Name is how people tell targets apart: host:port, a folder, a file.
	Name string
	// URL is the base URL that was scraped, without credentials; empty for
	// files.
	URL string
	// Labels are those of the target's discovery; nil if there are none.
	Labels map[string]string
	Facts  Facts
	// Samples are the samples taken, oldest first.
	Samples []Sample
	// Past is what the user's monitoring remembers of the target; nil if it
	// was not asked or knows nothing.
	Past *Past
	// Unreached says that this run got no sample: those in Samples are of
	// earlier runs.
	Unreached bool
	// Mixed says that several processes answered under the target's name, as
	// those behind a Service do: no sample of it can be used.
	Mixed bool
	// Kept says that this run did not look at the target: an earlier one left
	// its samples.
	Kept bool
	// FailedSamples is the number of samples of this run that could not be
	// had.
	FailedSamples int
	// Err says why no sample or not every sample could be had; empty if all
	// went well.
	Err string
	// Warnings are what was met while the target was read, in that order.
	Warnings []string
}

// A Sample is what was taken of a process at one instant.
type Sample struct {
	Time time.Time
	// Goroutines is never nil.
	Goroutines *Snapshot
	// Leaked is the goroutineleak profile; nil if none was taken.
	Leaked *Snapshot
	// Metrics are the families of /metrics that decisions read; nil if
	// /metrics was not read.
	Metrics Metrics
	// Rest is the number of the pause of a soak in which the sample was taken:
	// 1 for the time before any load, 2 for that after the first round of it;
	// 0 for a sample of no soak.
	Rest int
}

// Facts are what a process tells of itself beside its goroutines.
type Facts struct {
	// Version is the Thanos release without "v" ("0.35.1", "0.36.0-rc.1");
	// empty if unknown.
	Version string
	// VersionSource is where Version is from: "buildinfo", "metrics", "flag"
	// (the user said so) or "unknown".
	VersionSource string
	// Revision is the commit that the binary was built from; empty if
	// unknown.
	Revision string
	// GoVersion is "go1.26.8"; empty if unknown.
	GoVersion string
	// Flags are the command-line flags that decisions read, by name; nil if
	// the process does not tell its flags, which is so for components
	// without a query API.
	Flags map[string]string
	// Endpoints are what a querier has connected to; nil if unknown.
	Endpoints []Endpoint
}

// An Endpoint is a row of a querier's /api/v1/stores.
type Endpoint struct {
	Type string // component: "store", "sidecar", "query", "receive", "rule"
	Name string // its gRPC address
	Down bool   // it could not be reached the last time
}

// Component returns the Thanos component that the process runs ("query",
// "query-frontend", "store", "receive", "rule", "sidecar", "compact"), told by
// the run function of cmd/thanos that stands in its stacks; empty if none
// does.
func (t *Target) Component() string {
	for i := len(t.Samples) - 1; i >= 0; i-- {
		for _, g := range t.Samples[i].Goroutines.Groups {
			for _, f := range g.Frames {
				if c := componentOf(f.Func); c != "" {
					return c
				}
			}
		}
	}
	return ""
}

// A Payload is what a process served for one sample, byte for byte, so that a
// capture keeps what the process said.
type Payload struct {
	Debug0 []byte // /debug/pprof/goroutine, protobuf
	Debug2 []byte // …?debug=2; nil if it was not asked for
	Leaked []byte // /debug/pprof/goroutineleak, protobuf; nil if not asked for
}
