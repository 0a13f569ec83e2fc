//go:build integration

package report_test

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/report"
)

// windows are a desktop's and a telephone's, in pixels.
var windows = []struct{ width, height int }{{1280, 800}, {390, 844}}

// maxPage is what a page may have in bytes.
const maxPage = 1_000_000

// pageFile makes a page in a folder of the test.
func pageFile(t *testing.T, name string, r *classify.Result) (file string) {
	t.Helper()
	var page bytes.Buffer
	if err := report.HTML(&page, theRun(), r, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if page.Len() >= maxPage {
		t.Errorf("%s: %d bytes", name, page.Len())
	}
	file = filepath.Join(t.TempDir(), name+".html")
	if err := os.WriteFile(file, page.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// named is a result of which all texts are hostile in a browser: markup,
// control characters, and names without a place to break them at.
func named(length int) *classify.Result {
	f := filler{
		text:   func(path string) string { return path + markup + hostile + strings.Repeat("x", 300) + " " },
		length: func(string) int { return length },
		number: func(path string) int64 { return int64(len(path)) },
	}
	return f.result()
}

// TestIntegrationPages looks at pages in a browser as a reader does: on a
// desktop and on a telephone, folded and unfolded, light and dark.
func TestIntegrationPages(t *testing.T) {
	b := startBrowser(t)
	pages := maps.Clone(results(t))
	pages["named"], pages["restarted"] = named(3), restarted()
	for _, name := range []string{"flagship", "clean", "undecided", "incomplete", "fleet", "many", "restarted", "named"} {
		r := pages[name]
		file := pageFile(t, name, r)
		for _, window := range windows {
			b.open(file, window.width, window.height)
			at := fmt.Sprintf("%s at %d pixels: ", name, window.width)
			if hidden := b.hiddenAnswers(); hidden != "" && name != "named" {
				t.Error(at + "the first screen does not show " + hidden)
			}
			for _, wrong := range b.wrong() {
				t.Error(at + wrong)
			}
			b.eval("document.querySelectorAll('details').forEach(d => d.open = true)", nil)
			for _, wrong := range append(b.wrong(), b.complaints(file)...) {
				t.Error(at + "unfolded, " + wrong)
			}
		}
		for _, pair := range b.faint(t) {
			t.Errorf("%s: %s", name, pair)
		}
	}
}

// hiddenAnswers returns what of the answers cannot be read without scrolling:
// of what to do, the first step.
func (b *browser) hiddenAnswers() (text string) {
	b.t.Helper()
	b.eval(`[...document.querySelectorAll('header dt'), document.querySelector('#do li') ?? document.querySelector('#do dd')]
		.filter(e => e.getBoundingClientRect().bottom > innerHeight).map(e => e.textContent).join(', ')`, &text)
	return text
}

// wrong returns what does not fit: a page that is wider than its window, and
// parts that scroll but that the keyboard does not reach.
func (b *browser) wrong() (all []string) {
	b.t.Helper()
	b.eval(`(() => {
		const page = document.documentElement, wrong = [];
		if (page.scrollWidth > page.clientWidth) wrong.push('the page is ' + page.scrollWidth + ' pixels wide');
		for (const e of document.querySelectorAll('body *')) {
			const style = getComputedStyle(e);
			if (e.tabIndex < 0 && (style.overflowX == 'auto' && e.scrollWidth > e.clientWidth || style.overflowY == 'auto' && e.scrollHeight > e.clientHeight))
				wrong.push('the keyboard does not scroll ' + e.outerHTML.slice(0, 100));
		}
		return wrong;
	})()`, &all)
	return all
}

// faint returns texts of the open page that do not stand out enough, in both
// schemes.
func (b *browser) faint(t *testing.T) (all []string) {
	t.Helper()
	for _, scheme := range []string{"dark", "light"} {
		b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}}, nil)
		var pairs []struct {
			Text          string
			Front, Behind string
		}
		b.eval(textColours, &pairs)
		if len(pairs) < 3 {
			t.Errorf("%d colours of text", len(pairs))
		}
		for _, p := range pairs {
			if got := contrast(css(t, p.Front), css(t, p.Behind)); got < textContrast {
				all = append(all, fmt.Sprintf("%s: %q has a contrast of %.2f, want %.1f", scheme, p.Text, got, textContrast))
			}
		}
	}
	return all
}

