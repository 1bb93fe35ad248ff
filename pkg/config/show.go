package config

import (
	"gopkg.in/yaml.v3"
)

// Show writes the configuration as YAML: the running one; with mode "defaults" the defaults; with "diff" what differs from them. What
// could be a secret is left out.
func (c *Config) Show(mode string) ([]byte, error) {
	shown := *c
	if mode == "defaults" {
		shown = Default()
	}
	if !shown.Bucket.IsZero() {
		shown.Bucket = yaml.Node{Kind: yaml.ScalarNode, Value: "<secret>"}
	}
	shown.Auth.Tokens, shown.Auth.Users = nil, nil
	if mode != "diff" {
		return yaml.Marshal(shown)
	}
	defaults := Default()
	a, err := asMap(shown)
	if err != nil {
		return nil, err
	}
	b, err := asMap(defaults)
	if err != nil {
		return nil, err
	}
	return yaml.Marshal(difference(a, b))
}

func asMap(c Config) (map[string]any, error) {
	text, err := yaml.Marshal(c)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	return out, yaml.Unmarshal(text, &out)
}

// difference keeps of a what is not equal in b.
func difference(a, b map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range a {
		if inner, ok := v.(map[string]any); ok {
			other, _ := b[k].(map[string]any)
			if d := difference(inner, other); len(d) > 0 {
				out[k] = d
			}
			continue
		}
		if textOf(v) != textOf(b[k]) {
			out[k] = v
		}
	}
	return out
}

func textOf(v any) string {
	text, err := yaml.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
