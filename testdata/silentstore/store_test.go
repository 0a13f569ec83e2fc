package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const series = "thanos.Store/Series"

// pipes is a listener without a network, so that hours of silence pass at once.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipes) Close() error {
	close(p)
	return nil
}

func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p <- server
	return client, nil
}

// serve serves h until the end of the bubble that t is of, and returns a client.
func serve(t *testing.T, h http.Handler) *http.Client {
	t.Helper()
	l := make(pipes)
	srv := newServer(h)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{DialContext: l.dial, Protocols: &protocols}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return &http.Client{Transport: transport}
}

// call begins a call; its request is an empty message.
func call(ctx context.Context, t *testing.T, client *http.Client, method string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://store/"+method, strings.NewReader("\x00\x00\x00\x00\x00"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/grpc")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "application/grpc" {
		t.Fatalf("%s: status %d, content type %q", method, resp.StatusCode, got)
	}
	return resp
}

// finish reads a call to its end.
func finish(t *testing.T, resp *http.Response) (body, grpcStatus string) {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), resp.Trailer.Get("Grpc-Status")
}

func TestAnswers(t *testing.T) {
	for _, tt := range []struct{ method, body, grpcStatus string }{
		{"thanos.info.Info/Info", "\x00\x00\x00\x00\x13" + "\x12\x05store" + "\x1a\x0a\x10\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "0"},
		{"thanos.Store/LabelNames", "\x00\x00\x00\x00\x00", "0"},
		{"thanos.Store/LabelValues", "\x00\x00\x00\x00\x00", "0"},
		{"thanos.Rules/Rules", "", "12"},
	} {
		t.Run(tt.method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := serve(t, newStore(0, 1))
				body, grpcStatus := finish(t, call(t.Context(), t, client, tt.method))
				if body != tt.body || grpcStatus != tt.grpcStatus {
					t.Errorf("%q with status %q, want %q with %q", body, grpcStatus, tt.body, tt.grpcStatus)
				}
			})
		})
	}
}

// A silent Series is open for as long as its client waits, and no longer.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, handled := newStore(0, 1), make(chan struct{})
		client := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.ServeHTTP(w, r)
			close(handled)
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		begun := time.Now()
		resp := call(ctx, t, client, series)
		b, err := io.ReadAll(resp.Body)
		if waited := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || waited != time.Hour || len(b) > 0 {
			t.Errorf("after %v: %v, %d bytes; want an hour of silence", waited, err, len(b))
		}
		<-handled
		if waited := time.Since(begun); waited != time.Hour {
			t.Errorf("the handler ended after %v", waited)
		}
	})
}

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := serve(t, newStore(time.Minute, 3))
		if got, want := ends(t, client, 4), "eeee"; got != want {
			t.Errorf("at first %s, want %s", got, want)
		}
		time.Sleep(time.Minute) // by the clock of the bubble
		if got, want := ends(t, client, 7), "eeseese"; got != want {
			t.Errorf("after a minute %s, want %s", got, want)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		if got, want := ends(t, serve(t, newStore(0, 0)), 3), "eee"; got != want {
			t.Errorf("with none silent %s, want %s", got, want)
		}
	})
}

// ends asks for series n times: e for a call that ended, s for one that was silent.
func ends(t *testing.T, client *http.Client, n int) string {
	t.Helper()
	var got []byte
	for range n {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		resp := call(ctx, t, client, series)
		b, err := io.ReadAll(resp.Body)
		cancel()
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			got = append(got, 's')
		case err == nil && len(b) == 0 && resp.Trailer.Get("Grpc-Status") == "0":
			got = append(got, 'e')
		default:
			t.Fatalf("%q, %v, trailer %v", b, err, resp.Trailer)
		}
	}
	return string(got)
}

// The address is printed once connections are taken, and SIGTERM, which ends the
// context, is no error.
func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, "127.0.0.1:0", newStore(0, 1), in) }()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimSpace(address))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
