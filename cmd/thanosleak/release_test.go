//go:build linux && integration

package main

import (
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// shellRE finds what docs/releasing.md has people type.
var shellRE = regexp.MustCompile("(?ms)^( *)```sh\n(.*?)^ *```")

// releasing returns the commands of the first block in docs/releasing.md that has
// the word.
func releasing(t *testing.T, word string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/releasing.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range shellRE.FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(m[2], word) {
			return strings.ReplaceAll("\n"+m[2], "\n"+m[1], "\n")
		}
	}
	t.Fatalf("docs/releasing.md has no command with %q", word)
	return ""
}

// sh runs commands as people type them, and returns what they print.
func sh(t *testing.T, dir, commands string) string {
	t.Helper()
	c := exec.Command("bash", "-euc", commands)
	c.Dir = dir
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@localhost", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@localhost")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s\n%v\n%s", commands, err, out)
	}
	return string(out)
}

// TestIntegrationRelease makes a release of what is here, for this system, and does what
// docs/releasing.md has its users do.
func TestIntegrationRelease(t *testing.T) {
	dir, system := t.TempDir(), runtime.GOOS+"/"+runtime.GOARCH
	sh(t, "../..", "tar cf - --exclude=./.git --exclude=./dist . | tar xf - -C "+dir)
	sh(t, dir, "git init -q && git add -A && git commit -q -m release")
	if out, err := exec.Command("bash", dir+"/.ci/release", system).CombinedOutput(); err == nil || !strings.Contains(string(out), "has no tag") {
		t.Errorf("without a tag: %v\n%s", err, out)
	}
	sh(t, dir, strings.NewReplacer(" -s ", " -a ", "git push", "echo git push").Replace(releasing(t, "git tag")))
	sh(t, dir, strings.TrimSpace(releasing(t, ".ci/release\n"))+" "+system)
	said := sh(t, dir+"/dist", strings.ReplaceAll(releasing(t, "sha256sum"), "linux_amd64", strings.ReplaceAll(system, "/", "_")))
	for _, want := range []string{".tar.gz: OK\n", "thanosleak v0.1.0\n", "\tv0.1.0\t", "CGO_ENABLED=0", "-trimpath=true", "vcs.modified=false", "vcs.revision=" + strings.TrimSpace(sh(t, dir, "git rev-parse HEAD"))} {
		if !strings.Contains(said, want) {
			t.Errorf("users do not see %q\n%s", want, said)
		}
	}
	if got := sh(t, dir+"/dist", "ls thanosleak_*/"); got != "LICENSE\nREADME.md\nthanosleak\n" {
		t.Errorf("the archive has %s", got)
	}
}
