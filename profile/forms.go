package profile

import (
	"regexp"
	"strings"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// getProfile is the command that gets the right file, for people who have
// another.
const getProfile = "Take the profile with: curl -o goroutine.pb.gz 'http://HOST:PORT/debug/pprof/goroutine' (HOST:PORT is Thanos' HTTP address, by default port 10902)."

// textForms are texts that people paste in place of a goroutine profile, most
// telling first.
var textForms = []struct {
	re         func() *regexp.Regexp
	form, hint string
}{
	{lazyregexp.New(`(?i)^\s*(<!doctype html|<html|<svg)`), "an HTML page",
		"The server answered with a page (a login?), or the page of /debug/pprof/ was saved. " + getProfile},
	{lazyregexp.New(`(?m)^heap profile: \d+:`), "a heap profile", getProfile},
	{lazyregexp.New(`(?m)^(threadcreate|allocs|block|mutex) profile: total|^--- (mutex|contention):`), "a profile of another kind", getProfile},
	{lazyregexp.New(`(?m)^Type: (inuse_|alloc_)`), "the output of go tool pprof -top on a heap profile", getProfile},
	{lazyregexp.New(`(?m)^Type: goroutine|flat\s+flat%\s+sum%`), "the output of go tool pprof, which has lost the stacks",
		"Hand in the profile itself (.pb.gz). " + getProfile},
	{lazyregexp.New(`(?m)^\*? ?Goroutine \d+ - (User|Start|Go):`), "a goroutine list of Delve",
		"Type `goroutines -t` has no common form; " + strings.ToLower(getProfile[:1]) + getProfile[1:]},
	{lazyregexp.New(`(?m)^\s*\d+: [a-zA-Z. ]+(\[\d+.* minutes\])? \[Created by `), "the output of panicparse",
		"Hand in the dump that it was made from. " + getProfile},
	{lazyregexp.New(`found unexpected goroutines:`), "the output of goleak",
		"It lists one test's goroutines, not those of a Thanos process. " + getProfile},
	{lazyregexp.New(`(?m)^# (HELP|TYPE) \w+`), "a page of /metrics", getProfile},
	{lazyregexp.New(`(?m)^\s*[\[{]`), "JSON", getProfile},
	{lazyregexp.New(`^\s*H4sI[A-Za-z0-9+/=\s]{100}`), "a gzipped file in base64", "Decode it: base64 -d FILE | thanosleak analyze -"},
}

// textForm names a text that holds no goroutine profile.
func textForm(head string) error {
	for _, f := range textForms {
		if f.re().MatchString(head) {
			return &UnsupportedError{Form: f.form, Hint: f.hint}
		}
	}
	return &UnsupportedError{Form: "text without a goroutine in it", Hint: getProfile}
}
