// Package report writes results of package classify for people and machines,
// one file a format. A writer neither judges nor reads a clock; what comes
// from a target is untrusted and never reaches a terminal as it is.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/thanosleak/thanosleak/classify"
)

// SchemaVersion names the form of the JSON result; it changes when a key
// changes its meaning.
const SchemaVersion = "thanosleak/v1"

// A Run is what a report says of the run that made it.
type Run struct {
	// Version is that of the tool.
	Version string
	// AdvisoriesVersion is the day on which the knowledge was last checked.
	AdvisoriesVersion string
	// Command is the command line without secrets.
	Command           string
	Started, Finished time.Time
	// FailOn is the level from which findings fail the run; empty if none
	// does.
	FailOn classify.Level
	// Strict says that a target that is undecided fails the run, as it does a
	// soak.
	Strict bool
}

// tool is the program in the JSON result.
type tool struct {
	Name              string `json:"name"`
	Version           string `json:"version"`
	AdvisoriesVersion string `json:"advisories_version"`
}

// envelope is the JSON result: keys are always there, unknown is null or
// empty.
type envelope struct {
	Schema   string    `json:"schema"`
	Tool     tool      `json:"tool"`
	Command  string    `json:"command"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	*classify.Result
}

// JSON writes the result as docs/result.schema.json describes it. It holds no
// character that a terminal would act upon.
func JSON(w io.Writer, run Run, r *classify.Result, _ TextOptions) error {
	return writeJSON(w, envelope{
		Schema:  SchemaVersion,
		Tool:    tool{Name: "thanosleak", Version: run.Version, AdvisoriesVersion: run.AdvisoriesVersion},
		Command: run.Command, Started: run.Started, Finished: run.Finished, Result: r,
	})
}

// writeJSON writes a value, indented and escaped.
func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := bytes.NewReader(escape(b.Bytes())).WriteTo(w)
	return err
}

// escape writes as \u what package json leaves as it is although a terminal
// acts upon it: DEL, the C1 controls, and marks that reorder or hide text. In
// JSON they stand in strings only, whose values stay the same.
func escape(doc []byte) []byte {
	out := make([]byte, 0, len(doc))
	for len(doc) > 0 {
		r, n := utf8.DecodeRune(doc)
		switch {
		case r < utf8.RuneSelf && r != 0x7f, unicode.IsPrint(r):
			out = append(out, doc[:n]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		doc = doc[n:]
	}
	return out
}
