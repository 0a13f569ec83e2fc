package advisory

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/semver"
)

//go:embed TL-*.yaml knowledge.yaml
var embedded embed.FS

// knowledgeFile is the embedded file that is no advisory: what else is known.
const knowledgeFile = "knowledge.yaml"

// A DB is what is known: advisories and releases.
type DB struct {
	// Advisories are in the order of their IDs.
	Advisories []*Advisory
	// Version is the day on which the knowledge was last checked
	// ("2026-11-23").
	Version string
	// Releases are all Thanos releases, oldest first, without "v".
	Releases []string
	// Benign are the goroutines of healthy processes, the more special rows
	// first.
	Benign []Benign
}

// knowledge is the form of knowledgeFile.
type knowledge struct {
	Version  string   `yaml:"version"`
	Releases []string `yaml:"releases"`
}

// Default returns the embedded knowledge.
func Default() (*DB, error) {
	raw, err := embedded.ReadFile(knowledgeFile)
	if err != nil {
		return nil, err
	}
	var k knowledge
	if err := decode(knowledgeFile, raw, &k); err != nil {
		return nil, err
	}
	benign, err := readBenign(benignFile, benignRaw)
	if err != nil {
		return nil, err
	}
	db := &DB{Version: k.Version, Releases: k.Releases, Benign: benign}
	return db, db.Load(embedded)
}

// Load adds the advisories of the *.yaml and *.yml files in fsys. All files are looked
// at; the error joins what is wrong with each.
func (db *DB) Load(fsys fs.FS) error {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		name := e.Name()
		if ext := path.Ext(name); e.IsDir() || name == knowledgeFile || ext != ".yaml" && ext != ".yml" {
			continue
		}
		if err := db.loadFile(fsys, name); err != nil {
			errs = append(errs, err)
		}
	}
	slices.SortFunc(db.Advisories, func(a, b *Advisory) int { return strings.Compare(a.ID, b.ID) })
	return errors.Join(errs...)
}

func (db *DB) loadFile(fsys fs.FS, name string) error {
	if name == benignFile {
		return fmt.Errorf("%s: what is benign is built in; call an advisory by another name", name)
	}
	raw, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	a := &Advisory{}
	if err := decode(name, raw, a); err != nil {
		return err
	}
	if err := a.validate(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if db.ByID(a.ID) != nil {
		return fmt.Errorf("%s: there is an advisory %s already", name, a.ID)
	}
	db.Advisories = append(db.Advisories, a)
	return nil
}

// decode reads YAML strictly: unknown fields are errors, and so is a second
// document, which would be lost.
func decode(name string, raw []byte, into any) error {
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	err := dec.Decode(into)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: the file is empty: want one advisory a file", name)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var more yaml.Node
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: more than one document: want one advisory a file", name)
	}
	return nil
}

// ByID returns the advisory with the ID, or nil.
func (db *DB) ByID(id string) *Advisory {
	for _, a := range db.Advisories {
		if a.ID == id {
			return a
		}
	}
	return nil
}

