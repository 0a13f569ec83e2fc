package profile

import "time"

// A Past is what a monitoring system remembers of a target from before anybody
// looked at it here. All times are in UTC.
type Past struct {
	// Instance is the label instance of the series; Pod is the label pod,
	// empty if there is none.
	Instance, Pod string
	// From and To bound the time that was asked for; the points may begin
	// later and end earlier.
	From, To time.Time
	// Step is the time between two points, above 0. What was shorter, such
	// as a life between two points, does not show.
	Step time.Duration
	// Points are oldest first, at least one. Where the target was not
	// scraped, points are missing.
	Points []PastPoint
	// Versions are oldest first: the first is the one seen first, each of the
	// others another than the one before. Empty if no version is known.
	Versions []PastVersion
}

// A PastPoint is the number of goroutines at one time.
type PastPoint struct {
	Time       time.Time
	Goroutines int
	// Started is when the process that has them began to run, by its own
	// clock; zero if unknown. It may jitter as SameStart says.
	Started time.Time
}

// A PastVersion is a release that began to run.
type PastVersion struct {
	// Time is that of the first point with the release.
	Time time.Time
	// Version is without "v" ("0.35.1").
	Version string
}
