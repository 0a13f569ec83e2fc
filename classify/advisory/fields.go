package advisory

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// Fields returns advisories as their files have them, for machines: a map of
// all fields for each, in the order given. Unset fields are there, empty or
// null; durations are texts ("10m0s").
func Fields(list []*Advisory) ([]map[string]any, error) {
	var raw bytes.Buffer
	e := yaml.NewEncoder(&raw)
	e.SetIndent(2) // with its default the library cannot read a text again that begins with a line end
	if err := e.Encode(list); err != nil {
		return nil, err
	}
	fields := []map[string]any{}
	return fields, yaml.Unmarshal(raw.Bytes(), &fields)
}
