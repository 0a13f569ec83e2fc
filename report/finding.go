package report

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// labelWidth is the column at which what stands behind "why", "do" and "not"
// begins.
const labelWidth = 9

// countColumn and leafColumn are the columns at which counts and, behind them
// and the state, functions begin in lists of stacks.
const (
	countColumn = 12
	stateColumn = countColumn + 8
	leafColumn  = stateColumn + stateWidth + 2
)

// stateWidth is the length of the longest state that matters: "chan receive
// (nil chan)".
const stateWidth = 23

// stackLines is the number of stacks of each role that are shown unless all
// are asked for; the rest is summed up.
const stackLines = 3

// evidenceLines is the number of reasons that are shown unless all are asked
// for: the strongest. Doubts are always shown.
const evidenceLines = 3

// finding writes one finding below its headline: where, why, what to do, and
// last the reasons to believe it, which are long and change nothing in what is
// to be done first.
func (p *page) finding(f *classify.Finding, r *classify.Result, verbose bool) {
	if f.Status == classify.StatusOngoing && f.FirstSeen != nil {
		p.line(text("  first reported " + f.FirstSeen.UTC().Format("2006-01-02 15:04:05 UTC")))
	}
	p.blank()
	if t := onlyTarget(f, r); t != nil {
		if len(r.Targets) > 1 {
			p.paragraph(text("  target"), processColumn, t.Name, plain)
		}
		p.process(t)
		p.past(t)
	} else {
		p.occurrences(f, r, verbose)
		p.pasts(f, r, verbose)
		p.blank()
	}
	p.stacks("culprits", classify.RoleCulprit, f.Stacks, verbose)
	p.stacks("victims", classify.RoleVictim, f.Stacks, verbose)
	p.blank()
	if f.Why != "" {
		p.paragraph(styled("  why", bold), labelWidth, f.Why, plain)
	}
	for _, m := range merged(f.Remedies) {
		if len(f.Remedies) > 1 {
			p.blank()
			p.paragraph(styled("  for", bold), labelWidth, m.whom, bold)
		}
		p.remedy(m.Remedy)
	}
	if len(f.Remedies) > 0 {
		p.blank()
	}
	p.seen(f, verbose)
}

// onlyTarget returns the target of a finding that occurs once; nil for more.
func onlyTarget(f *classify.Finding, r *classify.Result) *classify.TargetResult {
	if len(f.Occurrences) != 1 {
		return nil
	}
	return target(r, f.Occurrences[0].Target)
}

func target(r *classify.Result, name string) *classify.TargetResult {
	for i := range r.Targets {
		if r.Targets[i].Name == name {
			return &r.Targets[i]
		}
	}
	return &classify.TargetResult{Name: name}
}

// stacks lists the stacks of a role.
func (p *page) stacks(label, role string, stacks []classify.Stack, verbose bool) {
	shown, rest, goroutines := 0, 0, 0
	for _, s := range alike(stacks, verbose) {
		if s.Role != role {
			continue
		}
		if shown >= stackLines && !verbose {
			rest++
			goroutines += s.Count
			continue
		}
		if shown > 0 {
			label = ""
		}
		p.stack(label, s.Stack, s.stacks)
		shown++
		if verbose {
			p.frames(s.Stack)
		}
	}
	if rest > 0 {
		p.line(text(pad("", countColumn)+fmt.Sprintf("%6d", goroutines)), styled(fmt.Sprintf("  in %d more %s (-v shows all)", rest, stacksNoun(rest)), dim))
	}
}

// bundle is several stacks that stand on one line.
type bundle struct {
	classify.Stack
	stacks int
}

