//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile/capture"
)

// interruption is a command that is to be stopped at any moment.
type interruption struct {
	name string
	// args is the command; dir is a folder of each run, or of all runs where
	// they share one.
	args   func(url, dir string) []string
	shared bool
	// left fails the test for what is half there, and returns how much is there
	// as a whole.
	left func(t *testing.T, dir string) int
}

var interruptions = []interruption{
	{
		name: "scan into a folder", shared: true, left: leftInFolder,
		args: func(url, dir string) []string {
			return []string{"scan", url, "--samples", "8", "--interval", "10ms", "--dir", dir + "/kept", "-q", "-o", "json=" + dir + "/result.json"}
		},
	},
	{
		name: "scan into an archive", left: leftInArchive,
		args: func(url, dir string) []string {
			return []string{"scan", url, "--samples", "8", "--interval", "10ms", "--dir", dir + "/kept.tar.gz", "-o", "html=" + dir + "/result.html"}
		},
	},
	{
		name: "analyze", left: leftInFiles,
		args: func(_, dir string) []string {
			return []string{"analyze", "../../testdata/captures/v0.35.1-go121-slowstore-eager.tar.gz", "-o", "html=" + dir + "/result.html", "-o", "json=" + dir + "/result.json"}
		},
	},
	{name: "soak into a folder", left: leftInFolder, args: soakInto("kept")},
	{name: "soak into an archive", left: leftInArchive, args: soakInto("kept.tar.gz")},
}

// soakInto is a soak whose load command goes on for longer than the soak, as two
// processes.
func soakInto(name string) func(url, dir string) []string {
	return func(url, dir string) []string {
		long := "load " + url + " 100000"
		return []string{"soak", url, "--duration", "300ms", "--settle", "10ms", "--interval", "5ms", "--dir", dir + "/" + name,
			"-o", "json=" + dir + "/result.json", "--", "sh", "-c", long + " & " + long}
	}
}

// TestSignalled stops commands by SIGINT and SIGTERM at any moment: what is
// there is whole, nothing else is left in the folders, the status is one of
// those that are documented, and no load command goes on.
func TestSignalled(t *testing.T) {
	random := rand.New(rand.NewPCG(seedOf(t), 0))
	process := newLater(t, "v0.35.1-go121-slowstore-eager", "upper", 15*time.Second)
	server := httptest.NewServer(process)
	defer server.Close()
	for _, in := range interruptions {
		t.Run(in.name, func(t *testing.T) { in.run(t, random, server.URL) })
	}
}

// seedOf returns a seed of this moment, or the one that THANOSLEAK_SEED gives to
// repeat what failed.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("THANOSLEAK_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("THANOSLEAK_SEED=%d", seed)
	return seed
}

// run runs the command once to its end, and then again and again with a signal.
// One that ended before it was to be stopped is made up for.
func (in interruption) run(t *testing.T, random *rand.Rand, url string) {
	const stops, tries = 6, 24
	dir := t.TempDir()
	usual, _ := in.once(t, in.args(url, dir), nil, time.Hour)
	if in.left(t, dir) == 0 {
		t.Fatal("nothing is there of a run that came to its end")
	}
	stopped := 0
	for n := 0; n < tries && stopped < stops; n++ {
		if !in.shared {
			dir = t.TempDir()
		}
		sig := []os.Signal{os.Interrupt, syscall.SIGTERM}[n%2]
		after := time.Duration(random.Int64N(int64(usual)))
		took, hit := in.once(t, in.args(url, dir), sig, after)
		if hit {
			stopped++
		} else {
			usual = min(usual, took)
		}
		if in.left(t, dir); t.Failed() {
			t.Fatalf("after %s at %s of %s", sig, after, usual)
		}
	}
	if stopped < stops {
		t.Errorf("only %d of %d runs were stopped: the others ended before", stopped, tries)
	}
}

// once runs the command and sends it the signal after a time. It returns how long
// it took, and whether it was still at work by then.
func (in interruption) once(t *testing.T, args []string, sig os.Signal, after time.Duration) (took time.Duration, hit bool) {
	t.Helper()
	c := thanosleak(t, args...)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c.Stdout, c.Stderr = w, w
	started := time.Now()
	err = c.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = c.Process.Signal(sig) }) // fails where it has just ended
	// It is at its end when nobody holds the other end any more, the load
	// commands included.
	said := make(chan []byte, 1)
	go func() {
		out, _ := io.ReadAll(r)
		said <- out
	}()
	_ = c.Wait() // the state says all
	took, hit = time.Since(started), !timer.Stop()
	var out []byte
	select {
	case out = <-said:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s, and the load command goes on", c.ProcessState)
	}
	switch code := c.ProcessState.ExitCode(); {
	case !c.ProcessState.Exited():
		// Before it has begun to listen to signals it has not begun to do
		// anything.
		if !hit || len(out) > 0 {
			t.Errorf("%s\n%s", c.ProcessState, out)
		}
	case code != exitOK && code != exitFound && code != exitFailed:
		t.Errorf("exit status %d\n%s", code, out)
	}
	return took, hit
}

// leftInFolder looks at a capture that is a folder and at the results beside
// it, and returns the number of samples.
func leftInFolder(t *testing.T, dir string) int {
	t.Helper()
	leftInFiles(t, dir)
	return len(wholeSamples(t, dir+"/kept"))
}

// leftInArchive is the same for an archive.
func leftInArchive(t *testing.T, dir string) int {
	t.Helper()
	leftInFiles(t, dir)
	f, err := os.Open(dir + "/kept.tar.gz")
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	archive, err := capture.Unpack(f)
	if err != nil {
		t.Fatalf("the archive is damaged: %v", err)
	}
	unpacked := t.TempDir()
	if err := os.CopyFS(unpacked, archive); err != nil {
		t.Fatal(err)
	}
	samples := len(wholeSamples(t, unpacked+"/kept"))
	if samples == 0 {
		t.Error("the archive is empty")
	}
	return samples
}

// leftInFiles looks at all files: none is one that was to become another, and
// results are complete. It returns the number of results.
func leftInFiles(t *testing.T, dir string) int {
	t.Helper()
	results := 0
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := d.Name()
		if strings.HasPrefix(name, ".") && name != ".lock" || strings.Contains(name, "tmp") {
			t.Errorf("%s is left", name)
		}
		whole, known := map[string]func([]byte) bool{".json": json.Valid, ".html": wholePage}[filepath.Ext(name)]
		if !known {
			return nil
		}
		results++
		b, err := os.ReadFile(p)
		if err == nil && !whole(b) {
			t.Errorf("%s is not complete", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return results
}

func wholePage(b []byte) bool { return bytes.HasSuffix(b, []byte("</html>\n")) }
