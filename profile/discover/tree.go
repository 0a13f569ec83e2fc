package discover

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// halfWritten is what to do about a file that ends too early.
const halfWritten = "it ends in the middle. Write target files under another name and rename them, so that they are never seen half written"

// parseTree reads JSON or YAML, by the name of the file, into one kind of
// tree, which knows the line of everything; nil if there is nothing in it.
func parseTree(name string, raw []byte) (*yaml.Node, *FileError) {
	if strings.EqualFold(filepath.Ext(name), ".json") {
		return parseJSON(name, raw)
	}
	return parseYAML(name, raw)
}

// yamlLineRE finds the line in an error of the YAML parser.
var yamlLineRE = lazyregexp.New(`line (\d+): (.*)`)

// parseYAML reads a single document.
func parseYAML(name string, raw []byte) (*yaml.Node, *FileError) {
	d := yaml.NewDecoder(bytes.NewReader(raw))
	var doc, next yaml.Node
	err := d.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err == nil {
		if err = d.Decode(&next); err == nil {
			return nil, &FileError{File: name, Line: next.Line, Cause: "a second YAML document begins here: a target file is one list"}
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		e := &FileError{File: name, Cause: "no YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
		if m := yamlLineRE().FindStringSubmatch(err.Error()); m != nil {
			e.Line, _ = strconv.Atoi(m[1]) // digits only
			e.Cause = "no YAML: " + m[2]
		}
		return nil, e
	}
	return doc.Content[0], nil
}

// parseJSON reads a single value.
func parseJSON(name string, raw []byte) (*yaml.Node, *FileError) {
	p := jsonParser{raw: raw, tokens: json.NewDecoder(bytes.NewReader(raw)), line: 1}
	p.tokens.UseNumber()
	node, err := p.value(0)
	if err == nil {
		if _, more := p.tokens.Token(); !errors.Is(more, io.EOF) {
			p.moveTo(p.tokens.InputOffset())
			return nil, &FileError{File: name, Line: p.line, Cause: "no JSON: something follows the list"}
		}
		return node, nil
	}
	at := p.tokens.InputOffset()
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = e.Offset
	}
	p.moveTo(at)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, &FileError{File: name, Line: p.line, Cause: halfWritten}
	}
	return nil, &FileError{File: name, Line: p.line, Cause: "no JSON: " + err.Error()}
}

// maxDepth is more than the groups of any target file nest.
const maxDepth = 16

// errDepth is what a file gives that nests deeper.
var errDepth = fmt.Errorf("nested deeper than %d levels", maxDepth)

// A jsonParser turns tokens into a tree with lines, which the JSON package
// does not tell.
type jsonParser struct {
	raw    []byte
	tokens *json.Decoder
	at     int // bytes of raw of which the lines are counted
	line   int // there
}

// moveTo counts lines up to an offset, which is never before the last one.
func (p *jsonParser) moveTo(offset int64) {
	if to := min(int(offset), len(p.raw)); to > p.at {
		p.line += bytes.Count(p.raw[p.at:to], []byte("\n"))
		p.at = to
	}
}

// value reads one value.
func (p *jsonParser) value(depth int) (*yaml.Node, error) {
	token, err := p.tokens.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, errDepth
	}
	p.moveTo(p.tokens.InputOffset())
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: p.line}
	switch v := token.(type) {
	case json.Delim:
		n.Kind = yaml.SequenceNode
		if v == '{' {
			n.Kind = yaml.MappingNode
		}
		return n, p.fill(n, depth)
	case string:
		n.Tag, n.Value = "!!str", v
	case nil:
		n.Tag = "!!null"
	default:
		n.Tag, n.Value = "!!other", fmt.Sprint(v)
	}
	return n, nil
}

// fill reads the elements of a list, or keys and values in turn, and the
// bracket at the end.
func (p *jsonParser) fill(n *yaml.Node, depth int) error {
	for p.tokens.More() {
		child, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.Content = append(n.Content, child)
	}
	_, err := p.tokens.Token()
	return err
}
