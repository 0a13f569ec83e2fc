package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/classify"
)

// lives makes the totals of lives, each a row of counts.
func lives(rows ...[]int) []classify.Total {
	var all []classify.Total
	for life, row := range rows {
		for _, n := range row {
			all = append(all, classify.Total{Life: life, Goroutines: n})
		}
	}
	return all
}

func TestSparkline(t *testing.T) {
	for _, tt := range []struct {
		name   string
		totals []classify.Total
		want   string
	}{
		{"nothing", nil, ""},
		{"zeros", lives([]int{0, 0}), "▁▁"},
		{"steady", lives([]int{20, 20, 20}), "███"},
		{"from zero to the maximum", lives([]int{0, 1, 2, 3, 4, 5, 6, 7}), "▁▂▃▄▅▆▇█"},
		{"a restart", lives([]int{7, 14}, []int{2, 4}), "▄█ ▂▃"},
		{"the largest of those that share a bar", lives(slices.Repeat([]int{1, 100, 1}, sparkWidth)), strings.Repeat("█", sparkWidth)},
		{"restarts within a bar", lives(slices.Repeat([]int{5}, sparkWidth), []int{1}, []int{1}, []int{1}), strings.Repeat("█", 22) + " ▂ ▂"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := sparkline(tt.totals); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestSparklineOfAnything(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var all []classify.Total
		life := 0
		for range rng.IntN(300) {
			if rng.IntN(10) == 0 {
				life++
			}
			all = append(all, classify.Total{Life: life, Goroutines: rng.IntN(1 << 20)})
		}
		line := sparkline(all)
		spaces := strings.Count(line, " ")
		bars := strings.Count(strings.Map(func(r rune) rune {
			if slices.Contains(sparkBars, r) {
				return '|'
			}
			return r
		}, line), "|")
		if bars != min(len(all), sparkWidth) || spaces > min(life, sparkWidth) || life > 0 && spaces == 0 || columns(line) != bars+spaces {
			t.Errorf("seed %d: %q of %d samples in %d lives", seed, line, len(all), life+1)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		width      int
		want       []string
	}{
		{"nothing", "", 10, []string{""}},
		{"fits", "ten letter", 10, []string{"ten letter"}},
		{"breaks", "ten letters", 10, []string{"ten", "letters"}},
		{"spaces", "  a \n b  ", 10, []string{"a b"}},
		{"a long word", "see http://host:10902/x now", 10, []string{"see", "http://hos", "t:10902/x", "now"}},
		{"counts characters", "ääääää öööö", 6, []string{"ääääää", "öööö"}},
		{"exactly as wide", "aaaaabbbbb c", 5, []string{"aaaaa", "bbbbb", "c"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, wrap(tt.text, tt.width)); d != "" {
				t.Error(d)
			}
		})
	}
}

// Wrapping loses no word, keeps their order and no line is too wide; words are
// broken only where they do not fit a line of their own.
func TestWrapLosesNothing(t *testing.T) {
	letters := []rune("abcdefghij    —ä✔")
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var text []rune
		for range rng.IntN(400) {
			text = append(text, letters[rng.IntN(len(letters))])
		}
		width := 20 + rng.IntN(60)
		lines := wrap(string(text), width)
		for _, l := range lines {
			if columns(l) > width {
				t.Errorf("seed %d: %q is wider than %d", seed, l, width)
			}
		}
		var short []string
		for _, w := range strings.Fields(string(text)) {
			if columns(w) <= width {
				short = append(short, w)
			}
		}
		whole := strings.Fields(strings.Join(lines, " "))
		for _, w := range short {
			i := slices.Index(whole, w)
			if i < 0 {
				t.Fatalf("seed %d: %q is lost or broken", seed, w)
			}
			whole = whole[i+1:]
		}
		if got, want := withoutSpaces(strings.Join(lines, "")), withoutSpaces(string(text)); got != want {
			t.Errorf("seed %d: %q, want %q", seed, got, want)
		}
	}
}

func withoutSpaces(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

func TestCuts(t *testing.T) {
	for _, tt := range []struct {
		text                string
		n                   int
		right, left, middle string
	}{
		{"thanos", 6, "thanos", "thanos", "thanos"},
		{"thanos", 5, "than…", "…anos", "th…os"},
		{"thanös", 4, "tha…", "…nös", "th…s"},
		{"thanos", 1, "…", "…", "…"},
		{"thanos", 0, "…", "…", "…"},
		{"", 0, "", "", ""},
	} {
		t.Run(fmt.Sprintf("%s to %d", tt.text, tt.n), func(t *testing.T) {
			got := []string{cut(tt.text, tt.n), cutLeft(tt.text, tt.n), cutMiddle(tt.text, tt.n)}
			if d := cmp.Diff([]string{tt.right, tt.left, tt.middle}, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestFlow(t *testing.T) {
	for _, tt := range []struct {
		width int
		want  string
	}{
		{40, "label  one  two  three\n"},
		{20, "label  one  two\n    three\n"},
		{12, "label  one\n    two\n    three\n"},
	} {
		p := &page{width: tt.width}
		p.flow(4, text("label  "), text("one"), text("  two"), text("  three"))
		if d := cmp.Diff(tt.want, p.buf.String()); d != "" {
			t.Errorf("%d columns: %s", tt.width, d)
		}
	}
}

func TestPrintable(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"store.(*eagerRespSet).Next ✔ →", "store.(*eagerRespSet).Next ✔ →"},
		{"first\nsecond\tthird\r\n", "first second third  "},
		{"\x1b[2J", "�[2J"},
		{"\u009b2J\u0085", "�2J�"},
		{"a\u202eb\u2066c\u200dd\ufeff", "a�b�c�d�"},
		{"\x00\x7f", "��"},
		{"a\xffb", "a�b"},
		{"\U000e0041", "�"},
	} {
		if got := printable(tt.in); got != tt.want {
			t.Errorf("printable(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
