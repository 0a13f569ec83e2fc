package discover

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// smallZone has one name of each kind.
var smallZone = zone{
	ips: map[string][]string{"query.mon.svc": {"10.0.0.1"}, "q.mon.svc.": {"10.0.0.1"}},
	srv: map[string][]*net.SRV{"srv.mon.svc": {{Target: "q.mon.svc.", Port: 2}}},
}

// broken is a name server that fails while err is set.
type broken struct {
	zone
	err error
}

func (b *broken) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.zone.LookupIPAddr(ctx, host)
}

// namesOf returns the names of the targets.
func namesOf(targets []Target) string {
	var names []string
	for _, t := range targets {
		names = append(names, t.Name)
	}
	return strings.Join(names, " ")
}

// expect asks the source and compares names and problems.
func expect(t *testing.T, s *Source, names string, problems ...string) {
	t.Helper()
	targets, got := s.Targets(t.Context())
	if namesOf(targets) != names {
		t.Errorf("targets %q, want %q", namesOf(targets), names)
	}
	if len(got) != len(problems) {
		t.Fatalf("problems %q, want %q", texts(got), problems)
	}
	for i, want := range problems {
		if !strings.Contains(got[i].Error(), want) {
			t.Errorf("problem %q, want %q", got[i], want)
		}
	}
}

func TestMistakesInWriting(t *testing.T) {
	_, err := NewSource([]string{"h:1", "noport", "dns+noport", "dnsx+h:1"}, []string{"t.json", "t.txt", "*/t.json", "[.json", "a*b*.yml"}, zone{})
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		`target "noport" has no port`, `target "dns+noport" has no port`, `unknown lookup "dnsx"`,
		`target file "t.txt": the name has to end in`, `target file "*/t.json": the name`, `target file "[.json": syntax error`,
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Fatalf("errors %q", lines)
	}
	for i := range want {
		if !strings.Contains(lines[i], want[i]) {
			t.Errorf("error %q, want %q", lines[i], want[i])
		}
	}
}

func TestSourceWithArguments(t *testing.T) {
	s, err := NewSource([]string{"named:1", "dns+query.mon.svc:1", "dns+gone.mon.svc:1", "named:1/graph"}, nil, smallZone)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, s, "named:1 10.0.0.1:1", "dns+gone.mon.svc:1: name not found")
	if !s.Discovers() {
		t.Error("lookups are not noticed")
	}
	fixed, err := NewSource([]string{"named:1"}, nil, nil)
	if err != nil || fixed.Discovers() {
		t.Errorf("error %v, or nothing to look up is not noticed", err)
	}
}

// A process that is named and discovered is one that is named, with the
// labels of the file.
func TestNamedAndDiscovered(t *testing.T) {
	write(t, map[string]string{"t.json": `[{"targets": ["10.0.0.1:1"], "labels": {"a": "1"}}]`})
	s, err := NewSource([]string{"dns+query.mon.svc:1", "http://ann:hunter2@10.0.0.1:1"}, []string{"t.json"}, smallZone)
	if err != nil {
		t.Fatal(err)
	}
	targets, problems := s.Targets(t.Context())
	if len(targets) != 1 || problems != nil {
		t.Fatalf("targets %v, problems %v", targets, problems)
	}
	if targets[0].Labels["a"] != "1" {
		t.Errorf("target %+v", targets[0])
	}
}

func TestLookupsThatFail(t *testing.T) {
	write(t, map[string]string{"t.json": `[{"targets": ["dns+query.mon.svc:2"], "labels": {"a": "1"}}]`})
	server := &broken{zone: zone{ips: map[string][]string{"query.mon.svc": {"10.0.0.1", "10.0.0.2"}}}}
	s, err := NewSource([]string{"dns+query.mon.svc:1"}, []string{"t.json"}, server)
	if err != nil {
		t.Fatal(err)
	}
	const all = "10.0.0.1:1 10.0.0.2:1 10.0.0.1:2 10.0.0.2:2"
	server.err = errors.New("server misbehaving")
	expect(t, s, "", "dns+query.mon.svc:1: the name could not be looked up: server misbehaving", "dns+query.mon.svc:2: the name could not")
	server.err = nil
	expect(t, s, all)
	server.err = context.DeadlineExceeded
	for range 2 {
		expect(t, s, all, "(2 targets of the last good answer stay)", "(2 targets of the last good answer stay)")
	}
	if targets, _ := s.Targets(t.Context()); targets[3].Labels["a"] != "1" || targets[0].Labels != nil {
		t.Errorf("labels %v and %v", targets[3].Labels, targets[0].Labels)
	}
	server.err = nil
	server.ips["query.mon.svc"] = []string{"10.0.0.3"}
	expect(t, s, "10.0.0.3:1 10.0.0.3:2")
	delete(server.ips, "query.mon.svc")
	expect(t, s, "", "name not found", "name not found")
	// What has ended does not come back with the next failure.
	server.err = errors.New("server misbehaving")
	expect(t, s, "", "server misbehaving", "server misbehaving")
}

