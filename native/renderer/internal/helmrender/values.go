package helmrender

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/engine"

	"plumb.dev/native/renderer/internal/diag"
	"plumb.dev/native/renderer/internal/wire"
)

// ValuesRequest is the input of "renderValues": a folder of templates with values and no Chart.yaml.
type ValuesRequest struct {
	ReleaseName string `json:"releaseName"`
	Namespace   string `json:"namespace"`
	// Templates and partials, by their path below the folder.
	Templates []wire.File `json:"templates"`
	// Files are what .Files sees.
	Files []wire.File `json:"files"`
	// Schema is values.schema.json, if there is one.
	Schema *wire.Span `json:"schema"`
	// Layers are values files, lowest first; the first is what a chart's values.yaml would be.
	Layers []wire.File `json:"layers"`
	Set    []string    `json:"set"`

	SetString []string `json:"setString"`

	MaxOutputBytes int `json:"maxOutputBytes"`
}

// ValuesResponse is the output of "renderValues".
type ValuesResponse struct {
	OK       bool        `json:"ok"`
	Error    *diag.Error `json:"error,omitempty"`
	Files    []wire.File `json:"files,omitempty"`
	Warnings []string    `json:"warnings,omitempty"`
}

// codeOutputBig ends a render that says too much.
const codeOutputBig = "OUTPUT_TOO_LARGE"

// chartName is what .Chart.Name and the template paths begin with.
const chartName = "manifests"

// Values renders. It never panics and never returns a nil response.
func Values(header, blob []byte) (resp *ValuesResponse, out *wire.Builder) {
	out = &wire.Builder{}
	resp = &ValuesResponse{}
	warnings := captureWarnings()
	defer func() {
		if r := recover(); r != nil {
			resp, out = &ValuesResponse{Error: diag.New("PANIC", fmt.Sprint(r))}, &wire.Builder{}
		}
		resp.Warnings = warnings()
	}()
	var req ValuesRequest
	if err := json.Unmarshal(header, &req); err != nil {
		resp.Error = diag.New("BAD_REQUEST", err.Error())
		return
	}
	if err := renderValues(&req, blob, resp, out); err != nil {
		resp.Files, out = nil, &wire.Builder{}
		resp.Error = diagnose(err)
		resp.Error.File = strings.TrimPrefix(resp.Error.File, chartName+"/templates/")
		return
	}
	resp.OK = true
	return
}

func renderValues(req *ValuesRequest, blob []byte, resp *ValuesResponse, out *wire.Builder) error {
	ch := &chart.Chart{Metadata: &chart.Metadata{APIVersion: chart.APIVersionV2, Name: chartName, Version: "0.0.0"}}
	templates, err := commonFiles(req.Templates, "templates", blob)
	if err != nil {
		return err
	}
	ch.Templates = templates
	if ch.Files, err = commonFiles(req.Files, "", blob); err != nil {
		return err
	}
	if req.Schema != nil {
		if ch.Schema, err = wire.Bytes(blob, req.Schema.Off, req.Schema.Len); err != nil {
			return coded("BAD_REQUEST", err)
		}
	}
	defaults, overLayers := req.Layers[:min(1, len(req.Layers))], req.Layers[min(1, len(req.Layers)):]
	for _, layer := range defaults {
		if ch.Values, err = readLayer(layer, blob); err != nil {
			return err
		}
	}
	overrides, err := mergeLayers(overLayers, req.Set, req.SetString, blob)
	if err != nil {
		return err
	}
	options := common.ReleaseOptions{Name: req.ReleaseName, Namespace: req.Namespace, Revision: 1, IsInstall: true}
	top, err := commonutil.ToRenderValues(ch, overrides, options, common.DefaultCapabilities.Copy())
	if err != nil {
		return coded(codeValues, err)
	}
	rendered, err := engine.Engine{}.Render(ch, top)
	if err != nil {
		return err
	}
	total := 0
	for _, template := range req.Templates {
		text := rendered[path.Join(chartName, "templates", template.Path)]
		if total += len(text); req.MaxOutputBytes > 0 && total > req.MaxOutputBytes {
			return coded(codeOutputBig, fmt.Errorf("the rendered text is larger than %d bytes", req.MaxOutputBytes))
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		span := out.Put(text)
		resp.Files = append(resp.Files, wire.File{Path: template.Path, Off: span.Off, Len: span.Len})
	}
	return nil
}

func commonFiles(files []wire.File, folder string, blob []byte) ([]*common.File, error) {
	result := make([]*common.File, 0, len(files))
	for _, f := range files {
		data, err := wire.Bytes(blob, f.Off, f.Len)
		if err != nil {
			return nil, coded("BAD_REQUEST", err)
		}
		file := &common.File{Name: path.Join(folder, f.Path), ModTime: time.Time{}, Data: bytes.TrimPrefix(data, utf8bom)}
		result = append(result, file)
	}
	return result, nil
}
