package helmrender

import (
	"bytes"
	"fmt"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/strvals"

	"plumb.dev/native/renderer/internal/diag"
	"plumb.dev/native/renderer/internal/wire"
)

// codeValues marks what is wrong with a values file or a --set expression.
const codeValues = "VALUES"

// mergeLayers mirrors cli/values.Options.MergeValues: later files over earlier ones, then what --set and --set-string take.
func mergeLayers(layers []wire.File, set, setString []string, blob []byte) (map[string]any, error) {
	merged := map[string]any{}
	for _, layer := range layers {
		values, err := readLayer(layer, blob)
		if err != nil {
			return nil, err
		}
		merged = loader.MergeMaps(merged, values)
	}
	for _, expression := range set {
		if err := strvals.ParseInto(expression, merged); err != nil {
			return nil, coded(codeValues, fmt.Errorf("failed parsing --set data: %w", err))
		}
	}
	for _, expression := range setString {
		if err := strvals.ParseIntoString(expression, merged); err != nil {
			return nil, coded(codeValues, fmt.Errorf("failed parsing --set-string data: %w", err))
		}
	}
	return merged, nil
}

func readLayer(layer wire.File, blob []byte) (map[string]any, error) {
	data, err := wire.Bytes(blob, layer.Off, layer.Len)
	if err != nil {
		return nil, coded("BAD_REQUEST", err)
	}
	values, err := loader.LoadValues(bytes.NewReader(bytes.TrimPrefix(data, utf8bom)))
	if err != nil {
		d := diag.New(codeValues, err.Error())
		d.File = layer.Path
		return nil, &diagError{d}
	}
	return values, nil
}
