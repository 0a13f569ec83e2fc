package profile

import (
	"regexp"
	"strings"
)

// getProfile is the command that gets the right file, for people who have
// another.
const getProfile = "Take the profile with: curl -o goroutine.pb.gz 'http://HOST:PORT/debug/pprof/goroutine' (HOST:PORT is Thanos' HTTP address, by default port 10902)."

// textForms are texts that people paste in place of a goroutine profile, most
// telling first.
var textForms = []struct {
	re         *regexp.Regexp
	form, hint string
}{
	{regexp.MustCompile(`(?i)^\s*(<!doctype html|<html|<svg)`), "an HTML page",
		"The server answered with a page (a login?), or the page of /debug/pprof/ was saved. " + getProfile},
	{regexp.MustCompile(`(?m)^heap profile: \d+:`), "a heap profile", getProfile},
	{regexp.MustCompile(`(?m)^(threadcreate|allocs|block|mutex) profile: total|^--- (mutex|contention):`), "a profile of another kind", getProfile},
	{regexp.MustCompile(`(?m)^Type: (inuse_|alloc_)`), "the output of go tool pprof -top on a heap profile", getProfile},
	{regexp.MustCompile(`(?m)^Type: goroutine|flat\s+flat%\s+sum%`), "the output of go tool pprof, which has lost the stacks",
		"Hand in the profile itself (.pb.gz). " + getProfile},
	{regexp.MustCompile(`(?m)^\*? ?Goroutine \d+ - (User|Start|Go):`), "a goroutine list of Delve",
		"Type `goroutines -t` has no common form; " + strings.ToLower(getProfile[:1]) + getProfile[1:]},
	{regexp.MustCompile(`(?m)^\s*\d+: [a-zA-Z. ]+(\[\d+.* minutes\])? \[Created by `), "the output of panicparse",
		"Hand in the dump that it was made from. " + getProfile},
	{regexp.MustCompile(`found unexpected goroutines:`), "the output of goleak",
		"It lists one test's goroutines, not those of a Thanos process. " + getProfile},
	{regexp.MustCompile(`(?m)^# (HELP|TYPE) \w+`), "a page of /metrics", getProfile},
	{regexp.MustCompile(`(?m)^\s*[\[{]`), "JSON", getProfile},
	{regexp.MustCompile(`^\s*H4sI[A-Za-z0-9+/=\s]{100}`), "a gzipped file in base64", "Decode it: base64 -d FILE | thanosleak analyze -"},
}

// textForm names a text that holds no goroutine profile.
func textForm(head string) error {
	for _, f := range textForms {
		if f.re.MatchString(head) {
			return &UnsupportedError{Form: f.form, Hint: f.hint}
		}
	}
	return &UnsupportedError{Form: "text without a goroutine in it", Hint: getProfile}
}
