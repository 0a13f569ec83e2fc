package report

import (
	"io"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/thanosleak/thanosleak/classify"
)

// maxSeries bounds how many targets, and how many findings on targets, have
// series of their own: a wrong name must not flood somebody's Prometheus.
const maxSeries = 1000

// Prometheus writes the result in Prometheus' text format, for serve and for
// the node exporter's textfile collector. The names are a contract; docs/metrics.md
// lists them. Only findings at suspect or above have series; a run that has not
// finished has no series but that of the build.
func Prometheus(w io.Writer, run Run, r *classify.Result, _ TextOptions) error {
	m := &metricsPage{series: map[string]bool{}}
	m.ofRun(run, r)
	for i := range r.Targets {
		m.ofTarget(run, &r.Targets[i])
	}
	for i := range r.Findings {
		m.ofFinding(&r.Findings[i])
	}
	m.add("thanosleak_series_dropped", "Targets, and findings on targets, that have no series for the bound of 1000 each.", float64(m.dropped))
	enc := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, f := range m.families {
		if err := enc.Encode(f); err != nil {
			return err
		}
	}
	return nil
}

// metricsPage collects gauges, families in the order in which they are met.
type metricsPage struct {
	families          []*dto.MetricFamily
	targets, findings int             // that have series
	series            map[string]bool // those that there are, by name and labels
	dropped           int
}

// add adds a series; labels are names and values in turn. One that is there
// already is left out: for its sake Prometheus would refuse the whole page.
func (m *metricsPage) add(name, help string, value float64, labels ...string) {
	s := &dto.Metric{Gauge: &dto.Gauge{Value: &value}}
	key := name
	for n := 0; n < len(labels); n += 2 {
		text := printable(labels[n+1])
		s.Label = append(s.Label, &dto.LabelPair{Name: &labels[n], Value: &text})
		key += "\x00" + text
	}
	if m.series[key] {
		m.dropped++
		return
	}
	m.series[key] = true
	i := slices.IndexFunc(m.families, func(f *dto.MetricFamily) bool { return f.GetName() == name })
	if i < 0 {
		i = len(m.families)
		m.families = append(m.families, &dto.MetricFamily{Name: &name, Help: &help, Type: dto.MetricType_GAUGE.Enum()})
	}
	m.families[i].Metric = append(m.families[i].Metric, s)
}

func (m *metricsPage) ofRun(run Run, r *classify.Result) {
	m.add("thanosleak_build_info", "What made these series, and the day on which what it knows was last checked.", 1,
		"version", run.Version, "advisories_version", run.AdvisoriesVersion)
	if run.Finished.IsZero() {
		return // serve, before its first round
	}
	m.add("thanosleak_last_run_timestamp_seconds", "When the last run (serve: round) ended, whatever came of it.", unix(run.Finished))
	m.add("thanosleak_run_duration_seconds", "How long the last run (serve: round) took.", run.Finished.Sub(run.Started).Seconds())
	for _, v := range []classify.Verdict{classify.VerdictLeak, classify.VerdictSuspect, classify.VerdictIncomplete, classify.VerdictUndecided, classify.VerdictClean} {
		m.add("thanosleak_verdict", "1 for the verdict that holds.", truth(r.Verdict == v), "verdict", string(v))
	}
	for _, l := range []classify.Level{classify.Confirmed, classify.Likely, classify.Suspect} {
		n := 0
		for _, f := range r.Findings {
			if f.Level == l {
				n++
			}
		}
		m.add("thanosleak_findings", "Findings over all targets by level.", float64(n), "level", string(l))
	}
}

func (m *metricsPage) ofTarget(run Run, t *classify.TargetResult) {
	if m.targets++; m.targets > maxSeries {
		m.dropped++
		return
	}
	if !t.Kept {
		m.add("thanosleak_target_up", "Whether the target gave a sample in the last run.", truth(!t.Unreached && t.Samples > 0), "target", t.Name)
		m.add("thanosleak_target_failed_samples", "Samples of the target that failed in the last run.", float64(t.FailedSamples), "target", t.Name)
	}
	if t.Samples == 0 {
		return
	}
	success := run.Finished
	if t.Unreached || t.URL == "" { // then this run read files
		success = *t.LastSample
	}
	m.add("thanosleak_target_last_success_timestamp_seconds", "When the target last gave a sample.", unix(success), "target", t.Name)
	// Apart, for a series that changes its labels begins anew, and alerts with it.
	m.add("thanosleak_target_info", "What the target is, as far as it tells.", 1,
		"target", t.Name, "component", t.Component, "thanos_version", t.ThanosVersion)
	m.add("thanosleak_target_goroutines", "Goroutines in the last sample.", float64(t.Goroutines.Last), "target", t.Name)
	m.add("thanosleak_target_restarts", "New processes met at the target within the window.", float64(t.Restarts), "target", t.Name)
}

func (m *metricsPage) ofFinding(f *classify.Finding) {
	for i := range f.Occurrences {
		o := &f.Occurrences[i]
		if !o.Level.AtLeast(classify.Suspect) {
			continue
		}
		if m.findings++; m.findings > maxSeries {
			m.dropped++
			continue
		}
		labels := []string{"target", o.Target, "advisory", f.Advisory, "key", f.Key}
		m.add("thanosleak_finding_level", "1 for the level of a finding on a target.", 1, append(slices.Clone(labels), "level", string(o.Level))...)
		m.add("thanosleak_finding_culprit_goroutines", "Goroutines with the defect in the last sample.", float64(o.Culprits), labels...)
		m.add("thanosleak_finding_victim_goroutines", "Goroutines that wait behind them in the last sample.", float64(o.Victims), labels...)
		if o.Growth.PerHour != nil {
			m.add("thanosleak_finding_growth_goroutines_per_hour", "How fast the culprits grow in number; absent where that is not known.", *o.Growth.PerHour, labels...)
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// unix returns a time in seconds since 1970, to the millisecond.
func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