// alike puts stacks together that differ only in callers: a query waits in one
// place below many shapes of expressions.
func alike(stacks []classify.Stack, verbose bool) []bundle {
	var bundles []bundle
	for _, s := range stacks {
		name, position := telling(s.Frames)
		i := slices.IndexFunc(bundles, func(b bundle) bool {
			n, p := telling(b.Frames)
			return n == name && p == position && b.State == s.State && b.Role == s.Role
		})
		if i < 0 || verbose {
			bundles = append(bundles, bundle{Stack: s, stacks: 1})
			continue
		}
		bundles[i].Count += s.Count
		bundles[i].stacks++
	}
	return bundles
}

func stacksNoun(n int) string {
	if n == 1 {
		return "stack"
	}
	return "stacks"
}

// stack writes stacks that are alike: count, state, leaf and its line, and how
// many they are. On a narrow page it takes more than one line.
func (p *page) stack(label string, s classify.Stack, stacks int) {
	state := s.State
	if state == "" {
		state = "state unknown"
	}
	leaf, position := telling(s.Frames)
	indent := leafColumn
	if columns(leaf) > p.width-leafColumn {
		indent = stateColumn
	}
	spans := []span{styled(pad("  "+label, countColumn), bold), text(fmt.Sprintf("%6d  ", s.Count)),
		styled(pad(state, stateWidth), dim), text("  " + leaf), styled("  "+position, dim)}
	if stacks > 1 {
		spans = append(spans, styled(fmt.Sprintf("  %d stacks", stacks), dim))
	}
	p.flow(indent, spans...)
}

