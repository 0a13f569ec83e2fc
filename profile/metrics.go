package profile

import (
	"io"
	"maps"
	"slices"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// families are the metrics that decisions read, with the labels that are kept,
// sorted.
// Everything else is dropped at the door: label values such as tenants are
// nobody else's business.
var families = map[string][]string{
	"go_goroutines":                                     nil,
	"go_info":                                           {"version"},
	"go_memstats_stack_inuse_bytes":                     nil,
	"go_memstats_heap_inuse_bytes":                      nil,
	"go_gc_gomemlimit_bytes":                            nil,
	"prometheus_rule_evaluations_total":                 nil,
	"thanos_compact_iterations_total":                   nil,
	"process_start_time_seconds":                        nil,
	"process_resident_memory_bytes":                     nil,
	"thanos_build_info":                                 {"goversion", "revision", "version"},
	"grpc_client_handled_total":                         {"grpc_code", "grpc_method"},
	"grpc_server_started_total":                         {"grpc_method"},
	"grpc_server_handled_total":                         {"grpc_code", "grpc_method"},
	"http_requests_total":                               {"code", "handler"},
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
