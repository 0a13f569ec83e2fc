// Package discover turns what users write for a target into base URLs to
// scrape.
//
// The forms are those of Thanos' own --endpoint flag where there is one:
//
//	host:port, [::1]:10902        one process
//	http://host:port/prefix       one process, perhaps behind a proxy's prefix
//	dns+host:port                 each A and AAAA address of host; of as many A
//	                              as AAAA the A
//	dnssrv+name                   each address of each target of the SRV records
//	dnssrvnoa+name                each target of the SRV records, by its name
//
// Any URL that a browser shows for the process works as well: the address of
// a page of the UI, of /debug/pprof/, /metrics or the API is cut back to its
// base. The lookups may be followed by a URL, too ("dns+https://host:port").
// Files list targets in Prometheus' file_sd form. A [Source] takes both and
// looks again whenever it is asked.
//
// The package resolves names through a [Resolver], reads files and does
// nothing else: it connects to no target. Credentials in a URL stay in
// [Target.URL] only; no name and no error shows them.
package discover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxTargets bounds what one lookup may yield: far more than replicas behind
// one name, and few enough that a wrong name does no harm.
const maxTargets = 1000

// A Target is a process to look at.
type Target struct {
	// Name is host:port and the prefix, if there is one; it never shows
	// credentials.
	Name string
	// URL is the base URL, without a slash at its end, query or fragment. It
	// keeps the credentials that the user gave, for requests: show Name or
	// String.
	URL *url.URL
	// Labels are those that a file tells; nil if there are none. Targets may
	// share them: they are not to be changed.
	Labels map[string]string
}

// String returns the target's URL without credentials.
func (t Target) String() string {
	u := *t.URL
	u.User = nil
	return u.String()
}

