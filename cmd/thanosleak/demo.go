package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/thanosleak/thanosleak/profile/capture"
)

// demoCapture is a querier of Thanos v0.35.1 that leaks, as thanosleak itself
// kept it: scan --samples 18 --dir demo.tar.gz.
//
//go:embed demo.tar.gz
var demoCapture []byte

// demoInterval is the time between two samples of the demo. The profiles carry
// the time at which they were taken, so the series still spans 1m40s.
const demoInterval = 250 * time.Millisecond

// noTime leaves out the Last-Modified header.
var noTime time.Time

func newDemoCommand(std streams) *cobra.Command {
	s := &scanner{scraping: newScraping(demoInterval)}
	s.concurrency = 1
	c := &cobra.Command{
		Use:   "demo",
		Short: "Scan a recorded querier that leaks, without any network",
		Long: `Serve the recorded profiles of a Thanos v0.35.1 querier that leaks on a loopback
address and scan them with the very code of thanosleak scan. The exit status is 0
unless --fail-on is given.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !c.Flags().Changed("fail-on") {
				s.failOn = "never" // the leak is what the demo is for
			}
			return runDemo(c.Context(), std, s)
		},
	}
	s.shared.add(c)
	return c
}

func runDemo(ctx context.Context, std streams, s *scanner) error {
	archive, err := capture.Unpack(bytes.NewReader(demoCapture))
	if err != nil {
		return fmt.Errorf("the recorded capture: %w", err)
	}
	handler, err := newReplay(archive, "")
	if err != nil {
		return err
	}
	s.samples = len(handler.stems)
	if err := s.check(); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	defer func() {
		_ = server.Close()
		<-served
	}()
	if !s.quiet {
		fmt.Fprintf(std.err, "thanosleak: a recorded querier of thanos 0.35.1, served at http://%s, scanned %d times\n", l.Addr(), s.samples)
	}
	return s.run(ctx, std, []string{"http://" + l.Addr().String()})
}
