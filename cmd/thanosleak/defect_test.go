package main

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile/capture"
)

// TestDefectOfOneTarget: a panic while one target is asked fails that target alone.
func TestDefectOfOneTarget(t *testing.T) {
	var errOut strings.Builder
	r := &rounds{scraping: &scraping{concurrency: 2, timeout: duration(time.Minute)}, std: streams{out: io.Discard, err: &errOut}}
	broken, other := &watch{}, &watch{mixed: errors.New("not asked")} // a watch without a client
	r.sampleAll(t.Context(), []*watch{broken, other}, false)
	if broken.failed != 1 || broken.err == nil || !strings.Contains(broken.err.Error(), "a defect in thanosleak, please report it") {
		t.Errorf("%d failed, %v", broken.failed, broken.err)
	}
	if other.failed != 0 || !strings.Contains(errOut.String(), "sampleOrSayWhy") {
		t.Errorf("the other failed %d times; no stack in\n%s", other.failed, errOut.String())
	}
}

// TestDefectOfReading: a panic while a capture is read is an error.
func TestDefectOfReading(t *testing.T) {
	var errOut strings.Builder
	o := capture.Options{Flags: func(string) bool { panic("boom") }}
	path := filepath.Join("..", "..", "testdata", "captures", "v0.35.1-healthy.tar.gz")
	in, err := read(t.Context(), []string{path}, streams{err: &errOut}, o)
	if in != nil || err == nil || !strings.Contains(err.Error(), "please report it with the stack above: boom") {
		t.Errorf("%v, %v", in, err)
	}
}
