package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile/capture"
)

// goroutines of a listing of the bucket, as debug=2 prints them: a worker, and
// the one that lists.
const (
	listingWorker = `goroutine %d [chan receive]:
github.com/thanos-io/thanos/pkg/block.(*ConcurrentLister).GetActiveAndPartialBlockIDs.func1()
	/app/pkg/block/fetcher.go:278 +0x87
golang.org/x/sync/errgroup.(*Group).Go.func1()
	/go/pkg/mod/golang.org/x/sync@v0.21.0/errgroup/errgroup.go:93 +0x4f
created by golang.org/x/sync/errgroup.(*Group).Go in goroutine 4000
	/go/pkg/mod/golang.org/x/sync@v0.21.0/errgroup/errgroup.go:78 +0x95

`
	listingItself = `goroutine 4000 [select]:
net/http.(*persistConn).roundTrip(0xc000012345, 0xc000012346)
	/usr/local/go/src/net/http/transport.go:2787 +0x8a
github.com/thanos-io/objstore/providers/s3.(*Bucket).IterWithAttributes(0xc000012345)
	/go/pkg/mod/github.com/thanos-io/objstore@v0.0.0-20250804093838-71d60dfee488/providers/s3/s3.go:440 +0x1a
github.com/thanos-io/thanos/pkg/block.(*ConcurrentLister).GetActiveAndPartialBlockIDs(0xc000012345)
	/app/pkg/block/fetcher.go:290 +0x2a
github.com/thanos-io/thanos/pkg/block.(*BaseFetcher).fetchMetadata(0xc000012345)
	/app/pkg/block/fetcher.go:412 +0x1b
created by main.runStore in goroutine 1
	/app/cmd/thanos/store.go:310 +0x20

`
)

// TestBucketSync judges an idle process of v0.42.4 with the goroutines of a
// bucket sync beside its own: one that runs, however long, is healthy; what
// syncs that failed have left behind is a leak.
func TestBucketSync(t *testing.T) {
	for _, component := range []string{"store", "compact"} {
		idle := steady(t, component)
		for _, tt := range []struct {
			name    string
			workers []int // in each sample
			syncing bool
			status  int
		}{
			{"one dump", []int{64}, true, exitOK},
			{"short syncs", []int{0, 64, 0, 0, 64, 0, 0, 31}, true, exitOK},
			{"a sync of five minutes", []int{64, 64, 64, 64, 64, 64, 64, 64, 64, 64}, true, exitOK},
			{"one dump after five failed", []int{320}, false, exitFound},
			{"one more fails every time", []int{64, 128, 192, 256, 320, 384, 448, 512}, false, exitFound},
		} {
			t.Run(component+": "+tt.name, func(t *testing.T) {
				dir := t.TempDir()
				for i, n := range tt.workers {
					text := idle + "\n" + workers(n, tt.syncing)
					name := time.Date(2026, 11, 22, 6, 0, 30*i, 0, time.UTC).Format("20060102T150405Z") + ".debug2.txt"
					if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				var out, errs bytes.Buffer
				if status := run(t.Context(), []string{"analyze", dir}, streams{out: &out, err: &errs, env: os.Getenv}); status != tt.status {
					t.Errorf("status %d, want %d\n%s%s", status, tt.status, out.String(), errs.String())
				}
				if found := strings.Contains(out.String(), "TL-2026-001 on 1 of 1"); found != (tt.status == exitFound) {
					t.Errorf("TL-2026-001 found: %v\n%s", found, out.String())
				}
			})
		}
	}
}

// workers prints n workers and, where some are at work, who they work for.
func workers(n int, syncing bool) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, listingWorker, 5000+i)
	}
	if syncing && n > 0 {
		b.WriteString(listingItself)
	}
	return b.String()
}

// steady returns a full dump of an idle process.
func steady(t *testing.T, component string) string {
	t.Helper()
	f, err := os.Open("../../testdata/captures/steady-v0.42.4.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files, err := capture.Unpack(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := fs.ReadFile(files, "steady-v0.42.4/steady-v0.42.4-"+component+"-debug2.txt")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
