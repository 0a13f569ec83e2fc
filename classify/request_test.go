package classify

import (
	"testing"

	"github.com/thanosleak/thanosleak/profile"
)

// Functions that requests go through.
const (
	grpcStream  = "google.golang.org/grpc.(*Server).processStreamingRPC"
	grpcUnary   = "google.golang.org/grpc.(*Server).processUnaryRPC"
	httpHandler = "net/http.HandlerFunc.ServeHTTP"
	httpConn    = "net/http.(*conn).serve"
)

func callsOf(functions ...string) []profile.Frame {
	var frames []profile.Frame
	for _, f := range functions {
		frames = append(frames, profile.Frame{Func: f})
	}
	return frames
}

func TestRequestOf(t *testing.T) {
	for _, tt := range []struct {
		name   string
		frames []string
		want   requestKind
	}{
		{"no frames", nil, requestNone},
		{"a loop", []string{"main.runQuery.func10"}, requestNone},
		{"HTTP", []string{"main.work", httpHandler, httpConn}, requestHTTP},
		{"a router", []string{"main.work", "github.com/julienschmidt/httprouter.(*Router).ServeHTTP"}, requestHTTP},
		{"an idle connection", []string{"bufio.(*Reader).Peek", httpConn}, requestNone},
		{"closure of a handler", []string{"main.(*API).ServeHTTP.func1"}, requestNone},
		{"gRPC stream", []string{"main.work", grpcStream}, requestGRPC},
		{"gRPC call", []string{"main.work", grpcUnary}, requestGRPC},
		{"gRPC over HTTP", []string{"main.work", grpcUnary, httpHandler, httpConn}, requestGRPC},
		{"HTTP within gRPC", []string{"main.work", httpHandler, grpcStream}, requestGRPC},
		{"a watcher of health", []string{"google.golang.org/grpc/health.(*Server).Watch", "google.golang.org/grpc/health/grpc_health_v1._Health_Watch_Handler", grpcStream}, requestNone},
		{"gRPC client", []string{"google.golang.org/grpc.(*clientStream).RecvMsg"}, requestNone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := requestOf(callsOf(tt.frames...)); got != tt.want {
				t.Errorf("kind %d, want %d", got, tt.want)
			}
		})
	}
}

func TestServes(t *testing.T) {
	for _, tt := range []struct {
		name   string
		frames []string
		want   bool
	}{
		{"no frames", nil, false},
		{"idle", []string{"bufio.(*Reader).Peek", httpConn}, true},
		{"with a request", []string{"main.work", httpHandler, httpConn}, true},
		{"not the outermost", []string{httpConn, "main.serveOne"}, false},
		{"gRPC handler", []string{"main.work", grpcStream}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := serves(&profile.Group{Frames: callsOf(tt.frames...)}); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// TestCutStacks has handlers that are too deep for debug=0 before Go 1.23: the
// frames of the request are not there.
func TestCutStacks(t *testing.T) {
	const accept, streams = "net/http.(*Server).Serve", "google.golang.org/grpc.(*Server).serveStreams.func1"
	for _, tt := range []struct {
		name   string
		by     string
		frames []string
		kind   requestKind
		serves bool
	}{
		{"cut below the handler", accept, []string{"main.work"}, requestHTTP, true},
		{"cut above the handler", accept, []string{"main.work", httpHandler}, requestHTTP, true},
		{"an idle connection", accept, []string{"bufio.(*Reader).Peek", httpConn}, requestNone, true},
		{"gRPC", streams, []string{"main.work"}, requestGRPC, false},
		{"another creator", "main.run", []string{"main.work"}, requestNone, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := &profile.Group{CreatedBy: tt.by, Frames: callsOf(tt.frames...)}
			if kind := requestOfGroup(g); kind != tt.kind || serves(g) != tt.serves {
				t.Errorf("kind %d, serves %v, want %d, %v", kind, serves(g), tt.kind, tt.serves)
			}
		})
	}
}
