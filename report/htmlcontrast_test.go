package report_test

import (
	"maps"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What WCAG 2.2 wants at level AA: of text, and of graphics that tell
// something.
const (
	textContrast    = 4.5
	graphicContrast = 3
)

// colours in front, by what is behind them. TestIntegrationPages finds out that
// no others meet.
var (
	texts = map[string][]string{
		"bg":         {"fg", "dim", "link", "bad", "warn", "good"},
		"panel":      {"fg", "dim", "link", "bad", "warn", "good"},
		"culprit-bg": {"fg"},
		"victim-bg":  {"fg"},
		"both-bg":    {"fg"},
	}
	graphics = map[string][]string{
		"bg":    {"culprit", "victim", "total", "warn", "dim", "fg", "bad", "good"},
		"panel": {"total", "bad", "good"},
	}
	// decorative colours part what is told apart by other means.
	decorative = []string{"line"}
)

// rgb is a colour of the page, 0 to 255 each.
type rgb [3]float64

// luminance is the relative luminance of WCAG 2.2.
func (c rgb) luminance() float64 {
	var linear rgb
	for i, v := range c {
		if v /= 255; v <= 0.04045 {
			linear[i] = v / 12.92
		} else {
			linear[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*linear[0] + 0.7152*linear[1] + 0.0722*linear[2]
}

// contrast is 1 of a colour with itself and 21 of black with white.
func contrast(a, b rgb) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// hex reads #rgb or #rrggbb.
func hex(t *testing.T, s string) rgb {
	t.Helper()
	if len(s) == 3 {
		s = s[:1] + s[:1] + s[1:2] + s[1:2] + s[2:] + s[2:]
	}
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil || len(s) != 6 {
		t.Fatalf("#%s is no colour", s)
	}
	return rgb{float64(n >> 16), float64(n >> 8 & 255), float64(n & 255)}
}

// styleSheet returns what stands between the tags of the template's style.
func styleSheet(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("html.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	_, sheet, _ := strings.Cut(string(source), "<style>")
	sheet, _, ok := strings.Cut(sheet, "</style>")
	if !ok {
		t.Fatal("the template has no style")
	}
	return sheet
}

// schemes returns the colours by name, light and dark.
func schemes(t *testing.T, sheet string) map[string]map[string]rgb {
	t.Helper()
	all := map[string]map[string]rgb{}
	for _, block := range regexp.MustCompile(`color-scheme: (light|dark);[^}]*`).FindAllStringSubmatch(sheet, -1) {
		all[block[1]] = map[string]rgb{}
		for _, c := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]+);`).FindAllStringSubmatch(block[0], -1) {
			all[block[1]][c[1]] = hex(t, c[2])
		}
	}
	if len(all) != 2 || len(all["light"]) < 10 || len(all["dark"]) != len(all["light"]) {
		t.Fatalf("there are not as many light colours as dark ones: %v", all)
	}
	return all
}

// TestHTMLContrast: all that is read or looked at stands out, in both schemes.
func TestHTMLContrast(t *testing.T) {
	for scheme, colours := range schemes(t, styleSheet(t)) {
		for minimum, pairs := range map[float64]map[string][]string{textContrast: texts, graphicContrast: graphics} {
			for behind, fronts := range pairs {
				for _, front := range fronts {
					a, here := colours[front]
					b, there := colours[behind]
					if got := contrast(a, b); !here || !there || got < minimum {
						t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", scheme, front, behind, got, minimum)
					}
				}
			}
		}
	}
}

// TestHTMLColours: the style takes no colour but those that TestHTMLContrast
// looks at.
func TestHTMLColours(t *testing.T) {
	known := map[string]bool{}
	for _, pairs := range []map[string][]string{texts, graphics, {"": decorative}} {
		for behind, fronts := range pairs {
			known[behind] = true
			for _, front := range fronts {
				known[front] = true
			}
		}
	}
	sheet := styleSheet(t)
	used := map[string]bool{}
	declaration := regexp.MustCompile(`(?:color|background|fill|stroke|border(?:-[a-z]+)*|outline): ([^;}]*)[;}]`)
	for _, d := range declaration.FindAllStringSubmatch(sheet, -1) {
		for word := range strings.FieldsSeq(d[1]) {
			name, isVariable := strings.CutPrefix(word, "var(--")
			if isVariable {
				used[strings.TrimSuffix(name, ")")] = true
			} else if !regexp.MustCompile(`^(#[0-9a-f]+|[0-9.]+(px|rem)?|none|solid|dashed|dotted|collapse)$`).MatchString(word) {
				t.Errorf("%q is no colour by name", d[0])
			}
		}
	}
	names := slices.Sorted(maps.Keys(used))
	if len(names) < 10 {
		t.Errorf("too few colours are used: %v", names)
	}
	for _, name := range names {
		if !known[name] {
			t.Errorf("nobody looks at the contrast of %s", name)
		}
	}
	if n := strings.Count(sheet, "#"); n != 2*len(schemes(t, sheet)["light"]) {
		t.Errorf("%d colours are written down, want each once for a scheme", n)
	}
}
