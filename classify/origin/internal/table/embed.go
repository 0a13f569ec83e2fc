package table

import (
	_ "embed"
	"sync"
)

// The files of the tables beside this package's code.
const (
	ThanosFile = "thanos.txt"
	GoFile     = "go.txt"
)

//go:embed thanos.txt
var thanosRaw []byte

//go:embed go.txt
var goRaw []byte

// Thanos returns the table of Thanos releases ("0.35.1"). Its facts:
//
//	complete modules               "yes": go.mod names every module of the build
//	module google.golang.org/grpc  "v1.57.2", "path@v1.2.3" if replaced by another
//	lines pkg/store/proxy.go       lines where goroutines commonly stand
//
// Up to Go 1.16 go.mod names direct dependencies only: there a module that is
// not told may be in the build.
var Thanos = sync.OnceValues(func() (*Table, error) { return Decode(thanosRaw) })

// Go returns the table of minor releases of Go ("go1.21"). Its facts:
//
//	func net/http.(*conn).serve net/http/server.go  "1866-2088"
//
// are the first and the last line of a function of the standard library over
// the patch releases that the comments name.
var Go = sync.OnceValues(func() (*Table, error) { return Decode(goRaw) })
