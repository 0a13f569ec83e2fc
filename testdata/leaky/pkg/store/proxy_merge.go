package store

import (
	"context"
	"sync"
	"time"

	"github.com/thanos-io/thanos/pkg/losertree"
	"github.com/thanos-io/thanos/pkg/store/storepb"
)

// eagerRespSet reads all frames of one store in a goroutine of its own, at
// once; whoever wants them waits for that goroutine.
type eagerRespSet struct {
	wg          sync.WaitGroup
	closeSeries context.CancelFunc
	left        int // frames read and not yet handed out
}

// newEagerRespSet starts to read. A store that is silent for longer than
// frameTimeout is given up, and this is where the defect is: a timer of
// time.AfterFunc has no channel, so draining it blocks for ever. stuck is
// called right before.
//
// The closures are three in the goroutine, the reader last, for the sake of
// its name: newEagerRespSet.func2.3.
func newEagerRespSet(ctx context.Context, cl storepb.Client, frameTimeout time.Duration, stuck func()) *eagerRespSet {
	ctx, cancel := context.WithCancel(ctx)
	ret := &eagerRespSet{closeSeries: func() { cancel() }}
	ret.wg.Add(1)
	go func(l *eagerRespSet) {
		defer func() { l.wg.Done() }()
		t := time.AfterFunc(frameTimeout, func() { l.closeSeries() })
		handleRecvResponse := func(t *time.Timer) bool {
			defer t.Reset(frameTimeout)
			_, err := cl.Recv(ctx)
			if !t.Stop() {
				stuck()
				<-t.C
			}
			if err != nil {
				return false
			}
			l.left++
			return true
		}
		for handleRecvResponse(t) {
		}
		t.Stop()
	}(ret)
	return ret
}

// Next waits until all is read. It is what the victims of the leak stand in.
func (l *eagerRespSet) Next() bool {
	l.wg.Wait()
	l.left--
	return l.left >= 0
}

// NewProxyResponseLoserTree merges what the stores answer.
//
//go:noinline
func NewProxyResponseLoserTree(sets ...*eagerRespSet) *losertree.Tree[*eagerRespSet] {
	tree := losertree.New(sets)
	return tree
}