// textColours collects the colours in which texts stand, each pair once. What
// is behind a text of a drawing is the rectangle beside it.
const textColours = `(() => {
	const behind = e => {
		for (; e; e = e.parentElement) {
			const box = e.localName == 'text' && e.parentElement.querySelector(':scope > rect');
			const colour = box ? getComputedStyle(box).fill : getComputedStyle(e).backgroundColor;
			if (colour != 'rgba(0, 0, 0, 0)') return colour;
		}
	};
	const pairs = {};
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; n = texts.nextNode();) {
		const e = n.parentElement;
		if (!n.data.trim() || e.localName == 'title') continue;
		const style = getComputedStyle(e), front = e instanceof SVGElement ? style.fill : style.color;
		pairs[front + behind(e)] = {Text: n.data.slice(0, 50), Front: front, Behind: behind(e)};
	}
	return Object.values(pairs);
})()`

// css reads a colour as browsers tell it.
func css(t *testing.T, s string) rgb {
	t.Helper()
	var c rgb
	if _, err := fmt.Sscanf(s, "rgb(%f, %f, %f)", &c[0], &c[1], &c[2]); err != nil {
		t.Fatalf("the colour %q: %v", s, err)
	}
	return c
}

// TestIntegrationKeyboard goes through a page by the Tab key: to all that can be
// reached, in the order of reading, and each shows that it has been reached.
func TestIntegrationKeyboard(t *testing.T) {
	b := startBrowser(t)
	b.open(pageFile(t, "flagship", results(t)["flagship"]), 1280, 800)
	b.call("Emulation.setFocusEmulationEnabled", map[string]any{"enabled": true}, nil)
	var want []string
	b.eval(`[...document.querySelectorAll('a, summary, [tabindex]')].filter(e => e.checkVisibility()).map(e => e.outerHTML)`, &want)
	if len(want) < 8 {
		t.Fatalf("%d places to go to", len(want))
	}
	for _, place := range want {
		b.press("Tab", 9, "")
		var got struct{ HTML, Outline string }
		b.eval(`({HTML: document.activeElement.outerHTML, Outline: getComputedStyle(document.activeElement).outlineStyle})`, &got)
		if got.HTML != place || got.Outline != "solid" {
			t.Fatalf("Tab leads to %.80q with outline %s, want %.80q", got.HTML, got.Outline, place)
		}
	}
	b.eval("document.querySelector('summary').focus()", nil)
	b.press("Enter", 13, "\r")
	var isOpen bool
	if b.eval("document.querySelector('details').open", &isOpen); !isOpen {
		t.Error("Enter unfolds nothing")
	}
}

func (b *browser) press(key string, code int, text string) {
	b.t.Helper()
	for _, event := range []string{"keyDown", "keyUp"} {
		b.call("Input.dispatchKeyEvent", map[string]any{"type": event, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text}, nil)
	}
}

// TestIntegrationCopy: what is copied of a command is the command, however it is
// laid out.
func TestIntegrationCopy(t *testing.T) {
	b := startBrowser(t)
	r := results(t)["fleet"]
	b.open(pageFile(t, "fleet", r), 390, 844)
	var got []string
	b.eval(`[...document.querySelectorAll('header .command')].map(e => {
		getSelection().selectAllChildren(e);
		return getSelection().toString();
	})`, &got)
	if want := r.Findings[0].Remedies[0].Steps[0].Command; want == "" || !slices.Contains(got, want) {
		t.Errorf("%q cannot be copied, but %q", want, got)
	}
}

