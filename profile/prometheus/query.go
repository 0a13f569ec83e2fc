package prometheus

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/thanosleak/thanosleak/profile"
)

// Labels that Prometheus or its usual configuration for Kubernetes sets.
const (
	instanceLabel = "instance"
	podLabel      = "pod"
)

// maxQuery is the length of a query in bytes from which it is asked in parts.
const maxQuery = 30 << 10

// selectors returns selectors of the series of a metric with any of the
// instances: one, or more where it would get too long. They match the values
// as they are, whatever characters they have.
func selectors(metric string, instances []string) []string {
	var all []string
	var values []string
	length := 0
	flush := func() {
		if len(values) > 0 {
			all = append(all, metric+"{"+instanceLabel+"=~"+strconv.Quote(strings.Join(values, "|"))+"}")
		}
		values, length = nil, 0
	}
	for _, instance := range instances {
		v := regexp.QuoteMeta(instance)
		// Quoting may write each backslash twice.
		if length += len(strconv.Quote(v)); length > maxQuery {
			flush()
			length = len(v)
		}
		values = append(values, v)
	}
	flush()
	return all
}

// A series is what go_goroutines and process_start_time_seconds of one address
// say, scraped together.
type series struct {
	labels model.Metric // without the name of the metric
	points []profile.PastPoint
}

// started reports whether one of the processes of the series started then.
func (s *series) started(at float64) bool {
	return slices.ContainsFunc(s.points, func(p profile.PastPoint) bool {
		return !p.Started.IsZero() && profile.SameStart(seconds(p.Started), at)
	})
}

// last is the time of the newest point.
func (s *series) last() time.Time { return s.points[len(s.points)-1].Time }

// bare returns labels without the name of the metric.
func bare(m model.Metric) model.Metric {
	b := m.Clone()
	delete(b, model.MetricNameLabel)
	return b
}

// seriesOf asks for the series of instances, each list in the order of the
// labels. With an error there may be some, without start times.
func (s *server) seriesOf(ctx context.Context, instances []string) (map[string][]*series, error) {
	byLabels := map[string]*series{}
	err := s.each(ctx, selectors("go_goroutines", instances), func(m *model.SampleStream) {
		if points := pointsOf(m.Values); len(points) > 0 {
			byLabels[bare(m.Metric).String()] = &series{labels: bare(m.Metric), points: points}
		}
	})
	if err == nil && len(byLabels) > 0 {
		err = s.each(ctx, selectors("process_start_time_seconds", instances), func(m *model.SampleStream) {
			if of := byLabels[bare(m.Metric).String()]; of != nil {
				of.addStarts(m.Values)
			}
		})
	}
	byInstance := map[string][]*series{}
	for _, key := range slices.Sorted(maps.Keys(byLabels)) {
		instance := string(byLabels[key].labels[instanceLabel])
		byInstance[instance] = append(byInstance[instance], byLabels[key])
	}
	return byInstance, err
}

// each asks queries over the window and hands over the series of the answers.
func (s *server) each(ctx context.Context, queries []string, use func(*model.SampleStream)) error {
	for _, q := range queries {
		m, err := s.overTime(ctx, q)
		if err != nil {
			return err
		}
		for _, stream := range m {
			use(stream)
		}
	}
	return nil
}

// pointsOf returns the values that can be numbers of goroutines, oldest first and
// one of each time, whatever order a server has them in: NaN is a series that
// ended.
func pointsOf(values []model.SamplePair) []profile.PastPoint {
	var points []profile.PastPoint
	for _, v := range values {
		if n := float64(v.Value); n >= 0 && n < 1<<40 {
			points = append(points, profile.PastPoint{Time: v.Timestamp.Time().UTC(), Goroutines: int(n + 0.5)})
		}
	}
	slices.SortStableFunc(points, func(a, b profile.PastPoint) int { return a.Time.Compare(b.Time) })
	return slices.CompactFunc(points, func(a, b profile.PastPoint) bool { return a.Time.Equal(b.Time) })
}

// addStarts fills in which process the points are of. Both metrics are scraped
// together, so that a point has the start time of the same instant.
func (s *series) addStarts(values []model.SamplePair) {
	i := 0
	for _, v := range values {
		at := v.Timestamp.Time()
		for i < len(s.points) && s.points[i].Time.Before(at) {
			i++
		}
		if n := float64(v.Value); i < len(s.points) && s.points[i].Time.Equal(at) && isStart(n) {
			s.points[i].Started = timeOf(n)
		}
	}
}

// isStart reports whether a number can be a start time in Unix time; what has
// no such time shows 0.
func isStart(n float64) bool { return n > 0 && n < 1<<40 }

// timeOf and seconds convert Unix time, to the millisecond.
func timeOf(n float64) time.Time { return time.UnixMilli(int64(n*1000 + 0.5)).UTC() }

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// A process is one that runs at the end of the window.
type process struct {
	instance string
	start    float64 // Unix time
}

// startSlack is by how much the start time of one process may seem to move, in
// seconds, and a little more: profile.SameStart looks closer.
const startSlack = 2.5

// startedAt asks which processes, of any kind, started at one of the times. One
// query asks for all: each part of it is a look at all processes that the
// server knows, which its index makes cheap but not free.
func (s *server) startedAt(ctx context.Context, starts []float64) ([]process, error) {
	var parts []string
	for _, at := range starts {
		parts = append(parts, "process_start_time_seconds >= "+decimal(at-startSlack)+" <= "+decimal(at+startSlack))
	}
	slices.Sort(parts)
	vector, err := s.atEnd(ctx, strings.Join(slices.Compact(parts), " or "))
	if err != nil {
		return nil, err
	}
	var found []process
	for _, sample := range vector {
		if instance := string(sample.Metric[instanceLabel]); instance != "" && isStart(float64(sample.Value)) {
			found = append(found, process{instance, float64(sample.Value)})
		}
	}
	return found, nil
}

// decimal writes a number as PromQL reads it.
func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
