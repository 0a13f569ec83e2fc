package capture

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/thanosleak/thanosleak/profile"
)

// Flags that may hold secrets are not written even if they got this far.
func TestNoSecretIsWritten(t *testing.T) {
	const canary = "CANARY-5f3a"
	dir := t.TempDir()
	w, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := profile.ReadMetrics(strings.NewReader("go_goroutines 7\nthanos_tenants{tenant=\"" + canary + "\"} 1\nhttp_requests_total{handler=\"query\",tenant=\"" + canary + "\"} 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	var facts profile.Facts
	if err := facts.ReadStores(strings.NewReader(`{"status":"success","data":{"store":[{"name":"s:1","labelSets":[{"tenant":"` + canary + `"}]}]}}`)); err != nil {
		t.Fatal(err)
	}
	facts.Flags = map[string]string{"query.timeout": "2m", "objstore.config": canary, "query.config-file": canary, "remote-write.config": canary}
	write(t, w, recorded{
		target:   profile.Target{Name: "q", Facts: facts, Samples: []profile.Sample{{Time: start, Metrics: metrics}}},
		payloads: []profile.Payload{{Debug0: pb(t, start, "", "Query", 1)}},
	})
	files := 0
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		br, err := plain(f, maxFile)
		if err != nil {
			return err
		}
		data, err := io.ReadAll(br)
		if bytes.Contains(data, []byte(canary)) {
			t.Errorf("%s holds the canary: %s", p, data)
		}
		files++
		return err
	})
	if err != nil || files != 5 {
		t.Errorf("looked at %d files, want 4 and the lock: %v", files, err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "q", flagsFile))
	if err != nil {
		t.Fatal(err)
	}
	mustContain(t, string(b), `"query.timeout":"2m"`)
}