// TestIntegrationBadPage: a page that does what none of ours may do is found
// out.
func TestIntegrationBadPage(t *testing.T) {
	b := startBrowser(t)
	for _, tt := range []struct{ body, want string }{
		{`<script>console.log("it runs")</script>`, "Content Security Policy"},
		{`<img src="http://127.0.0.1:9/x.png">`, "Content Security Policy"},
		{`<style>@import "http://127.0.0.1:9/x.css";</style>`, "Content Security Policy"},
		{`<iframe src="about:blank"></iframe><a id="x" style="background: url(x.png)">x</a>`, "Content Security Policy"},
		{`<p style="width: 200vw">wide</p>`, "pixels wide"},
		{`<div style="overflow: auto; width: 9em"><p style="width: 99em">wide</p></div>`, "the keyboard does not scroll"},
		{`<p>one</p><p style="color: #999">two</p><p style="color: #000; background: #222">three</p>`, `"three" has a contrast of`},
	} {
		file := filepath.Join(t.TempDir(), "bad.html")
		page := `<!DOCTYPE html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<body style="background: #fff">` + tt.body
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		b.open(file, 1280, 800)
		found := append(b.wrong(), b.complaints(file)...)
		if strings.Contains(tt.want, "contrast") {
			found = b.faint(t)
		}
		if !strings.Contains(strings.Join(found, "\n"), tt.want) {
			t.Errorf("%s: found %q, want %q", tt.body, found, tt.want)
		}
	}
	// Without a policy the request itself is seen.
	file := filepath.Join(t.TempDir(), "open.html")
	if err := os.WriteFile(file, []byte(`<!DOCTYPE html><img src="missing.png"><script>console.error("told")</script>`), 0o644); err != nil {
		t.Fatal(err)
	}
	b.open(file, 1280, 800)
	for _, want := range []string{"missing.png", "consoleAPICalled"} {
		if found := b.complaints(file); !strings.Contains(strings.Join(found, "\n"), want) {
			t.Errorf("found %q, want %q", found, want)
		}
	}
}

// images are those of the README: a result, and the element of its page at
// whose end they are cut.
var images = map[string]struct{ result, last string }{
	"report-leak.png":    {"flagship", ".chain"},
	"report-healthy.png": {"clean", "main"},
	"report-fleet.png":   {"fleet", ".chart"},
}

const (
	imageWidth = 1280
	maxImage   = 150 << 10 // bytes
)

// TestIntegrationImages looks at the images in docs/images; with -update it
// makes them: go test -tags integration -run TestIntegrationImages ./report -update
func TestIntegrationImages(t *testing.T) {
	b := startBrowser(t)
	for name, want := range images {
		file := filepath.Join("..", "docs", "images", name)
		b.open(pageFile(t, want.result, results(t)[want.result]), imageWidth, 800)
		var bottom float64
		b.eval(fmt.Sprintf("document.querySelector(%q).getBoundingClientRect().bottom", want.last), &bottom)
		shot := paletted(t, b.screenshot(imageWidth, int(bottom)+16))
		if *update {
			if err := os.WriteFile(file, shot, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("%v: make it with -update", err)
		}
		size, err := png.DecodeConfig(bytes.NewReader(kept))
		if err != nil || size.Width != imageWidth || len(kept) > maxImage {
			t.Errorf("%s: %d bytes, %d pixels wide (%v)", file, len(kept), size.Width, err)
		}
	}
}

// paletted makes an image small: a page has few colours, and 256 of them are
// enough for the edges of letters.
func paletted(t *testing.T, shot []byte) []byte {
	t.Helper()
	from, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	at := from.Bounds()
	counts := map[color.Color]int{}
	for y := at.Min.Y; y < at.Max.Y; y++ {
		for x := at.Min.X; x < at.Max.X; x++ {
			counts[from.At(x, y)]++
		}
	}
	byCount := slices.SortedFunc(maps.Keys(counts), func(a, b color.Color) int {
		return cmp.Or(counts[b]-counts[a], strings.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	to := image.NewPaletted(at, byCount[:min(len(byCount), 256)])
	nearest := map[color.Color]uint8{}
	for _, c := range byCount {
		nearest[c] = uint8(to.Palette.Index(c))
	}
	for y := at.Min.Y; y < at.Max.Y; y++ {
		for x := at.Min.X; x < at.Max.X; x++ {
			to.SetColorIndex(x, y, nearest[from.At(x, y)])
		}
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, to); err != nil {
		t.Fatal(err)
	}
	return small.Bytes()
}
