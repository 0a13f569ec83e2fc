package report

import (
	"fmt"
	"time"

	"github.com/thanosleak/thanosleak/classify"
)

// closing writes warnings and what made the report.
func (p *page) closing(run Run, r *classify.Result, verbose bool) {
	if len(r.Warnings) > 0 {
		p.blank()
	}
	for i, w := range r.Warnings {
		if i >= maxWarnings && !verbose {
			break
		}
		p.paragraph(styled("  warning", yellow), 11, w, plain)
	}
	p.more(len(r.Warnings)-maxWarnings, "warning", verbose)
	p.blank()
	p.line(styled(fmt.Sprintf("  thanosleak %s, knowledge of %s%s", run.Version, run.AdvisoriesVersion, age(run)), dim))
}

// staleDays is the age of the knowledge from which a newer one is worth looking
// for: Thanos has a release about every three months.
const staleDays = 90

// age says how old the knowledge was when the report was made; empty if that is
// not known.
func age(run Run) string {
	day, err := time.Parse(time.DateOnly, run.AdvisoriesVersion)
	if err != nil || run.Started.Before(day) {
		return ""
	}
	days := int(run.Started.Sub(day).Hours() / 24)
	switch {
	case days >= staleDays:
		return fmt.Sprintf(", %d days old: a newer thanosleak may know more", days)
	case days == 0:
		return ", of today"
	}
	return ", " + plural(days, "day") + " old"
}
