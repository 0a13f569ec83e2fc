// Command silentstore is a store that falls silent: a querier finds it healthy,
// asks it for series, and gets headers and then nothing, until it gives up.
//
// It is for soaks. A release that leaks behind a silent store looks clean under
// ordinary load, since ordinary stores answer: TL-2024-001 is of that kind. Have
// the querier under test query this one too:
//
//	go run ./testdata/silentstore -listen 127.0.0.1:10901 -every 2 &
//	thanos query --endpoint=127.0.0.1:10901 --store.response-timeout=1s …
//
// It speaks as much of gRPC as a querier asks for, over HTTP/2 without TLS:
// thanos.info.Info/Info says that it is a store with samples of all times,
// LabelNames and LabelValues of thanos.Store say that there are none, and Series
// is silent or ends at once without any. All else is unimplemented.
//
//	-after D   answers as a healthy store for so long at first
//	-every N   each N-th Series is silent, the others end at once; 0: none is
//
// It prints the address that it listens on. SIGTERM and an interrupt stop it
// with status 0.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:10901", "`address` to serve gRPC on; port 0 takes a free one")
	after := flag.Duration("after", 0, "how long every Series ends at once before any is silent")
	every := flag.Uint64("every", 1, "each how many Series one is silent; 0: none")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, newStore(*after, *every), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, listen string, s *store, stdout io.Writer) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	srv := newServer(s)
	served := make(chan error, 1)
	go func() {
		served <- srv.Serve(l)
	}()
	if _, err := fmt.Fprintln(stdout, l.Addr()); err != nil {
		return err
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		// Silent calls end with their connections, as when a store is killed.
		return srv.Close()
	}
}

// newServer serves h as gRPC clients expect it: HTTP/2 from the first byte, and
// as many calls at a time as they like. The bound of net/http would have them
// queue, and a queue is no silence.
func newServer(h http.Handler) *http.Server {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           h,
		Protocols:         &protocols,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 1 << 20},
		ReadHeaderTimeout: 10 * time.Second,
	}
}
