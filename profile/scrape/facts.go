package scrape

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/profile"
)

// Facts asks the API of the process for its build, its flags and, of a
// querier, its endpoints. What the API does not tell is left unknown, and the
// warnings, full sentences, say so. A process without the API (store, receive
// and others, depending on the release) gives empty facts and no warning: then
// /metrics tells the version. An error means that the process cannot be
// reached.
//
// A query frontend passes these requests on: the facts are those of the
// querier behind it.
func (c *Client) Facts(ctx context.Context) (profile.Facts, []string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	f := profile.Facts{VersionSource: "unknown"}
	base := c.base
	err := c.status(ctx, base, "buildinfo", f.ReadBuildInfo)
	if isNotFound(err) {
		moved, moveErr := c.routePrefix(ctx)
		if moveErr != nil {
			err = moveErr
		}
		if moved != nil {
			base = moved
			err = c.status(ctx, base, "buildinfo", f.ReadBuildInfo)
		}
	}
	switch {
	case isNotFound(err):
		return f, nil, nil
	case reachOf(err) == reachedNothing:
		return f, nil, err
	case err != nil:
		// The others would fail alike.
		return f, []string{"Flags and endpoints are unknown: " + causeOf(err) + "."}, nil
	}
	c.goVersion = f.GoVersion
	return f, c.moreFacts(ctx, base, &f), nil
}

// moreFacts adds flags and endpoints and returns warnings.
func (c *Client) moreFacts(ctx context.Context, base *url.URL, f *profile.Facts) []string {
	var warnings []string
	keep := c.keptFlags()
	err := c.status(ctx, base, "flags", func(r io.Reader) error { return f.ReadFlags(r, keep) })
	if err != nil && !isNotFound(err) {
		warnings = append(warnings, "Flags are unknown: "+causeOf(err)+".")
	}
	err = c.status(ctx, base, "stores", f.ReadStores)
	if err != nil && !isNotFound(err) {
		warnings = append(warnings, "Endpoints are unknown: "+causeOf(err)+".")
	}
	return warnings
}

// status asks for one page of the API below base.
func (c *Client) status(ctx context.Context, base *url.URL, page string, read func(io.Reader) error) error {
	where := "/api/v1/status/" + page
	if page == "stores" {
		where = "/api/v1/stores"
	}
	q := query{url: at(base, where), max: maxStatus, gzip: true}
	return c.ask(ctx, q, func(a *answer) error {
		if a.isHTML() {
			return c.webPage(a)
		}
		if err := read(a.body); err != nil {
			return c.fail(a.url, fmt.Sprintf("%s: %s", shown(a.url), clean(err.Error(), 200)), "", err)
		}
		return nil
	})
}

// routePrefix returns the base to which the root of the UI redirects, which is
// where --web.route-prefix puts the API; nil if there is none.
func (c *Client) routePrefix(ctx context.Context) (*url.URL, error) {
	var moved *url.URL
	root := at(c.base, "/")
	q := query{url: root, max: maxPage, here: true}
	err := c.ask(ctx, q, func(a *answer) error {
		to, err := root.Parse(a.header.Get("Location"))
		if err == nil && a.status != http.StatusOK && sameHost(root, to) {
			moved = c.prefixOf(to)
		}
		return nil
	})
	return moved, err
}

// prefixOf returns the base of which to is the first page; nil if that is the
// base given. Thanos redirects to the prefix itself or to its first page.
func (c *Client) prefixOf(to *url.URL) *url.URL {
	p := strings.TrimSuffix(path.Clean("/"+to.Path), "/")
	if slices.Contains([]string{"graph", "alerts", "blocks", "loaded"}, path.Base(p)) {
		p = strings.TrimSuffix(path.Dir(p), "/")
	}
	if p == "" || p == c.base.Path {
		return nil
	}
	if !strings.HasPrefix(p+"/", c.base.Path+"/") {
		// The proxy in front did not translate the path.
		p = c.base.Path + p
	}
	return &url.URL{Scheme: to.Scheme, Host: to.Host, Path: p}
}

// isNotFound reports whether the process answered with status 404.
func isNotFound(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.status == http.StatusNotFound
}
