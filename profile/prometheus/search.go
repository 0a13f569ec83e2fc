package prometheus

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/thanosleak/thanosleak/profile"
)

// A search looks for the targets' series.
type search struct {
	server   *server
	wanted   []*wanted
	warnings []string
}

// wanted is a target with what is found of it.
type wanted struct {
	target *profile.Target
	// instances are the values that the label instance may have; empty where
	// the address says nothing, as that of a port-forward.
	instances []string
	start     float64 // of the newest sample's process; 0 if unknown
	series    *series // nil if none is found yet
	versions  []profile.PastVersion
	// doubtful says that a warning tells already why nothing is found.
	doubtful bool
}

func newWanted(t *profile.Target) *wanted {
	w := &wanted{target: t, instances: instancesOf(t)}
	if n := len(t.Samples); n > 0 {
		w.start = t.Samples[n-1].Metrics.Sum("process_start_time_seconds")
	}
	return w
}

// instancesOf returns what the label instance of a target may be: what its
// discovery says, else host and port, which Prometheus adds where a
// configuration has none.
func instancesOf(t *profile.Target) []string {
	if given := t.Labels[instanceLabel]; given != "" {
		return []string{given}
	}
	u, err := url.Parse(t.URL)
	if err != nil || u.Host == "" || isLoopback(u.Hostname()) {
		return nil
	}
	if u.Port() != "" {
		return []string{u.Host}
	}
	port := "80"
	if u.Scheme == "https" {
		port = "443"
	}
	return []string{net.JoinHostPort(u.Hostname(), port), u.Host}
}

// isLoopback reports whether a host is this machine. Each machine has one, and
// a port-forward ends there: the name tells no process.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// byAddress looks for the series by the label instance.
func (f *search) byAddress(ctx context.Context) error {
	var instances []string
	for _, w := range f.wanted {
		instances = append(instances, w.instances...)
	}
	slices.Sort(instances)
	found, err := f.server.seriesOf(ctx, slices.Compact(instances))
	for _, w := range f.wanted {
		w.choose(found, w.instances)
	}
	return err
}

// maxByStart is the number of targets that are looked for by their start time.
const maxByStart = 100

// byStart looks for the targets that have another address here than there: a
// start time, which is in hundredths of a second, tells the process.
func (f *search) byStart(ctx context.Context) error {
	var open []*wanted
	var starts []float64
	for _, w := range f.wanted {
		if w.series == nil && w.start > 0 && len(open) < maxByStart {
			open = append(open, w)
			starts = append(starts, w.start)
		}
	}
	if len(open) == 0 {
		return nil
	}
	processes, err := f.server.startedAt(ctx, starts)
	if err != nil {
		return err
	}
	instances := make([]string, len(open))
	var ask []string
	for i, w := range open {
		if instances[i] = f.identify(w, processes); instances[i] != "" {
			ask = append(ask, instances[i])
		}
	}
	slices.Sort(ask)
	found, err := f.server.seriesOf(ctx, slices.Compact(ask))
	for i, w := range open {
		w.choose(found, instances[i:i+1])
		// The start time is all that ties this address to the target.
		if w.series != nil && !w.series.started(w.start) {
			w.series = nil
		}
	}
	return err
}

// identify returns the instance of the one process that started when the target
// did; empty if there is none or more than one.
func (f *search) identify(w *wanted, processes []process) string {
	exactly := func(p process) bool { return p.start == w.start }
	about := func(p process) bool { return profile.SameStart(p.start, w.start) }
	for _, same := range []func(process) bool{exactly, about} {
		var instances []string
		for _, p := range processes {
			if same(p) && !slices.Contains(instances, p.instance) {
				instances = append(instances, p.instance)
			}
		}
		slices.Sort(instances)
		switch len(instances) {
		case 0:
			continue
		case 1:
			return instances[0]
		}
		w.doubtful = true
		f.warnings = append(f.warnings, fmt.Sprintf("%s: its past is not known: %d processes in %s started when it did (%s). Scan it by the address that is its label instance there",
			w.target.Name, len(instances), f.server.name, some(instances)))
		return ""
	}
	return ""
}

// choose takes, of the series of the instances, the one whose process is the
// target's by its start time, else the one with most points. Pairs of servers
// and several jobs have the same series twice; they are never mixed.
func (w *wanted) choose(found map[string][]*series, instances []string) {
	for _, instance := range instances {
		for _, s := range found[instance] {
			if w.belongs(s) && (w.series == nil || w.better(s)) {
				w.series = s
			}
		}
	}
}

