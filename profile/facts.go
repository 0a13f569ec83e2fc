package profile

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"path"
	"slices"
	"strings"
)

// runFuncs are the functions of cmd/thanos that run a component, without the
// closures in them.
var runFuncs = map[string]string{
	"main.runQuery":         "query",
	"main.runQueryFrontend": "query-frontend",
	"main.runStore":         "store",
	"main.runReceive":       "receive",
	"main.runRule":          "rule",
	"main.runSidecar":       "sidecar",
	"main.runCompact":       "compact",
}

// componentOf tells the component from a function such as
// main.runQuery.func10.
func componentOf(fn string) string {
	parts := strings.SplitN(fn, ".", 3)
	if len(parts) < 2 {
		return ""
	}
	return runFuncs[parts[0]+"."+parts[1]]
}

// maxStatus bounds an answer of the status API in bytes.
const maxStatus = 8 << 20

// secretFlags are the flags that never pass, whatever an advisory asks for:
// they may hold credentials in clear (objstore.config up to Thanos v0.34.1,
// query.config, alertmanagers.config, remote-write.config and others still).
var secretFlags = []string{"*.config", "*.config-file", "*config*", "*password*", "*secret*", "*token*", "*key*"}

// FlagFilter returns a function that tells whether a flag may be kept: one of
// names that is not on the list of flags that may hold secrets.
func FlagFilter(names []string) func(string) bool {
	return func(flag string) bool {
		secret := slices.ContainsFunc(secretFlags, func(pattern string) bool {
			ok, err := path.Match(pattern, flag)
			return ok || err != nil
		})
		return !secret && slices.Contains(names, flag)
	}
}

// decodeStatus reads {"status":"success","data":…} into data.
func decodeStatus(r io.Reader, data any) error {
	raw := struct {
		Status string `json:"status"`
		Data   any    `json:"data"`
	}{Data: data}
	if err := json.NewDecoder(io.LimitReader(r, maxStatus)).Decode(&raw); err != nil {
		return fmt.Errorf("not an answer of the status API: %w", err)
	}
	if raw.Status != "success" {
		return fmt.Errorf("the status API answers %q", raw.Status)
	}
	return nil
}

// ReadBuildInfo adds what /api/v1/status/buildinfo tells.
func (f *Facts) ReadBuildInfo(r io.Reader) error {
	var data struct{ Version, Revision, GoVersion string }
	if err := decodeStatus(r, &data); err != nil {
		return err
	}
	if data.Version != "" {
		f.Version, f.VersionSource = bounded(strings.TrimPrefix(data.Version, "v")), "buildinfo"
	}
	f.Revision, f.GoVersion = bounded(data.Revision), bounded(data.GoVersion)
	return nil
}

// ReadFlags adds the flags of /api/v1/status/flags that keep lets pass.
func (f *Facts) ReadFlags(r io.Reader, keep func(string) bool) error {
	var data map[string]string
	if err := decodeStatus(r, &data); err != nil {
		return err
	}
	maps.DeleteFunc(data, func(name, _ string) bool { return !keep(name) })
	for name, v := range data {
		data[name] = bounded(v)
	}
	f.Flags = data
	return nil
}

// ReadStores adds the endpoints of /api/v1/stores, sorted by type and name.
// What their errors say is not kept: it may hold anything.
func (f *Facts) ReadStores(r io.Reader) error {
	var data map[string][]struct {
		Name      string  `json:"name"`
		LastError present `json:"lastError"`
	}
	if err := decodeStatus(r, &data); err != nil {
		return err
	}
	f.Endpoints = []Endpoint{}
	for _, kind := range slices.Sorted(maps.Keys(data)) {
		for _, e := range data[kind] {
			if len(f.Endpoints) < maxEndpoints {
				f.Endpoints = append(f.Endpoints, Endpoint{Type: bounded(kind), Name: bounded(afterUserinfo(e.Name)), Down: bool(e.LastError)})
			}
		}
	}
	slices.SortStableFunc(f.Endpoints, func(a, b Endpoint) int {
		return strings.Compare(a.Type+"\x00"+a.Name, b.Type+"\x00"+b.Name)
	})
	return nil
}

// present reports whether there is a value at all. What it is is not looked at:
// as Go values it would take some thirty times its text.
type present bool

func (p *present) UnmarshalJSON(value []byte) error {
	*p = string(value) != "null"
	return nil
}

// Bounds of what is kept: endpoints of a querier, and bytes of a value.
const (
	maxEndpoints = 2000
	maxValue     = 300
)

// bounded shortens a value that no Thanos has as long.
func bounded(s string) string {
	if len(s) <= maxValue {
		return s
	}
	return strings.ToValidUTF8(s[:maxValue], "") + "…"
}

// afterUserinfo strips credentials in front of an address.
func afterUserinfo(address string) string { return address[strings.LastIndex(address, "@")+1:] }

// Adopt fills what is unknown from thanos_build_info and go_info of the
// metrics.
func (f *Facts) Adopt(m Metrics) {
	if info := m.labels("thanos_build_info"); info != nil && f.Version == "" && info["version"] != "" {
		f.Version, f.VersionSource = strings.TrimPrefix(info["version"], "v"), "metrics"
		f.Revision = info["revision"]
		f.GoVersion = info["goversion"]
	}
	if info := m.labels("go_info"); info != nil && f.GoVersion == "" {
		f.GoVersion = info["version"]
	}
}

// maxJitter is by how many seconds the start time of one process may seem to
// move. The kernel's boot time, from which it is computed, is rounded to full
// seconds and follows corrections of the clock.
const maxJitter = 2

// SameStart reports whether two values of process_start_time_seconds, in Unix
// time, are of one process: they differ by a few full seconds at most, since
// only the boot time in them jitters.
func SameStart(a, b float64) bool {
	d := math.Abs(a - b)
	return d <= maxJitter+0.001 && math.Abs(d-math.Round(d)) < 0.001
}

// WriteBuildInfo, WriteFlags and WriteStores write the facts in the form in
// which the API answers, so that a capture looks like the process it is from.

// WriteBuildInfo writes the version facts as /api/v1/status/buildinfo does.
func (f *Facts) WriteBuildInfo(w io.Writer) error {
	return encodeStatus(w, map[string]string{"version": f.Version, "revision": f.Revision, "goVersion": f.GoVersion})
}

// WriteFlags writes the flags kept as /api/v1/status/flags does.
func (f *Facts) WriteFlags(w io.Writer) error { return encodeStatus(w, f.Flags) }

// WriteStores writes the endpoints as /api/v1/stores does.
func (f *Facts) WriteStores(w io.Writer) error {
	type row struct {
		Name      string `json:"name"`
		LastError any    `json:"lastError"`
	}
	data := map[string][]row{}
	for _, e := range f.Endpoints {
		r := row{Name: e.Name}
		if e.Down {
			r.LastError = "error"
		}
		data[e.Type] = append(data[e.Type], r)
	}
	return encodeStatus(w, data)
}

func encodeStatus(w io.Writer, data any) error {
	return json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data})
}