// telling returns the function that says most of a stack and its position: the
// leaf-most that is not of the standard library, else the leaf.
func telling(frames []classify.Frame) (name, position string) {
	if len(frames) == 0 {
		return "(no frames)", ""
	}
	at := frames[0]
	for _, f := range frames {
		if first, _, _ := strings.Cut(f.Func, "/"); strings.Contains(first, ".") && strings.Contains(f.Func, "/") || strings.HasPrefix(f.Func, "main.") {
			at = f
			break
		}
	}
	if at.File != "" {
		position = fmt.Sprintf("%s:%d", path.Base(strings.ReplaceAll(at.File, `\`, "/")), at.Line)
	}
	return classify.ShortFunc(at.Func), position
}

// frames lists all calls of a stack. Of a file the end says most, and with it
// the package of the function.
func (p *page) frames(s classify.Stack) {
	indent := strings.Repeat(" ", stateColumn+2)
	for _, f := range s.Frames {
		line := indent + classify.ShortFunc(f.Func) + "  "
		file := fmt.Sprintf("%s:%d", f.File, f.Line)
		p.line(styled(line+cutLeft(file, max(p.width-columns(line), 0)), dim))
	}
	if s.CreatedBy != "" {
		p.line(styled(indent+"created by "+classify.ShortFunc(s.CreatedBy), dim))
	}
}

// surest returns the occurrence of the highest level, of those the one with
// most culprits; nil if there is none.
func surest(occurrences []classify.Occurrence) *classify.Occurrence {
	var best *classify.Occurrence
	for i := range occurrences {
		o := &occurrences[i]
		if best == nil || !best.Level.AtLeast(o.Level) || best.Level == o.Level && o.Culprits > best.Culprits {
			best = o
		}
	}
	return best
}

// seen lists the evidence and the preconditions, those of the occurrence that
// is surest; all with verbose.
func (p *page) seen(f *classify.Finding, verbose bool) {
	best := surest(f.Occurrences)
	if best == nil {
		return
	}
	label := "  seen"
	if len(f.Occurrences) > 1 {
		p.paragraph(styled(label, bold), labelWidth, "on "+best.Target+":", plain)
		label = ""
	}
	shown := 0
	for _, e := range best.Evidence {
		minor := e.Strength == classify.Link || shown >= evidenceLines && e.Strength != classify.Contrary
		if e.Kind == classify.KindPrecondition || minor && !verbose {
			continue
		}
		shown++
		p.paragraph(styled(label, bold), labelWidth, e.Text, plain)
		label = ""
	}
	if i := slices.IndexFunc(best.Evidence, isChain); i >= 0 && !verbose {
		p.told("  chain", best.Evidence[i].Text)
	}
	p.told("  since", best.Since)
	p.told("  cost", best.Cost)
	label = "  needs"
	for _, c := range best.Preconditions {
		mark := "? not known: "
		switch {
		case c.Met != nil && *c.Met:
			mark = "✔ "
		case c.Optional:
			continue
		case c.Met != nil:
			mark = "✘ "
		}
		look := ""
		if c.Met == nil && c.Look != "" {
			look = " (look at " + c.Look + ")"
		}
		p.paragraph(styled(label, bold), labelWidth, mark+c.Text+here(c.Observed)+look, plain)
		label = ""
	}
}

// isChain reports whether evidence tells who waits for whom: it is worth a line
// though it proves nothing.
func isChain(e classify.Evidence) bool { return e.Kind == classify.KindChain }

// told writes a sentence that may be missing.
func (p *page) told(label, s string) {
	if s != "" {
		p.paragraph(styled(label, bold), labelWidth, s, plain)
	}
}

// here says what was found on the process.
func here(observed string) string {
	if observed == "" {
		return ""
	}
	return " (here: " + observed + ")"
}

// advice is a remedy and whom it is for: targets and their release, or more
// than one of these.
type advice struct {
	*classify.Remedy
	whom string
}

// merged puts remedies together that say the same for different releases, so
// that nobody compares a screen of text with the next.
func merged(remedies []classify.Remedy) []advice {
	var all []advice
	for i := range remedies {
		m := &remedies[i]
		version := "unknown version"
		if name := cmp.Or(m.Version, candidates(m.Candidates)); name != "" {
			version = "thanos " + name
		}
		whom := fmt.Sprintf("%s (%s)", strings.Join(m.Targets, ", "), version)
		same := slices.IndexFunc(all, func(a advice) bool { return slices.Equal(a.Steps, m.Steps) && slices.Equal(a.Avoid, m.Avoid) })
		if same < 0 {
			all = append(all, advice{m, whom})
			continue
		}
		all[same].whom += ", " + whom
	}
	return all
}

// remedy lists the steps.
func (p *page) remedy(m *classify.Remedy) {
	for i, s := range m.Steps {
		label := "  do"
		if i > 0 {
			label = ""
		}
		p.step(pad(label, 6)+fmt.Sprintf("%-3d", i+1), s)
	}
	label := "  not"
	for _, a := range m.Avoid {
		p.paragraph(styled(label, bold), labelWidth, a, plain)
		label = ""
	}
}

// step writes what to do, the command on a line of its own so that it can be
// copied whole, and what it costs.
func (p *page) step(label string, s classify.Step) {
	switch command := typedApart(s); {
	case command == "":
		p.paragraph(styled(label, bold), labelWidth, s.Text, plain)
	case labelWidth+columns(s.Text)+2+columns(command) <= p.width:
		p.line(styled(label, bold), text(s.Text+"  "), styled(command, bold))
	default:
		p.paragraph(styled(label, bold), labelWidth, s.Text, plain)
		p.command(command)
	}
	if s.Cost != "" {
		p.paragraph(text(""), labelWidth, "cost: "+s.Cost, dim)
	}
}

// typedApart is the command of a step, unless its text names it; empty if there is
// none.
func typedApart(s classify.Step) string {
	if strings.Contains(s.Text, s.Command) {
		return ""
	}
	return s.Command
}

// stepLine is a step in one line.
func stepLine(s classify.Step) string {
	if command := typedApart(s); command != "" {
		return s.Text + ": " + command
	}
	return s.Text
}

// command writes a command whole, however long it is.
func (p *page) command(c string) {
	p.buf.WriteString(strings.Repeat(" ", labelWidth+2))
	p.paint(printable(c), bold)
	p.buf.WriteByte('\n')
}
