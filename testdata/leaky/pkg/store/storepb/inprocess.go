// Package storepb stands for the in-process StoreAPI client of Thanos with the
// leak of its issue 6948 (up to v0.35.0): the goroutine that runs the server
// sends to a channel, and nobody receives once the client has gone.
package storepb

import (
	"context"
	"io"
)

// Frame is one message of a Series stream.
type Frame struct{ Last bool }

// Client is the receiving end of a Series stream.
type Client interface {
	// Recv returns the next frame, or io.EOF behind the last.
	Recv(ctx context.Context) (Frame, error)
}

type serverAsClient struct{ frames int }

// ServerAsClient returns the client of a server in this process that sends
// the given number of frames.
func ServerAsClient(frames int) interface{ Series() Client } { return serverAsClient{frames} }

// Series starts the server. Nothing ends it but its client, by receiving all
// that it sends: this is the defect.
func (s serverAsClient) Series() Client {
	c := &inProcessClient{recv: make(chan Frame)}
	go func() {
		for i := range s.frames {
			c.recv <- Frame{Last: i == s.frames-1}
		}
		close(c.recv)
	}()
	return c
}

type inProcessClient struct{ recv chan Frame }

func (c *inProcessClient) Recv(ctx context.Context) (Frame, error) {
	select {
	case f, ok := <-c.recv:
		if !ok {
			return Frame{}, io.EOF
		}
		return f, nil
	case <-ctx.Done():
		return Frame{}, ctx.Err()
	}
}
