package advisory

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/profile"
)

// fixtures is the folder beside the advisories that holds their fixtures: dumps
// that show them, named by the ID ("OWN-1.txt", "OWN-1-v0.36.0.pb.gz").
const fixtures = "testdata"

// Checked tells how much a check has looked at.
type Checked struct {
	Advisories, Fixtures int
}

// Check reads the advisories in fsys and holds each against its fixtures, the
// dumps in testdata: every pattern must be seen there, and nothing that belongs
// to another advisory, of fsys or of db, or to a healthy process. The error
// joins all that is wrong, a line each, beginning with the file and, where
// there is one, its line.
func (db *DB) Check(fsys fs.FS) (Checked, error) {
	own := &DB{Releases: db.Releases, Benign: db.Benign}
	err := own.Load(fsys)
	c := checker{own: own, known: db, fsys: fsys, dumps: map[string][]dump{}}
	c.readFixtures()
	for _, a := range own.Advisories {
		c.advisory(a)
	}
	slices.SortFunc(c.errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return Checked{Advisories: len(own.Advisories), Fixtures: c.read}, errors.Join(append([]error{err}, c.errs...)...)
}

// checker holds advisories against fixtures.
type checker struct {
	own, known *DB
	fsys       fs.FS
	dumps      map[string][]dump // by the ID of the advisory
	read       int               // fixtures that could be read
	errs       []error
}

// dump is one fixture.
type dump struct {
	file   string
	groups []profile.Group
}

func (c *checker) fail(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

// readFixtures reads all fixtures and finds the advisory of each.
func (c *checker) readFixtures() {
	entries, err := fs.ReadDir(c.fsys, fixtures)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.fail("%s: %w", fixtures, err)
	}
	for _, e := range entries {
		id := c.idOf(e.Name())
		if id == "" || e.IsDir() {
			continue // something else that is kept there, or of an advisory that is not right yet
		}
		d := dump{file: path.Join(fixtures, e.Name())}
		groups, err := readGroups(c.fsys, d.file)
		if err != nil {
			c.fail("%s: %w", d.file, err)
			continue
		}
		d.groups = groups
		c.dumps[id] = append(c.dumps[id], d)
		c.read++
	}
}

// idOf returns the ID of the advisory that a fixture is of by its name: the
// longest that it begins with. It is empty for none.
func (c *checker) idOf(name string) string {
	best := ""
	for _, a := range c.own.Advisories {
		rest, ok := strings.CutPrefix(name, a.ID)
		if ok && len(a.ID) > len(best) && (strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "-")) {
			best = a.ID
		}
	}
	return best
}

func readGroups(fsys fs.FS, name string) ([]profile.Group, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	snapshots, err := profile.Read(f, profile.Options{})
	if err != nil {
		return nil, err
	}
	var groups []profile.Group
	for _, s := range snapshots {
		if s.Unreadable > 0 {
			return nil, fmt.Errorf("%d goroutines could not be read", s.Unreadable)
		}
		groups = append(groups, s.Groups...)
	}
	return groups, nil
}

// advisory holds one advisory against its fixtures.
func (c *checker) advisory(a *Advisory) {
	name := c.own.files[a.ID]
	raw, err := fs.ReadFile(c.fsys, name)
	if err != nil {
		c.fail("%s: %w", name, err)
		return
	}
	var ps problems
	if known := c.known.ByID(a.ID); known != nil && !reflect.DeepEqual(known, a) {
		ps.add("id", "id %s: there is a built-in advisory of that name; choose another", a.ID)
	}
	dumps := c.dumps[a.ID]
	if len(a.Culprits) > 0 && len(dumps) == 0 {
		ps.add("culprits", "no fixture: want a dump that shows them in %s/%s.txt (or .pb.gz)", fixtures, a.ID)
	}
	for i := range a.Culprits {
		c.pattern(&ps, fmt.Sprintf("culprits[%d]", i), &a.Culprits[i], dumps)
	}
	for i := range a.Victims {
		c.pattern(&ps, fmt.Sprintf("victims[%d]", i), &a.Victims[i], dumps)
	}
	for _, d := range dumps {
		c.strangers(a, d)
	}
	if err := ps.in(name, raw); err != nil {
		c.errs = append(c.errs, err)
	}
}

// pattern checks that a pattern is seen in a fixture, and not in what is
// healthy.
func (c *checker) pattern(ps *problems, at string, p *Pattern, dumps []dump) {
	if len(dumps) == 0 {
		return
	}
	seen := false
	var files []string
	for _, d := range dumps {
		files = append(files, d.file)
		for i := range d.groups {
			g := &d.groups[i]
			if !p.Is(g) {
				continue
			}
			seen = true
			b := c.own.BenignOf(g.Signature.Functions(), "")
			if b != nil && !b.InFlight && len(p.Each) == 0 && (p.InHealth == Never || p.InHealth == Briefly) {
				ps.add(at+".frames", "%q: healthy goroutines stand there (as many as there are of: %s); want more frames, or in_health always", p.Name, b.ScalesWith)
			}
		}
	}
	if !seen {
		ps.add(at+".frames", "%q is not in %s: want the frames of a goroutine there, such as %s", p.Name, strings.Join(files, ", "), example(dumps[0]))
	}
}

// example returns a stack of a dump, to compare a pattern with.
func example(d dump) string {
	if len(d.groups) == 0 {
		return "(there are none)"
	}
	g := &d.groups[0]
	functions := g.Signature.Functions()
	return fmt.Sprintf("%s in %q", strings.Join(functions[:min(3, len(functions))], " ← "), g.State())
}

// strangers checks that no goroutine of a fixture is one that only another
// advisory's defect explains.
func (c *checker) strangers(a *Advisory, d dump) {
	for _, other := range slices.Concat(c.own.Advisories, c.known.Advisories) {
		if other.ID == a.ID {
			continue
		}
		for i := range other.Culprits {
			p := &other.Culprits[i]
			if p.InHealth == Never && slices.ContainsFunc(d.groups, func(g profile.Group) bool { return p.Is(&g) }) {
				c.fail("%s: holds goroutines of %s: %q", d.file, other.ID, p.Name)
			}
		}
	}
}

// Is reports whether the goroutines of a group have the pattern. A state or
// creator that is not known does not rule it out.
func (p *Pattern) Is(g *profile.Group) bool {
	madeBy := p.CreatedBy == "" || g.CreatedBy == "" || MatchName(p.CreatedBy, g.CreatedBy)
	return madeBy && slices.ContainsFunc(g.Places, func(at profile.Place) bool { return p.Holds(at.State) }) && p.Match(g.Signature.Functions())
}

// Holds reports whether goroutines in the state fit the pattern; an unknown
// state does.
func (p *Pattern) Holds(s profile.State) bool {
	return p.State == "" || s == profile.StateUnknown || string(s) == p.State
}