// better reports whether a series tells more of the target than the one that is
// chosen.
func (w *wanted) better(s *series) bool {
	sure, chosen := w.start > 0 && s.started(w.start), w.start > 0 && w.series.started(w.start)
	if sure != chosen {
		return sure
	}
	return len(s.points) > len(w.series.points)
}

// unseen is the time that a process may run before a server shows it: an
// interval of scrapes, and as long as an old value is taken for a present one.
const unseen = 6 * time.Minute

// belongs reports whether a series of the target's address may be of it. It is
// not, if the series goes on for long after the target started and shows other
// processes only: the address is used again, or another network has it too.
func (w *wanted) belongs(s *series) bool {
	known := slices.ContainsFunc(s.points, func(p profile.PastPoint) bool { return !p.Started.IsZero() })
	return w.start == 0 || !known || s.started(w.start) || !timeOf(w.start).Add(unseen).Before(s.last())
}

// versions fills in the releases of the targets that were found.
func (f *search) versions(ctx context.Context) error {
	var instances []string
	byInstance := map[string][]*wanted{}
	for _, w := range f.wanted {
		if w.series != nil {
			instance := string(w.series.labels[instanceLabel])
			instances = append(instances, instance)
			byInstance[instance] = append(byInstance[instance], w)
		}
	}
	slices.Sort(instances)
	builds := map[*wanted][]*model.SampleStream{}
	err := f.server.each(ctx, selectors("thanos_build_info", slices.Compact(instances)), func(m *model.SampleStream) {
		for _, w := range byInstance[string(m.Metric[instanceLabel])] {
			if includes(m.Metric, w.series.labels) {
				builds[w] = append(builds[w], m)
			}
		}
	})
	for w, streams := range builds {
		w.versions = versionsOf(streams)
	}
	return err
}

// includes reports whether a series has all the labels of another, and so is
// from the same scrape.
func includes(m, labels model.Metric) bool {
	for name, value := range labels {
		if m[name] != value {
			return false
		}
	}
	return true
}

// maxVersion is the length of a release's name that is believed.
const maxVersion = 60

// versionsOf returns which releases ran, one after the other. At a change a
// server may show both for some minutes: then the new one counts.
func versionsOf(streams []*model.SampleStream) []profile.PastVersion {
	type sighting struct {
		at      model.Time
		version string
	}
	var seen []sighting
	for _, m := range streams {
		version := strings.TrimPrefix(clean(string(m.Metric["version"]), maxVersion), "v")
		for _, v := range m.Values {
			if version != "" && v.Value == 1 {
				seen = append(seen, sighting{v.Timestamp, version})
			}
		}
	}
	slices.SortFunc(seen, func(a, b sighting) int { return a.at.Time().Compare(b.at.Time()) })
	var versions []profile.PastVersion
	for len(seen) > 0 {
		n := 1
		for n < len(seen) && seen[n].at == seen[0].at {
			n++
		}
		now := seen[:n]
		seen = seen[n:]
		last := ""
		if len(versions) > 0 {
			last = versions[len(versions)-1].Version
		}
		other := slices.IndexFunc(now, func(s sighting) bool { return s.version != last })
		// Of two at once, the one that has run before is the one that ends.
		if other >= 0 && (len(now) == 1 || !ran(versions, now[other].version)) {
			versions = append(versions, profile.PastVersion{Time: now[0].at.Time().UTC(), Version: now[other].version})
		}
	}
	return versions
}

// ran reports whether a release is among versions.
func ran(versions []profile.PastVersion, version string) bool {
	return slices.ContainsFunc(versions, func(v profile.PastVersion) bool { return v.Version == version })
}

// missing says of which targets nothing is known, in one sentence.
func (f *search) missing() []string {
	var names []string
	for _, w := range f.wanted {
		if w.series == nil && !w.doubtful {
			names = append(names, w.target.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	its := "their"
	if len(names) == 1 {
		its = "its"
	}
	return []string{fmt.Sprintf("%s knows no past of %s: in the last %s no go_goroutines has %s host and port as label instance, and no process there started at the same time. "+
		"What is there tells the query count by (instance, job) (thanos_build_info); scan an address that it shows",
		f.server.name, some(names), span(f.server.window.End.Sub(f.server.window.Start)), its)}
}

// span returns a window for people: "7d", "36h".
func span(d time.Duration) string {
	if days := d / (24 * time.Hour); d == days*24*time.Hour {
		return fmt.Sprintf("%dd", days)
	}
	return model.Duration(d).String()
}

// some names the first of many.
func some(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
