// Command thanos is a process that leaks goroutines on purpose, in the way in
// which Thanos queriers have leaked them. It is no Thanos: it has the names of
// packages and functions, and the endpoints that a goroutine-leak diagnostic
// looks at, and nothing else.
//
// The module is named as Thanos' so that the linker spells the symbols as it
// does there ("github.com/thanos-io/thanos/pkg/store.newEagerRespSet.func2.3"),
// and the profiles come from a real runtime: so tests meet live processes in
// every encoding without building Thanos.
//
//	-leak nilchan   v0.35.1, v0.36.0: the reader of a silent store drains a
//	                timer that has no channel and blocks for ever; the select
//	                and the HTTP handler wait behind it: 3 goroutines a leak
//	-leak send      up to v0.35.0 (issue 6948): the server half of an
//	                in-process call sends to a client that has gone: 1 a leak
//	-leak reply     no release: a reply that nobody sends; 3 goroutines a leak
//	-leak none      nothing leaks
//
// It prints its base URL on stdout once -n queries have leaked. From then on
// every GET of /api/v1/query leaks once more (with -every K each K-th), and
// every GET of /api/v1/query_range does, whatever K is; with -each D it leaks by
// itself once every D. With -idle two goroutines wait for the end of the program,
// as many harmless ones do: select {} and <-context.Background().Done(). With
// -silent its /metrics count a silent store with each query.
// SIGTERM, an interrupt and, unless -watch-stdin=false, the end of stdin stop it with status 0.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the values of the flags.
type options struct {
	listen string
	leak   string
	n      int
	every  int
	each   time.Duration
	idle   bool
	silent bool
}

func main() {
	var o options
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "`address` to serve HTTP on; port 0 takes a free one")
	flag.StringVar(&o.leak, "leak", "nilchan", "what leaks: nilchan, send, reply or none")
	flag.IntVar(&o.n, "n", 0, "how many queries leak before the base URL is printed")
	flag.IntVar(&o.every, "every", 1, "each how many queries one leaks afterwards; 0: none")
	flag.DurationVar(&o.each, "each", 0, "time between leaks that happen by themselves; 0: none do")
	flag.BoolVar(&o.idle, "idle", false, "have goroutines that wait for the end of the program")
	flag.BoolVar(&o.silent, "silent", false, "count a silent store with each query, which leaks nothing")
	watch := flag.Bool("watch-stdin", true, "stop at the end of stdin, so that no process outlives its test")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *watch {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}
	if err := runQuery(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