// Flags returns the names of the command-line flags that the advisories read,
// in order.
func (db *DB) Flags() []string {
	var names []string
	add := func(text string) {
		for _, m := range placeholderRE.FindAllStringSubmatch(text, -1) {
			if m[1] == Tiers {
				continue
			}
			names = append(names, m[1])
		}
	}
	for _, a := range db.Advisories {
		add(a.Why)
		for _, p := range a.Preconditions {
			if p.Flag != "" {
				names = append(names, p.Flag)
			}
		}
		for _, m := range a.Mitigate {
			add(m.Text + m.Cost)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

var placeholderRE = regexp.MustCompile(`\$\{([a-z0-9.-]+)(?::([^}]*))?\}`)

// Fill replaces ${flag} and ${flag:default} by the values of flags; a flag
// that is neither known nor has a default is named.
func Fill(text string, flags map[string]string) string {
	return placeholderRE.ReplaceAllStringFunc(text, func(s string) string {
		m := placeholderRE.FindStringSubmatch(s)
		if v, ok := flags[m[1]]; ok && v != "" {
			return v
		}
		if m[2] != "" {
			return m[2]
		}
		return "the value of --" + m[1]
	})
}

// components are the values that components may have: those of
// [profile.Target.Component], and the tools that leave no process to look at.
var components = []string{"compact", "query", "query-frontend", "receive", "rule", "sidecar", "store", "tools"}

var idRE = regexp.MustCompile(`^[A-Z]+(-[A-Z0-9]+)*-\d+$`)

// validate checks what decoding cannot.
func (a *Advisory) validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !idRE.MatchString(a.ID) {
		bad("id %q: want the form TL-2024-001", a.ID)
	}
	for field, text := range map[string]string{"title": a.Title, "why": a.Why, "summary": a.Summary} {
		if strings.TrimSpace(text) == "" {
			bad("%s is missing", field)
		}
	}
	if !slices.Contains([]Class{Leak, Deadlock, PileUp, Generic}, a.Class) {
		bad("class %q: want leak, deadlock, pile-up or pattern", a.Class)
	}
	if !slices.Contains(severities, a.Severity) {
		bad("severity %q: want critical, high, medium, low or info", a.Severity)
	}
	if !slices.Contains([]Source{Captured, Reproduced, ReadOnly}, a.KnownFrom) {
		bad("known_from %q: want captured, reproduced or source", a.KnownFrom)
	}
	if len(a.Components) == 0 && a.Class != Generic {
		bad("components is missing")
	}
	errs = append(errs, validateComponents(a.Components), a.validateSettling())
	if len(a.Affected) == 0 && a.Class != Generic {
		bad("affected is missing")
	}
	for _, r := range a.Affected {
		errs = append(errs, r.validate("affected"))
	}
	for i := range a.Culprits {
		errs = append(errs, a.Culprits[i].validate("culprits", true))
	}
	for i := range a.Victims {
		errs = append(errs, a.Victims[i].validate("victims", false))
	}
	for _, p := range a.Preconditions {
		errs = append(errs, p.validate())
	}
	for _, m := range a.Mitigate {
		errs = append(errs, m.Releases.validate("mitigate.releases"))
	}
	for _, v := range a.Avoid {
		errs = append(errs, v.Releases.validate("avoid.releases"))
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return errors.Join(errs...)
}

// validateComponents names the components that there are not.
func validateComponents(names []string) error {
	var errs []error
	for _, c := range names {
		if !slices.Contains(components, c) {
			errs = append(errs, fmt.Errorf("components: %q: want some of %s", c, strings.Join(components, ", ")))
		}
	}
	return errors.Join(errs...)
}

// validateSettling checks that only what ends by itself is said to settle: a
// leak with a bound would be excused until it is reached.
func (a *Advisory) validateSettling() error {
	switch {
	case a.SettlesWithin < 0:
		return fmt.Errorf("settles_within %s: want a positive duration", a.SettlesWithin)
	case a.SettlesWithin > 0 && a.Class != PileUp:
		return fmt.Errorf("settles_within: a %s does not settle, only a pile-up does", a.Class)
	}
	return nil
}

// validate checks a range; nil, which stands for all releases, is right.
func (r *Range) validate(field string) error {
	if r == nil {
		return nil
	}
	for _, v := range []string{r.Introduced, r.Fixed} {
		if v != "" && !semver.IsValid("v"+v) {
			return fmt.Errorf("%s: %q is not a release such as 0.35.1", field, v)
		}
	}
	if r.Introduced != "" && r.Fixed != "" && semver.Compare("v"+r.Introduced, "v"+r.Fixed) >= 0 {
		return fmt.Errorf("%s: introduced %s is not before fixed %s", field, r.Introduced, r.Fixed)
	}
	for _, v := range r.Except {
		if rel, err := ParseRelease(v); err != nil || !candidateRE.MatchString(rel.Suffix) || rel.Number+rel.Suffix != "v"+v {
			return fmt.Errorf("%s: except %q is not a release candidate such as 0.36.0-rc.1", field, v)
		}
	}
	return nil
}

func (p *Pattern) validate(field string, culprit bool) error {
	if err := validateFrames(field, p.Frames); err != nil {
		return err
	}
	allowed := []Health{""}
	if culprit {
		allowed = []Health{Never, Briefly, Always}
	}
	if !slices.Contains(allowed, p.InHealth) {
		return fmt.Errorf("%s: in_health %q: culprits want never, briefly or always, victims none", field, p.InHealth)
	}
	return p.Releases.validate(field + ".releases")
}

// validateFrames checks the frames of one pattern.
func validateFrames(field string, frames []string) error {
	if len(frames) == 0 || slices.Contains(frames, "") {
		return fmt.Errorf("%s: a pattern needs frames, leaf first", field)
	}
	if frames[len(frames)-1] == gap {
		return fmt.Errorf("%s: %q at the end of the frames says nothing: leave it out", field, gap)
	}
	return nil
}

func (p *Precondition) validate() error {
	if (p.Flag == "") == (p.Topology == "") {
		return fmt.Errorf("preconditions: want either flag or topology")
	}
	if p.Flag != "" && (len(p.Is) == 0) == (p.Above == "") {
		return fmt.Errorf("preconditions: flag %s wants either is or above", p.Flag)
	}
	if p.Above != "" {
		if _, err := time.ParseDuration(p.Above); err != nil {
			return fmt.Errorf("preconditions: above %q is not a duration", p.Above)
		}
	}
	if p.Topology != "" && !slices.Contains(topologies, p.Topology) {
		return fmt.Errorf("preconditions: topology %q: want %s", p.Topology, strings.Join(topologies, " or "))
	}
	return nil
}

// The topologies that a leak may need.
const (
	ChainedQueriers = "chained-queriers" // the querier queries queriers
	DeadEndpoint    = "dead-endpoint"    // an endpoint refuses connections
)

var topologies = []string{ChainedQueriers, DeadEndpoint}

// Tiers is the placeholder that stands for the processes to restart: it is
// filled by what is known of query chaining, not by a flag.
const Tiers = "tiers"
