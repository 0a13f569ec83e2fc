package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/report"
)

// scraped reads metrics as Prometheus does.
func scraped(t *testing.T, run report.Run, r *classify.Result) map[string]*dto.MetricFamily {
	t.Helper()
	var b bytes.Buffer
	if err := report.Prometheus(&b, run, r, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(&b)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// TestPrometheusGolden compares metrics with those that were looked at.
func TestPrometheusGolden(t *testing.T) {
	for _, name := range []string{"flagship", "incomplete"} {
		var b bytes.Buffer
		if err := report.Prometheus(&b, theRun(), results(t)[name], report.TextOptions{}); err != nil {
			t.Fatal(err)
		}
		compare(t, name+".prom", b.Bytes())
	}
}

// TestPrometheusSeries: whatever the result, Prometheus can read the page, and
// no series stands there twice.
func TestPrometheusSeries(t *testing.T) {
	all := hostiles()
	for _, r := range results(t) {
		all = append(all, r)
	}
	for _, r := range all {
		for name, f := range scraped(t, theRun(), r) {
			seen := map[string]bool{}
			for _, m := range f.GetMetric() {
				key := fmt.Sprint(m.GetLabel())
				if seen[key] {
					t.Errorf("%s%s twice", name, key)
				}
				seen[key] = true
			}
		}
	}
	if got := scraped(t, report.Run{}, &classify.Result{}); len(got) != 2 {
		t.Errorf("before the first run: %d families, want the build's and what was dropped", len(got))
	}
}

// TestPrometheusLastSuccess: what was read from files, or was kept from earlier
// runs, gave its last sample when that was taken.
func TestPrometheusLastSuccess(t *testing.T) {
	sampled := theRun().Finished.Add(-48 * time.Hour)
	for _, tt := range []struct {
		name   string
		target classify.TargetResult
		want   time.Time
	}{
		{"scraped", classify.TargetResult{URL: "http://q:1"}, theRun().Finished},
		{"not reached", classify.TargetResult{URL: "http://q:1", Unreached: true}, sampled},
		{"kept", classify.TargetResult{Kept: true}, sampled},
		{"of a file", classify.TargetResult{}, sampled},
	} {
		tt.target.Samples, tt.target.LastSample = 3, &sampled
		got := scraped(t, theRun(), &classify.Result{Targets: []classify.TargetResult{tt.target}})
		if s := got["thanosleak_target_last_success_timestamp_seconds"].GetMetric()[0].GetGauge().GetValue(); s != float64(tt.want.Unix()) {
			t.Errorf("%s: %v, want %d", tt.name, s, tt.want.Unix())
		}
	}
}

// TestPrometheusIsBounded: a name that stands for far too many targets floods
// nobody's Prometheus.
func TestPrometheusIsBounded(t *testing.T) {
	r := &classify.Result{Findings: []classify.Finding{{Key: "A", Level: classify.Likely}}}
	for i := range 1500 {
		name := fmt.Sprint("q", i)
		r.Targets = append(r.Targets, classify.TargetResult{Name: name})
		r.Findings[0].Occurrences = append(r.Findings[0].Occurrences, classify.Occurrence{Target: name, Level: classify.Likely})
	}
	got := scraped(t, theRun(), r)
	if n := len(got["thanosleak_target_up"].GetMetric()); n != 1000 {
		t.Errorf("%d targets", n)
	}
	if n := len(got["thanosleak_finding_level"].GetMetric()); n != 1000 {
		t.Errorf("%d findings on targets", n)
	}
	if n := got["thanosleak_series_dropped"].GetMetric()[0].GetGauge().GetValue(); n != 1000 {
		t.Errorf("%v dropped", n)
	}
}

// TestChangesMail: the first line is a mail's subject, whatever the result; the
// rest is the report of what changed.
func TestChangesMail(t *testing.T) {
	r := results(t)["many"]
	changes := []classify.Change{
		{Kind: classify.ChangeNew, Key: r.Findings[0].Key},
		{Kind: classify.ChangeDown, Target: "query-3:10902", Text: "connection refused"},
		{Kind: classify.ChangeGone, Key: "TL-2099-001", Name: "TL-2099-001, title"},
	}
	var b bytes.Buffer
	if err := report.Changes(&b, theRun(), r, changes, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	subject, body, _ := strings.Cut(b.String(), "\n")
	if !strings.HasPrefix(subject, "thanosleak: new: ") || !strings.HasSuffix(subject, " (and 2 more changes)") {
		t.Errorf("subject %q", subject)
	}
	for _, want := range []string{"\n  down: no sample of query-3:10902\n    connection refused\n", "\n  gone: TL-2099-001, title\n", "\n  do  1"} {
		if !strings.Contains("\n"+body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	if len(r.Findings) < 2 || strings.Contains(body, r.Findings[1].Title) {
		t.Errorf("the report of what did not change is in it\n%s", body)
	}
	b.Reset()
	var down []classify.Change
	for i := range 20 {
		name := fmt.Sprintf("query-%d:10902", i)
		down = append(down, classify.Change{Kind: classify.ChangeDown, Target: name, Text: name + ": connection refused"})
	}
	if err := report.Changes(&b, theRun(), &classify.Result{}, down, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if want := "thanosleak: down: no sample of 20 targets: query-0:10902, query-1:10902, query-2:10902 and 17 more\n\n    connection refused\n"; b.String() != want {
		t.Errorf("a fleet is down: %q", b.String())
	}
	for _, r := range hostiles() {
		b.Reset()
		changes := []classify.Change{{Kind: classify.ChangeWorse, Key: r.Findings[0].Key, Text: hostile}, {Kind: classify.ChangeDown, Target: hostile, Text: hostile}}
		if err := report.Changes(&b, theRun(), r, changes, report.TextOptions{}); err != nil {
			t.Fatal(err)
		}
		if c, is := unsafe(b.Bytes()); is {
			t.Errorf("%q gets through", c)
		}
		if strings.HasPrefix(b.String(), "FORGED") || strings.Contains(b.String(), "\nFORGED") {
			t.Error("a line is forged")
		}
	}
}
