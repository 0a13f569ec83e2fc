package report_test

import (
	"flag"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/capture"
	"github.com/thanosleak/thanosleak/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sgr is an escape sequence that sets colours.
var sgr = regexp.MustCompile(`\x1b\[[0-9;]*m`)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// theRun is what the reports say of their making; no clock is in it.
func theRun() report.Run {
	at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	return report.Run{Version: "v0.1.0", AdvisoriesVersion: "2026-11-22", Command: "thanosleak scan", Started: at, Finished: at.Add(75 * time.Second)}
}

// knowledge is what the program knows.
func knowledge(t *testing.T) *advisory.DB {
	t.Helper()
	db, err := advisory.Default()
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// knowledgeOfNothing has releases but no advisories.
func knowledgeOfNothing(t *testing.T) *advisory.DB {
	t.Helper()
	db := knowledge(t)
	db.Advisories = nil
	return db
}

func judgeBy(db *advisory.DB, targets ...profile.Target) *classify.Result {
	return classify.Judge(targets, classify.Options{Thresholds: classify.DefaultThresholds(), Advisories: db})
}

// shelf reads packed captures as the command does, each once.
type shelf struct {
	t    *testing.T
	read map[string][]profile.Target
}

// all returns the targets of captures.
func (s shelf) all(archives ...string) []profile.Target {
	s.t.Helper()
	var targets []profile.Target
	for _, a := range archives {
		if s.read[a] == nil {
			path := filepath.Join("..", "testdata", "captures", a+".tar.gz")
			in, err := capture.Open([]string{path}, nil, capture.Options{Flags: profile.FlagFilter(append(knowledge(s.t).Flags(), classify.Flags()...))})
			if err != nil {
				s.t.Fatal(err)
			}
			s.read[a] = in.Targets
		}
		for _, x := range s.read[a] {
			if len(archives) > 1 {
				x.Name = a + "/" + x.Name
			}
			targets = append(targets, x)
		}
	}
	return targets
}

// one returns one target of a capture, as if it had been scraped under the
// name; an empty name leaves it as it is.
func (s shelf) one(archive, target, as string) profile.Target {
	s.t.Helper()
	for _, x := range s.all(archive) {
		if x.Name != target {
			continue
		}
		if as != "" {
			x.Name, x.URL = as, "http://"+as
		}
		return x
	}
	s.t.Fatalf("no target %s in %s", target, archive)
	return profile.Target{}
}

func judge(t *testing.T, targets ...profile.Target) *classify.Result {
	t.Helper()
	return judgeBy(knowledge(t), targets...)
}
