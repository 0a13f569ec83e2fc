package scrape

import (
	"context"
	"errors"
	"net"
	"time"
)

// Errors that stand for the first byte of a server. Servers that speak first,
// as gRPC does, are told apart here because the HTTP client, met by their
// words before its request is out, only logs them and fails without a reason.
var (
	errHTTP2   = errors.New("the server speaks HTTP/2 without TLS")
	errNotHTTP = errors.New("the server speaks neither HTTP nor TLS")
)

// dial connects and listens to the server's first byte.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{KeepAlive: 15 * time.Second}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &firstByte{Conn: conn}, nil
}

// firstByte is a connection that fails when the server begins with something
// that is neither an HTTP response nor a TLS record.
type firstByte struct {
	net.Conn
	read bool // something was
}

// Read is called by one goroutine at a time, as the HTTP and TLS clients do.
func (c *firstByte) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.read || n == 0 {
		return n, err
	}
	c.read = true
	switch b := p[0]; {
	case b == 'H' || b == '<' || (b >= 0x14 && b <= 0x17) || b == 5:
		// "HTTP/1.1 …", a TLS record, the page with which some servers answer
		// a TLS handshake on a plain port, or a SOCKS proxy in between.
		return n, err
	case b == 0:
		// A SETTINGS frame: 3 bytes of length, which is short, then the type.
		return 0, errHTTP2
	}
	return 0, errNotHTTP
}
