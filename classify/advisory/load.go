package advisory

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

//go:embed TL-*.yaml G-*.yaml knowledge.yaml
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

	files map[string]string // by the ID of an advisory, the file that it is from
}

// knowledge is the form of knowledgeFile.
type knowledge struct {
	Version  string   `yaml:"version"`
	Releases []string `yaml:"releases"`
}

// Default returns the embedded knowledge. The advisories are shared by all
// callers, who must not change them.
func Default() (*DB, error) {
	db, err := builtIn()
	if err != nil {
		return nil, err
	}
	own := *db
	own.Advisories, own.files = slices.Clone(db.Advisories), maps.Clone(db.files)
	return &own, nil
}

// builtIn reads the embedded files, once.
var builtIn = sync.OnceValues(func() (*DB, error) {
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
})

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
	raw, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	if name == benignFile {
		if bytes.Equal(raw, benignRaw) {
			return nil // the folder of the built-in ones
		}
		return fmt.Errorf("%s: what is benign is built in; call an advisory by another name", name)
	}
	a := &Advisory{}
	if err := decode(name, raw, a); err != nil {
		return err
	}
	if err := a.validate().in(name, raw); err != nil {
		return err
	}
	if db.ByID(a.ID) != nil {
		return problems{{"id", fmt.Sprintf("there is an advisory %s already", a.ID)}}.in(name, raw)
	}
	db.Advisories = append(db.Advisories, a)
	if db.files == nil {
		db.files = map[string]string{}
	}
	db.files[a.ID] = name
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

// Find returns the advisory with the ID, in whatever case it is written; nil if
// there is none.
func (db *DB) Find(id string) *Advisory {
	for _, a := range db.Advisories {
		if strings.EqualFold(a.ID, id) {
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
		for _, m := range placeholderRE().FindAllStringSubmatch(text, -1) {
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

// Describe returns a text of an advisory without any process: asides about this
// one ("here ${flag}") are left out, other placeholders become their defaults.
func Describe(text string) string {
	text = asideRE().ReplaceAllString(text, "")
	return Fill(text, map[string]string{Tiers: "it (of chained queriers both tiers)"})
}

var asideRE = lazyregexp.New(` \(here \$\{[^}]*\}\)|, here \$\{[^}]*\}`)

var placeholderRE = lazyregexp.New(`\$\{([a-z0-9.-]+)(?::([^}]*))?\}`)

// Fill replaces ${flag} and ${flag:default} by the values of flags; a flag
// that is neither known nor has a default is named.
func Fill(text string, flags map[string]string) string {
	return placeholderRE().ReplaceAllStringFunc(text, func(s string) string {
		m := placeholderRE().FindStringSubmatch(s)
		if v, ok := flags[m[1]]; ok && v != "" {
			return v
		}
		if m[2] != "" {
			return m[2]
		}
		return "the value of --" + m[1]
	})
}
