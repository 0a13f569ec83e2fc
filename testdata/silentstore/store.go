package main

import (
	"encoding/binary"
	"io"
	"math"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// The status codes of gRPC that the store ends calls with.
const (
	ok            = 0
	unimplemented = 12
)

// store answers calls; a path is a method.
type store struct {
	silentFrom time.Time
	// every is 0 where no Series is silent.
	every uint64
	// asked counts the Series since silentFrom.
	asked atomic.Uint64
}

// newStore is silent to each every-th Series once after has passed, to none where
// every is 0.
func newStore(after time.Duration, every uint64) *store {
	return &store{silentFrom: time.Now().Add(after), every: every}
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A reset while the request is still being sent would be no silence.
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/grpc")
	header.Set("Trailer", "Grpc-Status")
	switch r.URL.Path {
	case "/thanos.info.Info/Info":
		answer(w, info())
	case "/thanos.Store/LabelNames", "/thanos.Store/LabelValues":
		answer(w, nil)
	case "/thanos.Store/Series":
		s.series(w, r)
	default:
		end(w, unimplemented)
	}
}

// series sends headers, so that the call is under way on both sides, and no
// frame. A client that gives up is not answered either.
func (s *store) series(w http.ResponseWriter, r *http.Request) {
	if !s.silent() {
		end(w, ok)
		return
	}
	if err := http.NewResponseController(w).Flush(); err != nil {
		return
	}
	<-r.Context().Done()
}

// silent tells whether the Series that asks is one of those without an answer.
func (s *store) silent() bool {
	if s.every == 0 || time.Now().Before(s.silentFrom) {
		return false
	}
	return s.asked.Add(1)%s.every == 0
}

// answer ends a call with one message: a byte that says that it is not
// compressed, four of its length, and the message.
func answer(w http.ResponseWriter, message []byte) {
	frame := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
	if _, err := w.Write(append(frame, message...)); err != nil {
		return
	}
	end(w, ok)
}

// end ends a call with a status, in the trailer that ServeHTTP has announced.
func end(w http.ResponseWriter, code int) {
	w.Header().Set("Grpc-Status", strconv.Itoa(code))
}

// What precedes the fields that a querier needs to have: their numbers in
// InfoResponse and its StoreInfo (Thanos' pkg/info/infopb/rpc.proto, the same in
// v0.35 and v0.42), and whether a number follows (0) or a length (2).
const (
	tagComponentType = 2<<3 | 2
	tagStore         = 3<<3 | 2
	tagMaxTime       = 2 << 3
)

// info is an InfoResponse of a store gateway with samples from the epoch to the
// end of time, in milliseconds. A min_time of 0 is the one that is not sent.
func info() []byte {
	const component = "store"
	storeInfo := binary.AppendUvarint([]byte{tagMaxTime}, math.MaxInt64)
	message := append([]byte{tagComponentType, byte(len(component))}, component...)
	message = append(message, tagStore, byte(len(storeInfo)))
	return append(message, storeInfo...)
}
