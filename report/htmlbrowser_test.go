//go:build integration

package report_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// browser is a headless Chromium that is told what to do by the DevTools
// protocol over two pipes, messages ending in NUL. This needs no port, no
// WebSocket and no library: chromedp would add five modules to go.mod for the
// dozen calls that are made here.
type browser struct {
	t        *testing.T
	commands *os.File
	messages chan message
	session  string
	calls    int
	events   []message // since they were last forgotten
}

// message is a reply if it has an ID, else an event.
type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

// patience is how long the browser may take for one thing.
const patience = 20 * time.Second

// startBrowser starts Chromium with one empty page until the test ends.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	// In containers there are no user namespaces for its sandbox, and little
	// shared memory. What it would do by itself on the network, it does not.
	c := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-extensions", "--disable-sync", "--log-level=3",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	theirs, commands, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, ours, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	c.Stderr = &said
	c.ExtraFiles = []*os.File{theirs, ours} // 3 and 4, where it looks for them
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(theirs.Close(), ours.Close()); err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, commands: commands, messages: make(chan message, 1000)}
	go b.read(answers)
	t.Cleanup(func() {
		b.stop(c)
		if t.Failed() {
			t.Logf("chromium said:\n%.4000s", said.String())
		}
	})
	b.attach()
	return b
}

// read passes on what the browser says until it ends.
func (b *browser) read(answers *os.File) {
	defer close(b.messages)
	defer answers.Close()
	for r := bufio.NewReader(answers); ; {
		raw, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if err := json.Unmarshal(raw[:len(raw)-1], &m); err != nil {
			m = message{Method: "unreadable", Params: raw}
		}
		b.messages <- m
	}
}

// stop ends the browser and waits for all of it.
func (b *browser) stop(c *exec.Cmd) {
	b.session = ""
	fmt.Fprint(b.commands, `{"id":-1,"method":"Browser.close"}`+"\x00")
	timer := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	defer timer.Stop()
	for range b.messages { // it may have more to say
		continue
	}
	_ = c.Wait() // asked to end: its status says nothing
	_ = b.commands.Close()
}

// attach opens a page and asks for all that it has to say.
func (b *browser) attach() {
	b.t.Helper()
	var page struct{ TargetID, SessionID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &page)
	b.call("Target.attachToTarget", map[string]any{"targetId": page.TargetID, "flatten": true}, &page)
	b.session = page.SessionID
	for _, domain := range []string{"Page", "Network", "Log", "Runtime"} {
		b.call(domain+".enable", nil, nil)
	}
}

// next returns what the browser says next.
func (b *browser) next(waitingFor string) message {
	b.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case m, ok := <-b.messages:
		if !ok {
			b.t.Fatalf("chromium ended before %s", waitingFor)
		}
		return m
	case <-timer.C:
		b.t.Fatalf("not within %s: %s", patience, waitingFor)
	}
	return message{}
}

// call has the browser do something and reads its answer, if result is not nil.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.calls++
	command := map[string]any{"id": b.calls, "method": method}
	if params != nil {
		command["params"] = params
	}
	if b.session != "" {
		command["sessionId"] = b.session
	}
	raw, err := json.Marshal(command)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.commands.Write(append(raw, 0)); err != nil {
		b.t.Fatal(err)
	}
	for {
		m := b.next(method)
		switch {
		case m.ID == 0:
			b.events = append(b.events, m)
		case m.ID != b.calls: // of a call before
		case m.Error != nil:
			b.t.Fatalf("%s: %s", method, m.Error)
		default:
			if result != nil {
				if err := json.Unmarshal(m.Result, result); err != nil {
					b.t.Fatalf("%s: %v", method, err)
				}
			}
			return
		}
	}
}

// address is where the browser finds a file.
func address(file string) string { return "file://" + filepath.ToSlash(file) }

// open shows a page in a window and waits until it is there with all it loads.
func (b *browser) open(file string, width, height int) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.events = nil
	var gone struct{ ErrorText string }
	b.call("Page.navigate", map[string]any{"url": address(file)}, &gone)
	if gone.ErrorText != "" {
		b.t.Fatalf("%s: %s", file, gone.ErrorText)
	}
	for !b.happened("Page.loadEventFired") {
		b.events = append(b.events, b.next("the page "+file))
	}
}

func (b *browser) happened(method string) bool {
	for _, e := range b.events {
		if e.Method == method {
			return true
		}
	}
	return false
}

// eval runs an expression in the page, which may not run any itself.
func (b *browser) eval(expression string, value any) {
	b.t.Helper()
	var r struct {
		Result struct {
			Value json.RawMessage
		}
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, r.ExceptionDetails)
	}
	if value == nil {
		return
	}
	if err := json.Unmarshal(r.Result.Value, value); err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
}

// screenshot returns the upper part of the page as a PNG.
func (b *browser) screenshot(width, height int) []byte {
	b.t.Helper()
	var r struct{ Data []byte }
	b.call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true,
		"clip": map[string]any{"x": 0, "y": 0, "width": width, "height": height, "scale": 1}}, &r)
	return r.Data
}

// complaints are what a page must not cause: requests beside that for itself,
// and errors and warnings of the console, to which violations of its security
// policy belong.
func (b *browser) complaints(file string) []string {
	b.t.Helper()
	var all []string
	for _, e := range b.events {
		var p struct {
			Type    string
			Request struct{ URL string }
			Entry   struct{ Level, Text string }
		}
		if err := json.Unmarshal(e.Params, &p); err != nil {
			b.t.Fatalf("%s: %v", e.Method, err)
		}
		switch {
		case e.Method == "Network.requestWillBeSent" && p.Request.URL != address(file):
			all = append(all, "requests "+p.Request.URL)
		case e.Method == "Log.entryAdded" && (p.Entry.Level == "error" || p.Entry.Level == "warning"):
			all = append(all, p.Entry.Level+": "+p.Entry.Text)
		case e.Method == "Runtime.consoleAPICalled" && (p.Type == "error" || p.Type == "warning"), e.Method == "Runtime.exceptionThrown", e.Method == "unreadable":
			all = append(all, e.Method+": "+string(e.Params))
		}
	}
	return all
}
