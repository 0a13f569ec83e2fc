package scrape

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// stranger counts the requests at another host.
func stranger(t *testing.T) (base string, requests *[]http.Header) {
	p := newProcess(t)
	return p.url.String(), &p.headers
}

func TestRedirects(t *testing.T) {
	t.Run("to another host", func(t *testing.T) {
		p := newProcess(t)
		other, seen := stranger(t)
		p.set("/metrics", redirect(other+"/metrics"))
		u := *p.url
		u.User = url.UserPassword("ann", "hunter2")
		_, _, err := client(t, &u, Options{}).Sample(t.Context())
		if err == nil {
			t.Fatal("no error")
		}
		contains(t, err.Error(), "redirects to another host ("+strings.TrimPrefix(other, "http://")+")", "not followed")
		if len(*seen) != 0 {
			t.Errorf("the other host was asked: %v", *seen)
		}
	})
	t.Run("within the host, with credentials", func(t *testing.T) {
		p := newProcess(t)
		p.set("/debug/pprof/goroutine", redirect("/moved"))
		p.set("/moved", goroutines)
		u := *p.url
		u.User = url.UserPassword("ann", "hunter2")
		if _, _, err := client(t, &u, Options{}).Sample(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:hunter2"))
		for i, h := range p.headers {
			if h.Get("Authorization") != want {
				t.Errorf("request %d: Authorization %q", i, h.Get("Authorization"))
			}
			if h.Get("User-Agent") != "thanosleak" || strings.Contains(h.Get("Referer"), "hunter2") {
				t.Errorf("request %d: %v", i, h)
			}
		}
	})
	t.Run("in a circle", func(t *testing.T) {
		p := newProcess(t)
		p.set("/debug/pprof/goroutine", redirect("/debug/pprof/goroutine"))
		_, _, err := client(t, p.url, Options{}).Sample(t.Context())
		if err == nil {
			t.Fatal("no error")
		}
		contains(t, err.Error(), "redirects more than 5 times")
		if n := len(p.asked()); n != 1+1+maxRedirects {
			t.Errorf("%d requests", n)
		}
	})
}

func TestSameHost(t *testing.T) {
	for _, tc := range []struct {
		from, to string
		want     bool
	}{
		{"http://h:1/a", "http://h:1/b", true},
		{"http://h/a", "http://H:80/b", true},
		{"http://h/", "https://h/", true},
		{"https://h/", "http://h/", false},
		{"http://h:10902/", "https://h/", false},
		{"http://h:1/", "http://h:2/", false},
		{"http://h/", "http://h.evil.example/", false},
		{"https://h/", "https://h:443/", true},
	} {
		if got := sameHost(parse(t, tc.from), parse(t, tc.to)); got != tc.want {
			t.Errorf("sameHost(%s, %s) = %v", tc.from, tc.to, got)
		}
	}
}

// Whatever goes wrong, the error has no credentials in it.
func TestCredentialsAreNeverShown(t *testing.T) {
	p := newProcess(t)
	other, _ := stranger(t)
	for _, tc := range []struct {
		name string
		host string
		page http.HandlerFunc
	}{
		{"refused", closedPort(t), nil},
		{"gRPC", listen(t, true, settings), nil},
		{"no HTTP", listen(t, false, "nonsense"), nil},
		{"404", p.url.Host, nil},
		{"401", p.url.Host, status(401, "")},
		{"500", p.url.Host, status(500, "boom")},
		{"page", p.url.Host, page("<html>")},
		{"redirect", p.url.Host, redirect(strings.Replace(other, "http://", "http://ann:hunter2@", 1))},
		{"bad redirect", p.url.Host, redirect("http://ann:hunter2@%zz/")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p.set("/debug/pprof/goroutine", tc.page)
			base := &url.URL{Scheme: "http", Host: tc.host, User: url.UserPassword("ann", "hunter2")}
			c := client(t, base, Options{})
			_, _, err := c.Sample(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			_, warnings, factsErr := c.Facts(t.Context())
			_, _, fullErr := c.FullStacks(t.Context(), 1)
			said := fmt.Sprintf("%v %+v %q %v %v %q", err, errors.Unwrap(err), warnings, factsErr, fullErr, c.Warnings())
			if strings.Contains(said, "hunter2") || strings.Contains(said, "ann:") || strings.Contains(said, "ann@") {
				t.Error(said)
			}
		})
	}
}
