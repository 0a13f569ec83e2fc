package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/prometheus"
	"github.com/thanosleak/thanosleak/profile/scrape"
)

// before are the flags about what happened before we came.
type before struct {
	address string
	window  duration
	config  string

	url       *url.URL
	transport http.RoundTripper
	past      map[string]*profile.Past
	known     map[string]bool // targets that were asked for
	warnings  []string
	asked     time.Time // zero if it was not asked yet
	failed    bool
}

func (b *before) add(f *pflag.FlagSet) {
	f.StringVar(&b.address, "prometheus.url", "", "`URL` of your own Prometheus or Thanos, to be asked for the goroutines, restarts and versions of the time before")
	f.Var(&b.window, "prometheus.window", "how far back to ask it")
	f.StringVar(&b.config, "prometheus.http.config.file", "", "`FILE` with TLS and credentials for it, in the form of Prometheus' http_config")
}

// check reads the address and the credentials.
func (b *before) check() error {
	if b.address == "" {
		if b.config != "" {
			return usagef("--prometheus.http.config.file is for --prometheus.url, which is not given")
		}
		return nil
	}
	u, err := url.Parse(b.address)
	if err != nil || u.Host == "" || !strings.HasPrefix(u.Scheme, "http") {
		return usagef("--prometheus.url: want a URL, such as http://prometheus:9090")
	}
	if b.window < duration(time.Minute) {
		return usagef("--prometheus.window %s: want at least 1m", &b.window)
	}
	b.url = u
	if b.config == "" {
		return nil
	}
	c, err := scrape.LoadHTTPConfig(b.config)
	if err != nil {
		return usageError{fmt.Errorf("--prometheus.http.config.file: %w", err)}
	}
	b.transport = c.Transport()
	return nil
}

// How long serve waits until it asks again: the past changes slowly, and who
// does not answer may be busy.
const (
	pastEvery = time.Hour
	pastRetry = 10 * time.Minute
)

// addPast gives the targets their past, where somebody is to be asked for it.
// What goes wrong is a warning: what was scanned counts.
func (b *before) addPast(ctx context.Context, targets []profile.Target) (warnings []string) {
	if b.url == nil || ctx.Err() != nil {
		return nil
	}
	if b.due(targets) {
		b.ask(ctx, targets)
	}
	for i := range targets {
		targets[i].Past = b.past[targets[i].Name]
	}
	return b.warnings
}

// due reports whether it is time to ask: again after a while, and sooner where
// nothing was answered or there are other targets.
func (b *before) due(targets []profile.Target) bool {
	since := time.Since(b.asked)
	return b.asked.IsZero() || since >= pastEvery || since >= pastRetry &&
		(b.failed || slices.ContainsFunc(targets, func(t profile.Target) bool { return !b.known[t.Name] }))
}

func (b *before) ask(ctx context.Context, targets []profile.Target) {
	past, warnings, err := prometheus.Fetch(ctx, b.url, targets, prometheus.Options{
		Window: time.Duration(b.window), UserAgent: "thanosleak/" + version(), Transport: b.transport,
	})
	b.warnings, b.asked, b.failed, b.known = warnings, time.Now(), err != nil, map[string]bool{}
	for _, t := range targets {
		b.known[t.Name] = true
	}
	if err != nil {
		b.warnings = append(warnings, err.Error())
		return
	}
	b.past = past
}
