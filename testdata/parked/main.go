// Command parked is a process with many goroutines that wait, to measure what
// reading its profiles costs it:
//
//	go run ./testdata/parked -goroutines 100000
//
// They wait in forty stacks of 8 to 25 calls, seven of ten of them in the first
// two, as if those leaked. It serves /debug/pprof and so much of /metrics as is
// asked for before a profile, and prints the address that it listens on. POST to
// /measure begins to measure, and GET returns as JSON what was since then (see
// Standstill).
//
// With -dump DIR it writes its profiles there instead, as net/http/pprof sends
// them but for debug=2, which is whole: goroutine.debug0.pb.gz,
// goroutine.debug1.txt and goroutine.debug2.txt. With -wait its goroutines have
// waited for so long by then.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/thanosleak/thanosleak/testdata/parked/stacks"
)

func main() {
	goroutines := flag.Int("goroutines", 10_000, "how many goroutines wait")
	listen := flag.String("listen", "127.0.0.1:0", "`address` to serve on; port 0 takes a free one")
	dump := flag.String("dump", "", "write the profiles into this `folder` and end")
	wait := flag.Duration("wait", 0, "how long the goroutines wait before they are dumped")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	stacks.Park(*goroutines)
	runtime.GC() // or that of the start is counted among what a profile costs
	err := serveOrDump(ctx, *listen, *dump, *wait)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func serveOrDump(ctx context.Context, listen, dump string, wait time.Duration) error {
	if dump == "" {
		return serve(ctx, listen)
	}
	select {
	case <-time.After(wait):
		return write(dump)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// serve returns when ctx is done.
func serve(ctx context.Context, listen string) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	http.HandleFunc("GET /metrics", gauges)
	var m meter
	http.HandleFunc("POST /measure", m.start)
	http.HandleFunc("GET /measure", m.stop)
	fmt.Println(l.Addr())
	context.AfterFunc(ctx, func() { l.Close() })
	err = http.Serve(l, nil)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// gauges tells what a reader looks at before it takes a profile.
func gauges(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	fmt.Fprintf(w, "# TYPE go_goroutines gauge\ngo_goroutines %d\n", runtime.NumGoroutine())
	fmt.Fprintf(w, "# TYPE go_info gauge\ngo_info{version=%q} 1\n", runtime.Version())
	fmt.Fprintf(w, "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %d\n", started.Unix())
}

var started = time.Now()

// write dumps the profiles into the folder.
func write(dir string) error {
	for i, name := range []string{"goroutine.debug0.pb.gz", "goroutine.debug1.txt"} {
		var b bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&b, i); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "goroutine.debug2.txt"), wholeDump(), 0o644)
}

// wholeDump returns all of debug=2, of which net/http/pprof sends 64 MiB at most.
func wholeDump() []byte {
	for size := 64 << 20; ; size *= 2 {
		b := make([]byte, size)
		if n := runtime.Stack(b, true); n < size {
			return b[:n]
		}
	}
}
