package profile

import "time"

// PossibleTime reports whether a sample can be of that time: from the years 2000
// to 2199. What a clock says that was never set, or a damaged profile, would put
// the sample before or behind all others for good.
func PossibleTime(t time.Time) bool { return t.Year() >= 2000 && t.Year() < 2200 }
