package classify

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// side puts stacks beside each other, sample by sample.
func side(all ...[][]stack) [][]stack {
	samples := make([][]stack, len(all[0]))
	for _, series := range all {
		for i := range series {
			samples[i] = append(samples[i], series[i]...)
		}
	}
	return samples
}

var (
	pump   = stack{state: profile.StateSelect, frames: foreign}
	behind = stack{state: profile.StateMutex, frames: []string{"sync.(*Mutex).Lock", "github.com/acme/widget.(*Pump).add"}}
	never  = stack{state: profile.StateChanReceiveNil, frames: []string{"github.com/acme/widget.wait"}}
	other  = stack{state: profile.StateChanSend, frames: []string{"github.com/acme/other.send"}}
)

func TestUnknown(t *testing.T) {
	up := rising(8)
	double := []int{16, 32, 48, 64, 80, 96, 112, 128}
	late := []int{1, 2, 3, 4, 5, 6, 40, 700}
	for _, tt := range []struct {
		name    string
		samples [][]stack
		want    string // "" for none, else lines of level, leaf, culprits+victims
	}{
		{"nothing grows", counts(pump, 40, 41, 40, 39, 41, 40, 40, 40), ""},
		{"one grows", counts(pump, up...), "suspect wait 64+0"},
		{"too few samples", counts(pump, up[:5]...), ""},
		{"just enough samples", counts(pump, up[:6]...), "suspect wait 48+0"},
		{"gone again", counts(pump, append(slices.Clone(up), 0)...), ""},
		{"two that grow together are one", side(counts(pump, up...), counts(behind, double...)), "suspect Lock 128+64"},
		{"two that grow about together", side(counts(pump, up...), counts(behind, 20, 28, 50, 61, 90, 93, 120, 130)), "suspect Lock 130+64"},
		{"two that grow apart are two", side(counts(pump, up...), counts(other, late...)), "suspect send 700+0\nsuspect wait 64+0"},
		{"on a nil channel and growing is proof", counts(never, up...), "confirmed wait 64+0"},
		{"proof comes before numbers", side(counts(never, up...), counts(behind, double...)), "confirmed wait 64+128"},
		{"two on nil channels that grow together are told once",
			side(counts(never, up...), counts(stack{state: profile.StateChanSendNil, frames: foreign}, double...)), "confirmed wait 128+64"},
		{"on a nil channel and steady is a note", counts(never, 3, 3, 3, 3, 3, 3), "note wait 3+0"},
		{"select {} in main", counts(stack{state: profile.StateSelectNoCases, frames: []string{"main.main"}}, 1), "note main 1+0"},
		{"steady goroutines that end do not fold",
			side(counts(never, up...), counts(behind, 40, 39, 41, 40, 40, 41, 39, 40)), "confirmed wait 64+0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := judged(t, made{component: "query", version: "0.42.4", samples: tt.samples})
			var lines []string
			for _, f := range r.Findings {
				leaf := f.Stacks[0].Frames[0].Func
				lines = append(lines, string(f.Level)+" "+leaf[strings.LastIndex(leaf, ".")+1:]+" "+plus(f.Culprits, f.Victims))
				if f.Advisory != "" || f.Key != f.Stacks[0].PortableID || len(f.References) > 0 {
					t.Errorf("%s: advisory %q", f.Key, f.Advisory)
				}
			}
			if got := strings.Join(lines, "\n"); got != tt.want {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Goroutines that grow with a leak that is known are its victims, whatever they
// stand in.
func TestFoldIntoKnown(t *testing.T) {
	leak := stack{state: profile.StateChanReceiveNil, frames: eagerCulprit}
	up := rising(8)
	m := made{component: "query", version: "0.35.1",
		samples: side(counts(leak, up...), counts(behind, up...), counts(never, up...), counts(other, 1, 2, 3, 4, 5, 6, 40, 700))}
	r := judged(t, m)
	if len(r.Findings) != 2 {
		t.Fatalf("%d findings, want 2: %s", len(r.Findings), summary(r))
	}
	f := r.Findings[0]
	if f.Key != "TL-2024-001" || f.Culprits != 64 || f.Victims != 128 {
		t.Errorf("%s: %d+%d", f.Key, f.Culprits, f.Victims)
	}
	o := f.Occurrences[0]
	if last := o.Points[len(o.Points)-1]; last.Culprits != 64 || last.Victims != 128 || len(o.Points) != 8 {
		t.Errorf("%d points, the last %+v", len(o.Points), last)
	}
	texts := ""
	for _, e := range o.Evidence {
		texts += e.Text + "\n"
	}
	mustContain(t, texts, "128 goroutines in 2 other stacks grew together with them")
	if r.Findings[1].Level != Suspect || r.Findings[1].Culprits != 700 {
		t.Errorf("what grew apart: %s %d", r.Findings[1].Level, r.Findings[1].Culprits)
	}
}

// A stack of an advisory that the release does not have is judged as an
// unknown one, and it is said so.
func TestNotAffected(t *testing.T) {
	send := stack{state: profile.StateChanSend, frames: receiver}
	f := only(t, judged(t, made{component: "receive", version: "0.42.4", samples: counts(send, rising(8)...)}))
	if f.Level != Suspect || f.Advisory != "" {
		t.Errorf("%s of %q", f.Level, f.Advisory)
	}
	contrary := f.Occurrences[0].Evidence[len(f.Occurrences[0].Evidence)-1]
	if contrary.Strength != Contrary || contrary.Kind != KindKnownSignature {
		t.Errorf("%+v", contrary)
	}
	mustContain(t, contrary.Text, "TL-2024-002, which v0.42.4 does not have (affected: v0.29.0 up to before v0.35.1)")
	steady := judged(t, made{component: "receive", version: "0.42.4", samples: counts(send, 9, 9, 9, 9, 9, 9, 9)})
	if len(steady.Findings) != 0 {
		t.Errorf("a steady one: %s", summary(steady))
	}
}

// The same leak on two targets is one finding; its title is of the surer one.
func TestUnknownOnTwoTargets(t *testing.T) {
	r := judged(t,
		made{name: "a", samples: counts(never, 3)},
		made{name: "b", samples: counts(never, rising(8)...)})
	f := only(t, r)
	if f.Level != Confirmed || f.Culprits != 67 || f.Occurrences[0].Target != "a" || f.Occurrences[1].Target != "b" {
		t.Errorf("%s %d: %+v", f.Level, f.Culprits, f.Occurrences)
	}
	mustContain(t, f.Title, "growing")
}

// Two closures of one function have the same key, which stands for both.
func TestUnknownClosures(t *testing.T) {
	a := stack{state: profile.StateSelectNoCases, frames: []string{"github.com/acme/widget.run.func1"}}
	b := stack{state: profile.StateSelectNoCases, frames: []string{"github.com/acme/widget.run.func2"}}
	f := only(t, judged(t, made{samples: side(counts(a, 2, 2), counts(b, 3, 3))}))
	if f.Culprits != 5 || len(f.Stacks) != 2 {
		t.Errorf("%d culprits in %d stacks", f.Culprits, len(f.Stacks))
	}
}

// TestMovedWithinConnection: the keep-alives of gRPC connections wait in one place
// while streams are open and in another while none is. More in one of them is no
// growth; more of both is.
func TestMovedWithinConnection(t *testing.T) {
	const keepalive = "google.golang.org/grpc/internal/transport.(*http2Client).keepalive"
	for name, tt := range map[string]struct {
		total func(i int) int
		want  int // findings
	}{
		"they only moved":    {func(int) int { return 40 }, 0},
		"and there are more": {func(i int) int { return 40 + 2*i }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			m := made{version: "0.36.1", component: "query", every: 30 * time.Second}
			for i := range 20 {
				m.samples = append(m.samples, []stack{
					{n: tt.total(i) - 2*i, state: profile.StateSelect, frames: []string{keepalive}},
					{n: 1 + 2*i, state: profile.StateCond, frames: []string{"sync.(*Cond).Wait", keepalive}},
				})
			}
			r := judged(t, m)
			if len(r.Findings) != tt.want {
				t.Errorf("%d findings, want %d: %v", len(r.Findings), tt.want, r.Findings)
			}
		})
	}
}
