// Package decode reads YAML exactly as Kubernetes does. The host's own decoder is faster; this one is the measure that
// its tests compare it with.
package decode

import (
	"encoding/json"
	"fmt"

	"sigs.k8s.io/yaml"

	"plumb.dev/native/renderer/internal/wire"
)

type request struct {
	Texts []wire.Span `json:"texts"`
}

type result struct {
	// JSON is null where the text could not be read; Error then says why.
	JSON  *wire.Span `json:"json"`
	Error string     `json:"error,omitempty"`
	// Strict is why a strict reader would refuse it: duplicate keys.
	Strict string `json:"strict,omitempty"`
}

type response struct {
	OK      bool     `json:"ok"`
	Results []result `json:"results"`
}

// Decode converts each text, one document, to JSON.
func Decode(header, blob []byte) (any, *wire.Builder) {
	out := &wire.Builder{}
	var req request
	if err := json.Unmarshal(header, &req); err != nil {
		return &response{}, out
	}
	resp := &response{OK: true}
	for _, span := range req.Texts {
		resp.Results = append(resp.Results, decodeOne(span, blob, out))
	}
	return resp, out
}

func decodeOne(span wire.Span, blob []byte, out *wire.Builder) (res result) {
	defer func() {
		if r := recover(); r != nil {
			res = result{Error: fmt.Sprint(r)}
		}
	}()
	text, err := wire.Bytes(blob, span.Off, span.Len)
	if err != nil {
		return result{Error: err.Error()}
	}
	decoded, err := yaml.YAMLToJSON(text)
	if err != nil {
		return result{Error: err.Error()}
	}
	put := out.Put(string(decoded))
	res.JSON = &put
	if _, err := yaml.YAMLToJSONStrict(text); err != nil {
		res.Strict = err.Error()
	}
	return res
}