// The name itself is there while one of its SRV targets is not.
func TestDanglingRecordKeepsTheLastAnswer(t *testing.T) {
	z := zone{ips: map[string][]string{"q.mon.svc.": {"10.0.0.1"}}, srv: smallZone.srv}
	s, err := NewSource([]string{"dnssrv+srv.mon.svc"}, nil, z)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, s, "10.0.0.1:2")
	delete(z.ips, "q.mon.svc.")
	expect(t, s, "10.0.0.1:2", "q.mon.svc, of its SRV records: name not found")
}

func TestFilesThatChange(t *testing.T) {
	write(t, map[string]string{"a.json": `[{"targets": ["a:1", "a:2"]}]`, "b.yml": "- targets: [b:1]\n"})
	s := source(t, zone{}, "*.json", "*.yml")
	expect(t, s, "a:1 a:2 b:1")
	put(t, "a.json", `[{"targets": ["a:1", "a`)
	for range 2 {
		expect(t, s, "a:1 a:2 b:1", "it ends in the middle. Write target files under another name and rename them, so that they are never seen half written (2 targets of the last good answer stay)")
	}
	put(t, "a.json", `[{"targets": ["a:3", "noport"]}]`)
	put(t, "c.yml", "- targets: [c:1]\n")
	expect(t, s, "a:3 b:1 c:1", "has no port")
	put(t, "a.json", "{")
	expect(t, s, "a:3 b:1 c:1", "it ends in the middle")
	put(t, "a.json", "[]")
	expect(t, s, "b:1 c:1")
	if err := errors.Join(os.Remove("b.yml"), os.Remove("c.yml")); err != nil {
		t.Fatal(err)
	}
	expect(t, s, "", "*.yml: there is no such file")
	// A file that comes back damaged has nothing that is good.
	put(t, "b.yml", "{")
	expect(t, s, "", "b.yml:")
}

func TestTooManyTargetsInAll(t *testing.T) {
	half := `[{"targets": ["h:1"` + strings.Repeat(`,"h:1"`, maxFileTargets/2) + `]}]`
	write(t, map[string]string{"a.json": half, "b.json": half, "c.json": `[{"targets": ["c:1"]}]`})
	expect(t, source(t, zone{}, "*.json"), "h:1 c:1", "b.json:1: more than the 10000 targets")
}

// slow answers when as many lookups have come as may be under way at once.
type slow struct {
	zone
	mu     sync.Mutex
	waits  int
	enough chan struct{}
}

func (s *slow) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	s.mu.Lock()
	if s.waits++; s.waits == lookupsAtOnce {
		close(s.enough)
	}
	s.mu.Unlock()
	select {
	case <-s.enough:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return s.zone.LookupIPAddr(ctx, host)
}

// Names are asked for at the same time, and each once.
func TestLookupsAtOnce(t *testing.T) {
	z := zone{ips: map[string][]string{}}
	var args, want []string
	for i := range 2 * lookupsAtOnce {
		host := string(rune('a' + i))
		z.ips[host] = []string{net.IPv4(10, 0, 0, byte(i)).String()}
		args = append(args, "dns+"+host+":1")
		want = append(want, z.ips[host][0]+":1")
	}
	server := &slow{zone: z, enough: make(chan struct{})}
	s, err := NewSource(slices.Concat(args, args), nil, server)
	if err != nil {
		t.Fatal(err)
	}
	targets, problems := s.Targets(t.Context())
	if diff := cmp.Diff(strings.Join(want, " "), namesOf(targets)); diff != "" || problems != nil {
		t.Error(diff, problems)
	}
	if server.waits != 2*lookupsAtOnce {
		t.Errorf("%d lookups", server.waits)
	}
}
