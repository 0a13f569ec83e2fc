// Package store stands for the fan-out of Thanos v0.35.1 and v0.36.0 to its
// stores, with the leak of a reader that drains a timer without a channel.
package store

import (
	"context"
	"time"

	"github.com/thanos-io/thanos/pkg/store/storepb"
)

// ProxyStore asks a store, which behaves as Leak says.
type ProxyStore struct {
	// Leak is "nilchan" for a store that never answers, "send" for a client
	// that goes away after one frame, "reply" for a reply that never comes,
	// or "none".
	Leak string
}

// Series runs one call. stuck is called when the call leaves a goroutine
// behind that never ends, right before that goroutine blocks.
//
//go:noinline
func (s *ProxyStore) Series(ctx context.Context, leak bool, stuck func()) int {
	if leak && s.Leak == "reply" {
		return merge(stuck)
	}
	var cl storepb.Client = silentStore{}
	frameTimeout := time.Millisecond
	if !leak || s.Leak != "nilchan" {
		cl, frameTimeout = storepb.ServerAsClient(2).Series(), time.Minute
	}
	if leak && s.Leak == "send" {
		if _, err := cl.Recv(ctx); err != nil {
			return 0
		}
		stuck()
		return 1
	}
	n := 0
	for tree := NewProxyResponseLoserTree(newEagerRespSet(ctx, cl, frameTimeout, stuck)); tree.Next(); {
		n++
	}
	return n
}

// silentStore accepts calls and never answers.
type silentStore struct{}

func (silentStore) Recv(ctx context.Context) (storepb.Frame, error) {
	<-ctx.Done()
	return storepb.Frame{}, ctx.Err()
}
