package report

import (
	"cmp"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/classify"
)

// Page writes the result as a web page that reloads itself every minute: the
// verdict in its title, the findings, the targets, and the report as text. It
// is static and loads nothing; what comes from a target is escaped.
func Page(w io.Writer, run Run, r *classify.Result, o TextOptions) error {
	var text strings.Builder
	if err := Text(&text, run, r, o); err != nil {
		return err
	}
	v := pageView{Verdict: strings.ToUpper(string(r.Verdict)), Bad: r.Verdict == classify.VerdictLeak, Run: run, Text: text.String()}
	for _, t := range r.Targets {
		v.Targets = append(v.Targets, pageTarget{t, found(r, t.Name)})
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Level.AtLeast(classify.Suspect) {
			word, what, _ := headlineOf(f, r)
			v.Findings = append(v.Findings, pageFinding{Word: word, What: printable(what), Since: f.FirstSeen})
		}
	}
	return pageTemplate.Execute(w, v)
}

type pageView struct {
	Verdict  string
	Bad      bool
	Run      Run
	Findings []pageFinding
	Targets  []pageTarget
	Text     string
}

type pageTarget struct {
	classify.TargetResult
	Found string // what was found there; empty for nothing
}

// found names what was found on a target.
func found(r *classify.Result, name string) string {
	var all []string
	for _, f := range r.Findings {
		for _, o := range f.Occurrences {
			if o.Target == name && o.Level.AtLeast(classify.Suspect) {
				all = append(all, printable(cmp.Or(f.Advisory, f.Title)+" "+string(o.Level)))
			}
		}
	}
	return strings.Join(all, ", ")
}

type pageFinding struct {
	Word, What string
	Since      *time.Time
}

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"utc":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
	"clean": printable,
	"ptr":   func(t *time.Time) time.Time { return *t },
}).Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="60">
<title>{{.Verdict}} · thanosleak</title>
<style>
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 1.5rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 .2rem; }
h1.bad { color: light-dark(#b00020, #ff8a80); }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
p { margin: .2rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid light-dark(#ddd, #444); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.t { white-space: nowrap; }
pre { overflow-x: auto; padding: .8rem; background: light-dark(#f5f5f5, #1c1c1c); font-size: 13px; line-height: 1.4; }
.dim { color: light-dark(#595959, #aaa); }
</style>
</head>
<body>
<h1{{if .Bad}} class="bad"{{end}}>{{.Verdict}}</h1>
<p class="dim">thanosleak {{.Run.Version}}, last round {{utc .Run.Finished}}, knowledge of {{.Run.AdvisoriesVersion}}</p>
<h2>Findings</h2>
{{range .Findings}}<p><strong>{{.Word}}</strong> {{.What}}{{if .Since}} <span class="dim">first seen {{utc (ptr .Since)}}</span>{{end}}</p>
{{else}}<p>{{if eq .Verdict "INCOMPLETE"}}Nothing was found, but not every target could be looked at.{{else}}Nothing that is worth a look.{{end}}</p>
{{end}}<h2>Targets</h2>
<div class="wide"><table>
<tr><th>target</th><th>component</th><th>thanos</th><th class="n">goroutines</th><th>found</th><th>judged</th><th>last sample</th></tr>
{{range .Targets}}<tr><td>{{clean .Name}}</td><td>{{clean .Component}}</td><td>{{clean .ThanosVersion}}</td><td class="n">{{if .Samples}}{{.Goroutines.Last}}{{end}}</td><td>{{.Found}}</td><td>{{.Judged}}{{if .Error}}: {{clean .Error}}{{end}}</td><td class="t">{{if .LastSample}}{{utc (ptr .LastSample)}}{{end}}</td></tr>
{{end}}</table></div>
<h2>Report</h2>
<pre>{{.Text}}</pre>
</body>
</html>
`))
