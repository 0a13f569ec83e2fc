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

// Functions that start or serve requests.
const (
	connServe   = "net/http.(*conn).serve"
	httpAccept  = "net/http.(*Server).Serve"
	grpcStreams = "google.golang.org/grpc.(*Server).serveStreams."
)

// requestOf tells by the calls of a stack whether the goroutine works for a
// request, and of which kind. gRPC that is served over HTTP is gRPC. Who watches
// the health of a server does so for as long as he likes.
func requestOf(frames []profile.Frame) requestKind {
	kind := requestNone
	for _, f := range frames {
		switch {
		case f.Func == "google.golang.org/grpc/health.(*Server).Watch":
			return requestNone
		case f.Func == "google.golang.org/grpc.(*Server).processStreamingRPC",
			f.Func == "google.golang.org/grpc.(*Server).processUnaryRPC":
			return requestGRPC
		case strings.HasSuffix(f.Func, ".ServeHTTP"):
			kind = requestHTTP
		}
	}
	return kind
}

// requestOfGroup is requestOf with a look at who started the goroutines: in
// debug=0 runtimes before Go 1.23 keep 32 frames only, and a deep handler has
// lost those that tell.
func requestOfGroup(g *profile.Group) requestKind {
	if kind := requestOf(g.Frames); kind != requestNone {
		return kind
	}
	switch {
	case strings.HasPrefix(g.CreatedBy, grpcStreams):
		return requestGRPC
	case g.CreatedBy == httpAccept && outermost(g) != connServe:
		return requestHTTP // only a handler is that deep
	}
	return requestNone
}

// serves reports whether the goroutines of a group are those of connections: a
// connection that is kept alive keeps its goroutine, and its id, over many
// requests. Where the stack is cut, who started them tells.
func serves(g *profile.Group) bool {
	return outermost(g) == connServe || g.CreatedBy == httpAccept
}

// outermost is the function that the stack begins with; empty without frames.
func outermost(g *profile.Group) string {
	if len(g.Frames) == 0 {
		return ""
	}
	return g.Frames[len(g.Frames)-1].Func
}
