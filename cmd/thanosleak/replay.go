package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
)

// replay serves the samples of a capture as the live process that they were
// taken from. Each request for /metrics moves on to the next sample, as that
// is what a scan asks for first; the last sample stays.
type replay struct {
	fsys    fs.FS
	folder  string
	stems   []string // of the samples, oldest first
	mu      sync.Mutex
	current int // index of the sample served, -1 before the first
}

// newReplay makes a server of a process in a capture: of the first folder with
// samples or, if a name is given, of the first of that name.
func newReplay(fsys fs.FS, name string) (*replay, error) {
	r := &replay{fsys: fsys, current: -1}
	err := fs.WalkDir(fsys, ".", func(p string, _ fs.DirEntry, err error) error {
		stem, isSample := strings.CutSuffix(path.Base(p), ".debug0.pb.gz")
		dir := path.Dir(p)
		switch {
		case err != nil:
			return err
		case !isSample || strings.HasSuffix(stem, ".leak"):
		case len(r.stems) == 0 && (name == "" || path.Base(dir) == name):
			r.folder = dir
			r.stems = append(r.stems, stem)
		case len(r.stems) > 0 && dir == r.folder:
			r.stems = append(r.stems, stem)
		}
		return nil
	})
	if err == nil && len(r.stems) == 0 {
		err = fmt.Errorf("no samples of %q in the capture", name)
	}
	slices.Sort(r.stems)
	return r, err
}

// ServeHTTP answers what Thanos answers at the same paths.
func (r *replay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	switch p := req.URL.Path; {
	case p == "/metrics":
		r.file(w, r.advance()+".metrics.txt.gz", "gzip")
	case p == "/debug/pprof/goroutine" && req.FormValue("debug") != "2":
		r.file(w, r.sample()+".debug0.pb.gz", "")
	case strings.HasPrefix(p, "/api/v1/status/"):
		r.file(w, "status-"+path.Base(p)+".json", "")
	case p == "/api/v1/stores":
		r.file(w, "stores.json", "")
	default:
		http.NotFound(w, req)
	}
}

// advance moves on to the next sample and returns its stem.
func (r *replay) advance() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current = min(r.current+1, len(r.stems)-1)
	return r.stems[r.current]
}

// sample returns the stem of the sample that is served.
func (r *replay) sample() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stems[max(r.current, 0)]
}

func (r *replay) file(w http.ResponseWriter, name, encoding string) {
	b, err := fs.ReadFile(r.fsys, path.Join(r.folder, name))
	if err != nil {
		http.Error(w, "404 page not found", http.StatusNotFound)
		return
	}
	if encoding != "" {
		w.Header().Set("Content-Encoding", encoding)
	}
	http.ServeContent(w, &http.Request{Method: http.MethodGet}, name, noTime, bytes.NewReader(b))
}
