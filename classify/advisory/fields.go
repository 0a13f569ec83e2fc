package advisory

import "go.yaml.in/yaml/v3"

// Fields returns advisories as their files have them, for machines: a map of
// all fields for each, in the order given. Unset fields are there, empty or
// null; durations are texts ("10m0s").
func Fields(list []*Advisory) ([]map[string]any, error) {
	raw, err := yaml.Marshal(list)
	if err != nil {
		return nil, err
	}
	fields := []map[string]any{}
	return fields, yaml.Unmarshal(raw, &fields)
}
