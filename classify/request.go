package classify

import (
	"strings"

	"github.com/thanosleak/thanosleak/profile"
)

// requestKind is by which door a request came in.
type requestKind int

const (
	requestNone requestKind = iota
	requestHTTP
	requestGRPC
)

// requestOf tells by the calls of a stack whether the goroutine works for a
// request, and of which kind. gRPC that is served over HTTP is gRPC.
func requestOf(frames []profile.Frame) requestKind {
	kind := requestNone
	for _, f := range frames {
		switch {
		case f.Func == "google.golang.org/grpc.(*Server).processStreamingRPC",
			f.Func == "google.golang.org/grpc.(*Server).processUnaryRPC":
			return requestGRPC
		case strings.HasSuffix(f.Func, ".ServeHTTP"):
			kind = requestHTTP
		}
	}
	return kind
}

// serves reports whether the goroutines of a group are those of connections: a
// connection that is kept alive keeps its goroutine, and its id, over many
// requests.
func serves(g *profile.Group) bool {
	n := len(g.Frames)
	return n > 0 && g.Frames[n-1].Func == "net/http.(*conn).serve"
}
