package scrape

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// MaxFullStacks is the number of goroutines above which debug=2 is not taken
// without [Options.Force].
const MaxFullStacks = 2000

// What debug=2 costs a process, measured at 10,000 to 1,000,000 goroutines.
const (
	pausePerGoroutine = 15 * time.Microsecond // for each pass
	bytesPerGoroutine = 3500                  // of text
	firstBuffer       = 1 << 20               // doubled until the text fits
)

// PauseEstimate returns for how long debug=2 stops a process with n
// goroutines: passes times, each that long. The runtime prints all stacks into
// a buffer of 1 MiB, and again into one of twice the size until they fit or
// 64 MiB are full; the process stands still every time.
func PauseEstimate(n int) (each time.Duration, passes int) {
	passes = 1
	for buffer := firstBuffer; buffer < maxDump && buffer/bytesPerGoroutine < n; buffer *= 2 {
		passes++
	}
	return time.Duration(n) * pausePerGoroutine, passes
}

// FullStacks takes one debug=2 dump, which stops the process for as long as
// [PauseEstimate] says; giving up does not end that. Known is the number of
// goroutines by the last sample; above [MaxFullStacks] the dump is refused
// unless [Options.Force] is set. It returns the dump as it was served, too.
func (c *Client) FullStacks(ctx context.Context, known int) (*profile.Snapshot, []byte, error) {
	u := at(c.server, "/debug/pprof/goroutine?debug=2")
	if known > MaxFullStacks && !c.opts.Force {
		each, passes := PauseEstimate(known)
		return nil, nil, c.fail(u, fmt.Sprintf("full stacks of %d goroutines would stop the process for some %s, which a time-out here does not end",
			known, (each*time.Duration(passes)).Round(10*time.Millisecond)), "Take them all the same with --force.", nil)
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	var s *profile.Snapshot
	var raw []byte
	err := c.ask(ctx, query{url: u, max: maxDump}, func(a *answer) error {
		if a.isHTML() {
			return c.webPage(a)
		}
		var err error
		if raw, err = io.ReadAll(a.body); err == nil {
			s, err = readDebug2(raw)
		}
		if err != nil {
			return c.unreadable(a, len(raw), err)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return s, raw, nil
}

// readDebug2 reads one dump. It is text as the runtime writes it; something
// compressed could be of any size.
func readDebug2(raw []byte) (*profile.Snapshot, error) {
	if isGzip(raw) {
		return nil, errors.New("it is compressed, asked for debug=2")
	}
	return readOne(raw, profile.Debug2, "")
}
