package discover

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// maxAddress bounds an address, in bytes; host names have at most 253.
const maxAddress = 2048

// A decoder reads the tree of a file in Prometheus' file_sd form:
//
//	[{"targets": ["h:10902"], "labels": {"env": "prod"}}]
type decoder struct {
	content
	file string
	max  int // targets
	bad  int // entries that are no addresses
	// read are the labels that were read, by where they stand: groups may have
	// the same ones by an alias, and must not take their memory each.
	read map[*yaml.Node]groupLabels
}

// groupLabels are the labels of a group; nil if there are none.
type groupLabels struct {
	all   map[string]string
	shown map[string]string // those that its targets keep
}

// fail returns an error about a place in the file.
func (d *decoder) fail(n *yaml.Node, format string, args ...any) *FileError {
	return &FileError{File: d.file, Line: n.Line, Cause: fmt.Sprintf(format, args...)}
}

// groups reads the list of groups; nothing at all, or null, is an empty one.
func (d *decoder) groups(n *yaml.Node) *FileError {
	if n == nil || isNull(n) {
		return nil
	}
	n = followAlias(n)
	if n.Kind != yaml.SequenceNode {
		return d.fail(n, `want a list of groups: [{"targets": ["HOST:PORT"], "labels": {}}]`)
	}
	for _, g := range n.Content {
		if err := d.group(followAlias(g)); err != nil {
			return err
		}
	}
	return nil
}

// group reads one group: its labels first, since the targets need them.
func (d *decoder) group(n *yaml.Node) *FileError {
	if n.Kind != yaml.MappingNode {
		return d.fail(n, `want a group: {"targets": ["HOST:PORT"], "labels": {}}`)
	}
	parts := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Value != "targets" && key.Value != "labels" {
			return d.fail(key, "unknown key %s: a group has targets and labels", clipped(key.Value))
		}
		if parts[key.Value] != nil {
			return d.fail(key, "%s stands twice in a group", key.Value)
		}
		parts[key.Value] = followAlias(n.Content[i+1])
	}
	labels, err := d.labelsOnce(parts["labels"])
	if err != nil {
		return err
	}
	return d.targets(parts["targets"], labels)
}

// labelsOnce reads the labels of a group, unless another group has them too.
func (d *decoder) labelsOnce(n *yaml.Node) (groupLabels, *FileError) {
	if known, ok := d.read[n]; ok {
		return known, nil
	}
	all, err := d.labels(n)
	if err != nil {
		return groupLabels{}, err
	}
	if d.read == nil {
		d.read = map[*yaml.Node]groupLabels{}
	}
	d.read[n] = groupLabels{all: all, shown: visible(all)}
	return d.read[n], nil
}

// labels reads the labels of a group, those that are told to Prometheus only
// among them.
func (d *decoder) labels(n *yaml.Node) (map[string]string, *FileError) {
	if n == nil || isNull(n) {
		return nil, nil
	}
	if n.Kind != yaml.MappingNode {
		return nil, d.fail(n, `labels: want names and values: {"env": "prod"}`)
	}
	labels := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := followAlias(n.Content[i])
		value, ok := text(n.Content[i+1])
		switch {
		case !model.UTF8Validation.IsValidLabelName(name.Value):
			return nil, d.fail(name, "%s is no name of a label", clipped(name.Value))
		case !ok || !model.LabelValue(value).IsValid():
			return nil, d.fail(name, "label %s: want text as its value", clipped(name.Value))
		}
		if _, twice := labels[name.Value]; twice {
			return nil, d.fail(name, "label %s stands twice in a group", clipped(name.Value))
		}
		if name.Value == model.SchemeLabel && value != "http" && value != "https" {
			return nil, d.fail(name, "label %s: want http or https", name.Value)
		}
		labels[name.Value] = value
	}
	return labels, nil
}

// targets reads the addresses of a group.
func (d *decoder) targets(n *yaml.Node, labels groupLabels) *FileError {
	if n == nil || isNull(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		return d.fail(n, `targets: want a list of addresses: ["HOST:PORT"]`)
	}
	for _, t := range n.Content {
		if len(d.entries)+d.bad >= d.max {
			return d.fail(t, "more than the %d targets that the target files may list in all", maxFileTargets)
		}
		address, ok := text(t)
		if !ok || isNull(followAlias(t)) {
			return d.fail(t, "a target is text: want HOST:PORT")
		}
		f, err := parseEntry(address, labels.all)
		if len(address) > maxAddress {
			err = fmt.Errorf("an address of %d bytes is none", len(address))
		}
		if err != nil {
			if d.bad++; d.bad == 1 {
				d.skipped = d.fail(t, "%v", err)
			}
			continue
		}
		d.entries = append(d.entries, entry{form: f, labels: labels.shown})
	}
	return nil
}

// parseEntry reads an address with the scheme and the path that the labels
// tell; those in the address win. __address__ is the address itself, which a
// group's labels cannot change in Prometheus either.
func parseEntry(address string, labels map[string]string) (form, error) {
	scheme, path := labels[model.SchemeLabel], labels[model.MetricsPathLabel]
	if strings.Contains(address, "://") || (scheme == "" && path == "") {
		return parseForm(address)
	}
	how, rest := "", address
	if strings.HasPrefix(address, "dns") {
		if h, r, ok := strings.Cut(address, "+"); ok {
			how, rest = h+"+", r
		}
	}
	if err := checkForm(rest); err != nil {
		return form{}, err
	}
	if scheme == "" {
		scheme = "http"
		// The port that this scheme implies is not Thanos'.
		if f, err := parseForm(address); err != nil {
			return f, err
		}
	}
	// Only the metrics' own path tells the prefix that stands before it.
	if prefix, ok := strings.CutSuffix(path, "/metrics"); ok && !strings.Contains(rest, "/") {
		rest += prefix
	}
	return parseForm(how + scheme + "://" + rest)
}

// visible returns the labels that a target keeps: those that begin with "__"
// and those without a value are none. It is nil if none is left.
func visible(labels map[string]string) map[string]string {
	shown := maps.Clone(labels)
	maps.DeleteFunc(shown, func(name, value string) bool {
		return strings.HasPrefix(name, model.ReservedLabelPrefix) || value == ""
	})
	if len(shown) == 0 {
		return nil
	}
	return shown
}

// text returns the text of a scalar. In YAML, as in Prometheus, a number that
// nobody quoted is text as well; JSON is strict.
func text(n *yaml.Node) (string, bool) {
	n = followAlias(n)
	if n.Kind != yaml.ScalarNode || n.Tag == "!!other" {
		return "", false
	}
	if isNull(n) {
		return "", true
	}
	return n.Value, true
}

// isNull reports whether a node is there without a value.
func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// followAlias returns the node that an alias of YAML stands for.
func followAlias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// clipped quotes a word of a file, which may be of any length, and an address
// with credentials in a wrong place.
func clipped(s string) string {
	const most = 60
	s = Plain(s)
	if len(s) > most {
		return strconv.Quote(strings.ToValidUTF8(s[:most], "")) + "…"
	}
	return strconv.Quote(s)
}
