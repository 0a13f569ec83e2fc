package report_test

import (
	"strings"
	"testing"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/report"
)

// TestAdvisoryText: the explanation tells all that an advisory says to people.
func TestAdvisoryText(t *testing.T) {
	a := &advisory.Advisory{ID: "OWN-1", Title: "Widgets leak", Why: "It is never told.", Summary: "The first story.\n\nThe second story.",
		Symptoms: []string{"The pump is hot."}, Components: []string{"query"}, Class: advisory.Leak, Severity: advisory.High,
		KnownFrom: advisory.Captured, Culprits: []advisory.Pattern{{Name: "pump", Frames: []string{"acme.pump"}, State: "select", InHealth: advisory.Never}},
		Preconditions: []advisory.Precondition{{Text: "widgets are pumped", Look: "the log of the pump"}},
		Mitigate:      []advisory.Mitigation{{Text: "pump by hand", Cost: "sweat"}}, Restart: "restart it", Verify: "with a pump",
		Avoid: []advisory.Avoid{{Text: "a second pump"}}, References: []string{"example.com/1"}}
	var b strings.Builder
	if err := report.AdvisoryText(&b, &advisory.DB{Advisories: []*advisory.Advisory{a}}, a, report.TextOptions{Width: 200}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"OWN-1", "Widgets leak", "It is never told.", "The first story.", "The second story.", "The pump is hot.", "high", "leak",
		"acme.pump", "in health none", "widgets are pumped", "the log of the pump", "pump by hand", "cost: sweat", "restart it", "with a pump",
		"a second pump", "example.com/1"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(b.String())
	}
}
