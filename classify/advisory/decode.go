package advisory

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// decode reads YAML strictly: unknown fields are errors, and so is a second
// document, which would be lost. Errors begin with the file and, where there is
// one, the line: "own.yaml:12: …"; there is one a line of text.
func decode(name string, raw []byte, into any) error {
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	err := dec.Decode(into)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: the file is empty: want one advisory a file", name)
	}
	if err != nil {
		return decodeError(name, err)
	}
	var more yaml.Node
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: more than one document: want one advisory a file", name)
	}
	return nil
}

var (
	// yamlLineRE is how the YAML library begins its errors.
	yamlLineRE = lazyregexp.New(`^(?:yaml: )?line (\d+): (.*)$`)
	// unknownFieldRE is how it names a field that a type does not have.
	unknownFieldRE = lazyregexp.New(`^field (\S+) not found in type advisory\.(\w+)$`)
)

// decodeError turns the errors of the YAML library into ours.
func decodeError(name string, err error) error {
	texts := []string{err.Error()}
	if types, ok := errors.AsType[*yaml.TypeError](err); ok {
		texts = types.Errors
	}
	var errs []error
	for _, text := range texts {
		at, text := name, oneLine(text)
		if m := yamlLineRE().FindStringSubmatch(text); m != nil {
			at, text = name+":"+m[1], m[2]
		}
		if m := unknownFieldRE().FindStringSubmatch(text); m != nil {
			text = fmt.Sprintf("there is no field %s: want some of %s", m[1], strings.Join(fieldsOf(m[2]), ", "))
		}
		errs = append(errs, fmt.Errorf("%s: %s", at, strings.TrimPrefix(text, "yaml: ")))
	}
	return errors.Join(errs...)
}

// oneLine makes one line of a text, which may quote several of the file.
func oneLine(text string) string { return strings.Join(strings.FieldsFunc(text, isLineEnd), " ") }

func isLineEnd(r rune) bool { return r == '\n' || r == '\r' }

// fileTypes are the types that stand in files.
var fileTypes = []reflect.Type{
	reflect.TypeFor[Advisory](), reflect.TypeFor[Pattern](), reflect.TypeFor[Precondition](), reflect.TypeFor[Mitigation](),
	reflect.TypeFor[Avoid](), reflect.TypeFor[Range](), reflect.TypeFor[Benign](), reflect.TypeFor[knowledge](),
}

// fieldsOf returns the names of a type's fields in files, in their order.
func fieldsOf(typeName string) []string {
	var names []string
	for _, t := range fileTypes {
		for i := range t.NumField() {
			if t.Name() == typeName {
				names = append(names, t.Field(i).Tag.Get("yaml"))
			}
		}
	}
	return names
}

// A problem is something wrong in a file that can be decoded.
type problem struct {
	path string // where, as in "culprits[0].frames"
	text string // what is wrong and what would be right
}

type problems []problem

func (ps *problems) add(path, format string, args ...any) {
	*ps = append(*ps, problem{path, fmt.Sprintf(format, args...)})
}

// in returns the problems as one error with the lines of the file, first line
// first; nil if there are none.
func (ps problems) in(name string, raw []byte) error {
	if len(ps) == 0 {
		return nil
	}
	var root yaml.Node
	if err := yaml.Unmarshal(raw, &root); err != nil {
		return decodeError(name, err)
	}
	line := func(p problem) int { return lineOf(&root, p.path) }
	slices.SortStableFunc(ps, func(a, b problem) int {
		return cmp.Or(cmp.Compare(line(a), line(b)), cmp.Compare(a.text, b.text))
	})
	var errs []error
	for _, p := range ps {
		errs = append(errs, fmt.Errorf("%s:%d: %s", name, line(p), oneLine(p.text)))
	}
	return errors.Join(errs...)
}

var stepRE = lazyregexp.New(`[^.\[\]]+`)

// lineOf returns the line of the node at the path or, where something on the
// way is missing, of what should hold it.
func lineOf(root *yaml.Node, path string) int {
	at := root
	if at.Kind == yaml.DocumentNode && len(at.Content) > 0 {
		at = at.Content[0]
	}
	line := at.Line
	for _, step := range stepRE().FindAllString(path, -1) {
		next, key := child(at, step)
		if next == nil {
			break
		}
		at, line = next, key
	}
	return line
}

// child returns the value below a node by key or index, and the line on which
// the key stands or the value begins; nil if there is none.
func child(n *yaml.Node, step string) (value *yaml.Node, line int) {
	if i, err := strconv.Atoi(step); err == nil && n.Kind == yaml.SequenceNode {
		if i < len(n.Content) {
			return n.Content[i], n.Content[i].Line
		}
		return nil, 0
	}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == step {
			return n.Content[i+1], n.Content[i].Line
		}
	}
	return nil, 0
}
