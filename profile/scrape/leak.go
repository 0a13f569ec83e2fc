package scrape

import (
	"bytes"
	"context"
	"io"
)

// leakProfile is what is known of the goroutineleak profile of a process.
type leakProfile int

const (
	leakUnknown leakProfile = iota
	leakServed
	leakMissing
)

// addLeaks takes the goroutineleak profile. Without one a sample is worth as
// much as any, so whatever goes wrong is a warning.
func (c *Client) addLeaks(ctx context.Context, t *taken) {
	if c.leaks == leakUnknown {
		c.leaks = c.findLeakProfile(ctx)
	}
	if c.leaks != leakServed {
		return
	}
	s, raw, _, err := c.profile(ctx, query{url: at(c.server, "/debug/pprof/goroutineleak?debug=0"), max: maxProfile}, t.goVersion)
	if err != nil {
		c.warn("leak", "No goroutineleak profile: "+causeOf(err)+".")
		return
	}
	t.sample.Leaked, t.payload.Leaked = s, raw
}

// findLeakProfile looks the profile up in the index: a process without it
// would log an error for each request.
func (c *Client) findLeakProfile(ctx context.Context) leakProfile {
	var page []byte
	err := c.ask(ctx, query{url: at(c.server, "/debug/pprof/"), max: maxPage}, func(a *answer) error {
		var err error
		page, err = io.ReadAll(a.body)
		return err
	})
	switch {
	case err != nil:
		c.warn("leak", "No goroutineleak profile: "+causeOf(err)+".")
		return leakUnknown
	case !bytes.Contains(page, []byte("goroutineleak")):
		c.warn("leak", "No goroutineleak profile: this process has none, which needs a build with Go 1.27, or with Go 1.26 and GOEXPERIMENT=goroutineleakprofile.")
		return leakMissing
	}
	return leakServed
}
