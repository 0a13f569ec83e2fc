package profile

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// maxMetrics bounds a page of /metrics in bytes; a receiver with thousands of
// tenants stays below.
const maxMetrics = 64 << 20

// families are the metrics that decisions read, with the labels that are kept.
// Everything else is dropped at the door: label values such as tenants are
// nobody else's business.
var families = map[string][]string{
	"go_goroutines":                                     nil,
	"go_info":                                           {"version"},
	"go_memstats_stack_inuse_bytes":                     nil,
	"go_memstats_heap_inuse_bytes":                      nil,
	"go_gc_gomemlimit_bytes":                            nil,
	"process_start_time_seconds":                        nil,
	"process_resident_memory_bytes":                     nil,
	"thanos_build_info":                                 {"version", "revision", "goversion"},
	"grpc_server_started_total":                         {"grpc_method"},
	"grpc_server_handled_total":                         {"grpc_method", "grpc_code"},
	"http_requests_total":                               {"handler", "code"},
	"http_inflight_requests":                            {"handler"},
	"thanos_query_concurrent_gate_queries_in_flight":    nil,
	"thanos_query_concurrent_gate_queries_max":          nil,
	"thanos_bucket_store_series_gate_queries_in_flight": nil,
	"thanos_bucket_store_series_gate_queries_max":       nil,
}

// Metrics are the families of a /metrics page that decisions read, by name.
// A family that the page does not show yet is 0, not unknown.
type Metrics map[string][]Value

// A Value is one series of a family; series that differ only in labels that
// are not kept are summed up.
type Value struct {
	Labels map[string]string
	Value  float64
}

// ReadMetrics reads a page in the Prometheus text format, keeping what
// decisions read. A page without any such family is an error: it is no
// /metrics of a Go process.
func ReadMetrics(r io.Reader) (Metrics, error) {
	kept, err := keepFamilies(io.LimitReader(r, maxMetrics))
	if err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	parsed, err := parser.TextToMetricFamilies(kept)
	if err != nil {
		return nil, fmt.Errorf("not in the Prometheus text format: %w", err)
	}
	m := Metrics{}
	for name, family := range parsed {
		m[name] = sumUp(name, family.Metric)
	}
	if len(m) == 0 {
		return nil, fmt.Errorf("a page without metrics of a Go process")
	}
	for name := range m {
		slices.SortFunc(m[name], func(a, b Value) int { return strings.Compare(labelKey(a.Labels), labelKey(b.Labels)) })
	}
	return m, nil
}

// keepFamilies passes on the lines of known families, so that the parser never
// meets the rest of the page.
func keepFamilies(r io.Reader) (*bytes.Buffer, error) {
	var kept bytes.Buffer
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, maxLine)
	for sc.Scan() {
		l := sc.Bytes()
		name := l
		if i := bytes.IndexAny(l, "{ \t"); i >= 0 {
			name = l[:i]
		}
		if _, ok := families[string(name)]; ok {
			kept.Write(l)
			kept.WriteByte('\n')
		}
	}
	return &kept, sc.Err()
}

// sumUp returns the series of a family with the labels that are kept.
func sumUp(name string, series []*dto.Metric) []Value {
	var values []Value
	byLabels := map[string]int{} // index into values
	for _, s := range series {
		v := Value{Value: value(s)}
		for _, l := range s.Label {
			if slices.Contains(families[name], l.GetName()) {
				if v.Labels == nil {
					v.Labels = map[string]string{}
				}
				v.Labels[l.GetName()] = l.GetValue()
			}
		}
		key := labelKey(v.Labels)
		if i, ok := byLabels[key]; ok {
			values[i].Value += v.Value
			continue
		}
		byLabels[key] = len(values)
		values = append(values, v)
	}
	return values
}

// value returns the number of a series of any simple type. Without a TYPE line,
// which is not kept, all are untyped.
func value(s *dto.Metric) float64 {
	return s.GetUntyped().GetValue() + s.GetGauge().GetValue() + s.GetCounter().GetValue()
}

func labelKey(labels map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&b, "%s=%q,", k, labels[k])
	}
	return b.String()
}

// Sum returns the sum of the family's series for which every given label has
// the given value (name, value, name, value, …); 0 if there are none.
func (m Metrics) Sum(name string, labels ...string) float64 {
	sum := 0.0
	for _, v := range m[name] {
		match := true
		for i := 0; i+1 < len(labels); i += 2 {
			match = match && v.Labels[labels[i]] == labels[i+1]
		}
		if match {
			sum += v.Value
		}
	}
	return sum
}

// Has reports whether the page showed the family.
func (m Metrics) Has(name string) bool { return len(m[name]) > 0 }

// labels returns the labels of the family's first series; nil if there is none.
func (m Metrics) labels(name string) map[string]string {
	if len(m[name]) == 0 {
		return nil
	}
	return m[name][0].Labels
}

// Write writes the metrics in the Prometheus text format, sorted by name and
// labels.
func (m Metrics) Write(w io.Writer) error {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		family := &dto.MetricFamily{Name: &name, Type: dto.MetricType_UNTYPED.Enum()}
		for _, v := range m[name] {
			s := &dto.Metric{Untyped: &dto.Untyped{Value: &v.Value}}
			for _, k := range slices.Sorted(maps.Keys(v.Labels)) {
				val := v.Labels[k]
				s.Label = append(s.Label, &dto.LabelPair{Name: &k, Value: &val})
			}
			family.Metric = append(family.Metric, s)
		}
		if _, err := expfmt.MetricFamilyToText(w, family); err != nil {
			return err
		}
	}
	return nil
}
