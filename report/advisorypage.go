package report

import (
	_ "embed" // for advisoryTemplate
	"html"
	"io"
	"strings"
	"text/template"

	"github.com/thanosleak/thanosleak/classify/advisory"
)

//go:embed advisories.md.tmpl
var advisoryTemplate string

// AdvisoryMarkdown writes a page about advisories, those of releases first, in
// the order given.
func AdvisoryMarkdown(w io.Writer, db *advisory.DB, list []*advisory.Advisory) error {
	t, err := template.New("advisories").Funcs(template.FuncMap{
		"anchor": strings.ToLower,
		"join":   func(words []string) string { return strings.Join(words, ", ") },
		"cell":   func(s string) string { return strings.ReplaceAll(prose(s), "|", `\|`) },
		"prose":  prose,
		"span":   func(r *advisory.Range) string { return db.Span(*r) },
		"spans":  func(a *advisory.Advisory) string { return spans(db, a) },
		"source": func(a *advisory.Advisory) string { return sources[a.KnownFrom] },
		"wayOut": func(a *advisory.Advisory) []string { return wayOut(db, a) },
		"leave":  func(a *advisory.Advisory) string { return leave(db, a) },
		"pattern": func(role string, p advisory.Pattern) string {
			return strings.Join(append([]string{"# " + role + ": " + describe(&p)}, frameLines(&p)...), "\n")
		},
	}).Parse(advisoryTemplate)
	if err != nil {
		return err
	}
	var leaks, patterns []*advisory.Advisory
	for _, a := range list {
		if a.Class == advisory.Generic {
			patterns = append(patterns, a)
		} else {
			leaks = append(leaks, a)
		}
	}
	return t.Execute(w, struct {
		DB              *advisory.DB
		Leaks, Patterns []*advisory.Advisory
	}{db, leaks, patterns})
}

// prose returns a text of an advisory for Markdown: on lines of its own
// paragraphs, with what Markdown would take for markup made plain.
func prose(s string) string {
	s = html.EscapeString(advisory.Describe(strings.TrimSpace(s)))
	s = strings.NewReplacer("&#34;", `"`, "&#39;", "'", "*", `\*`, "_", `\_`, "[", `\[`).Replace(s)
	paragraphs := strings.Split(s, "\n\n")
	for i, p := range paragraphs {
		paragraphs[i] = strings.Join(strings.Fields(p), " ")
	}
	return strings.Join(paragraphs, "\n\n")
}

// leave says in a few words where to go from the newest affected release.
func leave(db *advisory.DB, a *advisory.Advisory) string {
	for i := len(db.Releases) - 1; i >= 0; i-- {
		if rel, err := advisory.ParseRelease(db.Releases[i]); err == nil && a.Affects(rel) {
			return destination(db, a, &rel)
		}
	}
	return "none: mitigate"
}