// A Resolver looks up names; [*net.Resolver] is one.
type Resolver interface {
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// Parse returns the targets that arg names, at least one if the error is nil:
// sorted by name for the lookups, each process once. Lookups take as long as
// ctx and r allow; one that fails gives a [*LookupError].
func Parse(ctx context.Context, arg string, r Resolver) ([]Target, error) {
	f, err := parseForm(arg)
	if err != nil {
		return nil, err
	}
	return f.targets(ctx, r)
}

// A form is what one argument says, before anything is looked up.
type form struct {
	target Target // of an argument that names one process

	how     string  // "dns", "dnssrv" or "dnssrvnoa"; empty for one process
	address address // to look up
	arg     string  // as it was written, perhaps with credentials: never shown
}

// parseForm reads an argument.
func parseForm(arg string) (form, error) {
	how, rest, lookup := strings.Cut(arg, "+")
	if !lookup || strings.ContainsAny(how, ":/@.") {
		t, err := parseAddress(arg)
		return form{target: t}, err
	}
	a, err := lookupAddress(how, rest)
	return form{how: how, address: a, arg: arg}, err
}

// targets looks the form up, if there is something to look up.
func (f form) targets(ctx context.Context, r Resolver) ([]Target, error) {
	if f.how == "" {
		return []Target{f.target}, nil
	}
	addresses, err := f.address.resolve(ctx, f.how, r)
	if e, ok := errors.AsType[*LookupError](err); ok {
		e.Name = Plain(f.arg)
	}
	if err != nil {
		return nil, err
	}
	if len(addresses) > maxTargets {
		return nil, &LookupError{Name: Plain(f.arg), Cause: fmt.Sprintf("%d addresses, more than the %d that one name may have", len(addresses), maxTargets)}
	}
	targets := make([]Target, 0, len(addresses))
	for _, hostPort := range addresses {
		u := *f.address.base
		u.Host = hostPort
		targets = append(targets, Target{Name: nameOf(&u), URL: &u})
	}
	// Name servers answer in a changing order.
	slices.SortFunc(targets, func(a, b Target) int { return cmp.Compare(a.Name, b.Name) })
	return Merge(targets), nil
}

// Merge returns the targets without those that name a process again, in the
// given order. Two targets are the same if their names are, whatever their
// scheme and credentials; the first one stays, with the first labels that
// there are.
func Merge(targets []Target) []Target {
	at := map[string]int{}
	merged := make([]Target, 0, len(targets))
	for _, t := range targets {
		i, again := at[t.Name]
		if !again {
			at[t.Name] = len(merged)
			merged = append(merged, t)
			continue
		}
		first := &merged[i]
		if first.Labels == nil {
			first.Labels = t.Labels
		}
	}
	return merged
}

// An address is what stands behind dns+, dnssrv+ or dnssrvnoa+.
type address struct {
	base *url.URL // without a host
	host string
	port string // empty if the SRV records tell it
}

// lookupAddress splits what is to be looked up.
func lookupAddress(how, rest string) (address, error) {
	if how != "dns" && how != "dnssrv" && how != "dnssrvnoa" {
		return address{}, fmt.Errorf("target %s: unknown lookup %q: use dns+host:port, dnssrv+name or dnssrvnoa+name", shown(how+"+"+rest), how)
	}
	u, err := parseURL(rest)
	if err != nil {
		return address{}, fmt.Errorf("%s+: %w", how, err)
	}
	a := address{base: u, host: u.Hostname(), port: u.Port()}
	if how == "dns" && a.port == "" {
		return address{}, fmt.Errorf("target %s has no port, which no A record tells: dns+%s:%s if it is Thanos' default", shown(how+"+"+rest), a.host, defaultPort)
	}
	return a, nil
}

// resolve returns host:port of every process behind the address.
func (a address) resolve(ctx context.Context, how string, r Resolver) ([]string, error) {
	if how == "dns" {
		all, err := lookupIP(ctx, r, a.host, a.port)
		if err != nil {
			return nil, err
		}
		return all, nil
	}
	_, records, err := r.LookupSRV(ctx, "", "", a.host)
	if err != nil || len(records) == 0 {
		return nil, lookupError(err)
	}
	var all []string
	for _, rec := range records {
		// A port that the user wrote wins over the record's, as in Thanos.
		port := cmp.Or(a.port, strconv.Itoa(int(rec.Port)))
		if how == "dnssrvnoa" {
			all = append(all, net.JoinHostPort(strings.TrimSuffix(rec.Target, "."), port))
			continue
		}
		found, err := lookupIP(ctx, r, rec.Target, port)
		if err != nil {
			// The records are there, so the name has not gone.
			return nil, &LookupError{Cause: strings.TrimSuffix(rec.Target, ".") + ", of its SRV records: " + err.Cause, Err: err.Err}
		}
		if all = append(all, found...); len(all) > maxTargets {
			break
		}
	}
	return all, nil
}

// lookupIP returns address:port for every A and AAAA record of host. Where there
// are as many of the one as of the other, each process has both, as in a cluster
// with two stacks: those of IPv4 are returned, so that none is asked twice.
func lookupIP(ctx context.Context, r Resolver, host, port string) ([]string, *LookupError) {
	ips, err := r.LookupIPAddr(ctx, host)
	if err != nil || len(ips) == 0 {
		return nil, lookupError(err)
	}
	var v4, v6 []string
	for _, ip := range ips {
		address := net.JoinHostPort(ip.String(), port)
		if ip.IP.To4() != nil {
			v4 = append(v4, address)
		} else {
			v6 = append(v6, address)
		}
	}
	if len(v4) == len(v6) {
		return v4, nil
	}
	return append(v4, v6...), nil
}

// A LookupError says that a name was not found, or could not be asked for.
type LookupError struct {
	Name  string // as it was given, with "dns+" and the like, without credentials
	Cause string // what happened and what to do
	Kept  int    // how many targets of an earlier answer stay listed; see [Source]
	Err   error  // of the resolver; nil where the answer itself is what is wrong

	gone bool // the name has no records, by all that is known
}

// Error returns the name, what happened and what became of the targets.
func (e *LookupError) Error() string { return e.Name + ": " + e.Cause + keptWords(e.Kept) }

// Unwrap returns the resolver's error.
func (e *LookupError) Unwrap() error { return e.Err }

// lookupError says that a lookup was in vain, and where names are known; err
// is nil where the answer was empty.
func lookupError(err error) *LookupError {
	if d, ok := errors.AsType[*net.DNSError](err); err == nil || (ok && d.IsNotFound) {
		return &LookupError{
			Cause: "name not found. Names of Kubernetes services (NAME.NAMESPACE.svc) are known inside the cluster only, and one record for each pod needs a headless service",
			Err:   err, gone: true,
		}
	}
	return &LookupError{Cause: "the name could not be looked up: " + err.Error(), Err: err}
}

// keptWords says that a problem did no harm yet.
func keptWords(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return " (1 target of the last good answer stays)"
	}
	return fmt.Sprintf(" (%d targets of the last good answer stay)", n)
}
