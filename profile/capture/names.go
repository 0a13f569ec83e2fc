package capture

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// kind is what a file of a sample holds, by its name.
type kind int

const (
	debug0 kind = iota
	debug1
	debug2
	leak0
	leak1
	leak2
	metrics
	kinds // their number
)

// kindNames are the kinds as names spell them.
var kindNames = [kinds]string{"debug0", "debug1", "debug2", "leak.debug0", "leak.debug1", "leak.debug2", "metrics"}

func kindOf(name string) kind { return kind(slices.Index(kindNames[:], name)) }

// stampLayout is the form in which times are written into names. It has no
// colons: they break Windows, Go module zips and go:embed.
const stampLayout = "20060102T150405Z"

var (
	// t001-words-20261122T064522Z.leak.debug2.txt.gz, 20261122T064522Z-2.metrics.txt,
	// 20261122T064522Z-rest1.debug0.pb.gz
	sampleRE = lazyregexp.New(`^(t\d+(?:-.*?)?|` + stamp + `(?:` + rest + `)?(?:-\d+)?)\.((?:leak\.)?debug[012]|metrics)(?:\.[a-z0-9.]+)?$`)
	stampRE  = lazyregexp.New(stamp + `(?:` + rest + `)?(?:-(\d+)$)?`)
	restRE   = lazyregexp.New(stamp + rest)
	// steady-query-debug1, minio.leak.debug2
	looseRE = lazyregexp.New(`^(.+?)[-._]((?:leak[-._])?debug=?[012])$`)
)

// stamp matches a time in UTC: 20261122T064522Z, 2026-11-22T06:45:22Z,
// 20261122-064522.
const stamp = `(\d{4})-?(\d{2})-?(\d{2})[T_-](\d{2})[:-]?(\d{2})[:-]?(\d{2})Z?`

// rest stands behind the time of a sample of a soak: the number of the pause
// that it was taken in; see [profile.Sample].
const rest = `-rest(\d{1,4})`

// sampleName splits the name of a file in a capture into the name of its
// sample and its kind.
func sampleName(base string) (stem string, k kind, ok bool) {
	m := sampleRE().FindStringSubmatch(base)
	if m == nil {
		return "", 0, false
	}
	return m[1], kindOf(m[len(m)-1]), true
}

// looseName splits the name of a profile outside a capture: before.pb.gz,
// query-debug2.txt. The kind is a guess that the content may disprove.
func looseName(base string) (stem string, k kind) {
	stem = strings.TrimSuffix(base, ".gz")
	k = debug0
	switch ext := path.Ext(stem); ext {
	case ".txt", ".log", ".out", ".dump":
		stem, k = strings.TrimSuffix(stem, ext), debug2
	case ".pb", ".pprof", ".prof":
		stem = strings.TrimSuffix(stem, ext)
	}
	if m := looseRE().FindStringSubmatch(stem); m != nil {
		name := strings.NewReplacer("=", "", "leak-", "leak.", "leak_", "leak.").Replace(m[2])
		return m[1], kindOf(name)
	}
	return stem, k
}

// nameTime returns the time in a name and the number that makes it unique; the
// zero time if there is none.
func nameTime(stem string) (t time.Time, n int) {
	all := stampRE().FindAllStringSubmatch(stem, -1)
	if len(all) == 0 {
		return time.Time{}, 0
	}
	m := all[len(all)-1]
	t, err := time.Parse("20060102150405", strings.Join(m[1:7], ""))
	if err != nil {
		return time.Time{}, 0
	}
	n, _ = strconv.Atoi(m[len(m)-1]) // empty: the first of its second
	return t, n
}

// nameRest returns the number of the pause of a soak in a name; 0 if there is
// none.
func nameRest(stem string) int {
	m := restRE().FindStringSubmatch(stem)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[len(m)-1])
	return n
}

// seriesName returns the name without its times; names that differ in nothing
// else are of one series. Empty if there is no time in it.
func seriesName(stem string) string {
	if t, _ := nameTime(stem); t.IsZero() {
		return ""
	}
	return stampRE().ReplaceAllString(stem, "*")
}

// Names of the files with a target's facts.
const (
	buildInfoFile = "status-buildinfo.json"
	flagsFile     = "status-flags.json"
	storesFile    = "stores.json"
)

func isFacts(base string) bool {
	return base == buildInfoFile || base == flagsFile || base == storesFile
}

// isArchive tells archives by name, for files that nobody named explicitly.
func isArchive(base string) bool {
	lower := strings.ToLower(base)
	return strings.HasSuffix(lower, ".tar.gz") || strings.HasSuffix(lower, ".tgz") || strings.HasSuffix(lower, ".tar")
}

// withoutArchiveExt returns the name of an archive without its extension.
func withoutArchiveExt(base string) string {
	for _, ext := range []string{".tar.gz", ".tgz", ".tar"} {
		if n := len(base) - len(ext); n > 0 && strings.EqualFold(base[n:], ext) {
			return base[:n]
		}
	}
	return base
}

// isForeign tells files that are no profile by their name. Those that begin
// with a dot are being written, or an editor's.
func isForeign(base string) bool {
	if strings.HasPrefix(base, ".") {
		return true
	}
	switch strings.ToLower(path.Ext(base)) {
	case ".json", ".csv", ".md", ".yaml", ".yml", ".html", ".svg", ".png", ".go", ".py", ".sh", ".lock", ".tmp":
		return true
	}
	return false
}

// isPprofName tells names that only profiles have.
func isPprofName(base string) bool {
	switch path.Ext(strings.TrimSuffix(base, ".gz")) {
	case ".pb", ".pprof":
		return true
	}
	return strings.Contains(base, "goroutine") && isProfileName(base)
}

// isProfileName tells names under which only a profile is expected, so that it
// is worth a warning when none is in it.
func isProfileName(base string) bool {
	switch path.Ext(strings.TrimSuffix(base, ".gz")) {
	case ".pb", ".pprof", ".prof", ".txt":
		return true
	}
	return strings.HasSuffix(base, ".gz")
}
