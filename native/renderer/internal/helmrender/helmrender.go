// Package helmrender is `helm template` without helm's pkg/action: the same
// loader, dependency processing, value coalescing, schema validation, engine and
// manifest sorter, over files in memory, and nothing that can reach a cluster,
// a registry or a disk.
package helmrender

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	"helm.sh/helm/v4/pkg/ignore"
	release "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"

	"plumb.dev/native/renderer/internal/diag"
	"plumb.dev/native/renderer/internal/wire"
)

// Request is helmTemplate's input header. Spans point into the frame's blob.
type Request struct {
	// Files of the chart by their path below its folder, links followed; or Archive, the chart as a .tgz.
	Files   []wire.File `json:"files"`
	Archive *wire.Span  `json:"archive"`

	// Values files over the chart's own, lowest first, and what `helm --set` takes, over them.
	Layers    []wire.File `json:"layers"`
	Set       []string    `json:"set"`
	SetString []string    `json:"setString"`

	ReleaseName string `json:"releaseName"`
	Namespace   string `json:"namespace"`
	KubeVersion string `json:"kubeVersion"`
	// APIVersions are the whole set, as a cluster's discovery tells them; none leaves Helm's built-in list.
	APIVersions []string `json:"apiVersions"`
	// Live is a JSON list of recorded objects, which `lookup` answers from; without it, it finds nothing.
	Live *wire.Span `json:"live"`

	SkipCRDs             bool `json:"skipCRDs"`
	SkipTests            bool `json:"skipTests"`
	SkipSchemaValidation bool `json:"skipSchemaValidation"`
	MaxOutputBytes       int  `json:"maxOutputBytes"`
}

// Manifest is one rendered document, or the whole text of a file in crds/.
type Manifest struct {
	Source string    `json:"source"`
	Text   wire.Span `json:"text"`
	CRD    bool      `json:"crd,omitempty"`
	Hook   *Hook     `json:"hook,omitempty"`
}

// Hook carries helm.sh/hook metadata.
type Hook struct {
	Events         []string `json:"events"`
	Weight         int      `json:"weight"`
	DeletePolicies []string `json:"deletePolicies,omitempty"`
}

// Response is helmTemplate's output header.
type Response struct {
	OK    bool        `json:"ok"`
	Error *diag.Error `json:"error,omitempty"`
	// Rendered is the text that the error is about, where it is about a rendered file.
	Rendered  *wire.Span `json:"rendered,omitempty"`
	Chart     *ChartInfo `json:"chart,omitempty"`
	Manifests []Manifest `json:"manifests,omitempty"` // CRDs first, then install order, then hooks
	// UsesLookup is whether a template asked for live objects.
	UsesLookup bool `json:"usesLookup,omitempty"`
	// Draws tells of templates that the host cannot read, because they lie in archives: one may ask for randomness.
	Draws    bool     `json:"draws,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// ChartInfo identifies the rendered chart.
type ChartInfo struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	AppVersion string `json:"appVersion,omitempty"`
}

var utf8bom = []byte{0xEF, 0xBB, 0xBF}

// Template renders. It never panics and never returns a nil response.
func Template(header, blob []byte) (resp *Response, out *wire.Builder) {
	out = &wire.Builder{}
	resp = &Response{}
	warnings := captureWarnings()
	defer func() {
		if r := recover(); r != nil {
			resp, out = &Response{Error: diag.New("PANIC", fmt.Sprint(r))}, &wire.Builder{}
		}
		resp.Warnings = warnings()
	}()
	var req Request
	if err := json.Unmarshal(header, &req); err != nil {
		resp.Error = diag.New("BAD_REQUEST", err.Error())
		return
	}
	if err := render(&req, blob, resp, out); err != nil {
		resp.Manifests = nil
		out = &wire.Builder{}
		resp.Error = diagnose(err)
		var in *renderedError
		if errors.As(err, &in) {
			span := out.Put(in.files[resp.Error.File])
			resp.Rendered = &span
		}
		return
	}
	resp.OK = true
	return
}

type diagError struct{ d *diag.Error }

func (e *diagError) Error() string { return e.d.Message }

func coded(code string, err error) error {
	d := diag.Helm(err)
	d.Code = code
	return &diagError{d}
}

func diagnose(err error) *diag.Error {
	var de *diagError
	if errors.As(err, &de) {
		return de.d
	}
	return diag.Helm(err)
}

// renderedError is about the text that came out of a template.
type renderedError struct {
	error
	files map[string]string
}

func (e *renderedError) Unwrap() error { return e.error }

func render(req *Request, blob []byte, resp *Response, out *wire.Builder) error {
	vals, err := mergeLayers(req.Layers, req.Set, req.SetString, blob)
	if err != nil {
		return err
	}
	ch, err := loadChart(req, blob)
	if err != nil {
		return coded("HELM_CHART_LOAD", err)
	}
	resp.Chart = &ChartInfo{ch.Metadata.Name, ch.Metadata.Version, ch.Metadata.AppVersion}
	resp.Draws = hasArchive(req) && draws(ch)

	if v := ch.Metadata.APIVersion; v != chart.APIVersionV1 && v != chart.APIVersionV2 {
		return coded("HELM_CHART_LOAD", errors.New("invalid chart apiVersion")) // helm's v3 charts are internal and unreleased
	}

	// From here on: pkg/cmd.runInstall + action.Install.RunWithContext for dry-run=client.
	if t := ch.Metadata.Type; t != "" && t != "application" {
		return coded("HELM_NOT_INSTALLABLE", fmt.Errorf("%s charts are not installable", t))
	}
	if ch.Metadata.Deprecated {
		slog.Warn("this chart is deprecated")
	}
	if err := checkDependencies(ch); err != nil {
		return coded("HELM_DEPENDENCY_MISSING", err)
	}
	if err := chartutil.ValidateReleaseName(req.ReleaseName); err != nil {
		return coded("HELM_RELEASE_NAME", fmt.Errorf("release name check failed: release name %q: %w", req.ReleaseName, err))
	}
	if err := chartutil.ProcessDependencies(ch, vals); err != nil {
		return coded("HELM_DEPENDENCY", fmt.Errorf("chart dependencies processing failed: %w", err))
	}
	caps, err := capabilities(req)
	if err != nil {
		return err
	}
	options := common.ReleaseOptions{Name: req.ReleaseName, Namespace: req.Namespace, Revision: 1, IsInstall: true}
	top, err := commonutil.ToRenderValuesWithSchemaValidation(ch, vals, options, caps, req.SkipSchemaValidation)
	if err != nil {
		return err
	}
	if kv := ch.Metadata.KubeVersion; kv != "" && !chartutil.IsCompatibleRange(kv, caps.KubeVersion.String()) {
		return fmt.Errorf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s", kv, caps.KubeVersion.Version)
	}
	lookup, err := recordedLookup(req.Live, blob, &resp.UsesLookup)
	if err != nil {
		return err
	}
	// CustomTemplateFuncs are applied last, so ours overrides the stub.
	e := engine.Engine{CustomTemplateFuncs: map[string]any{"lookup": lookup}}
	files, err := e.Render(ch, top)
	if err != nil {
		return err
	}
	total := 0
	for name, text := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(files, name)
			continue
		}
		total += len(text)
	}
	if req.MaxOutputBytes > 0 && total > req.MaxOutputBytes {
		return coded(codeOutputBig, fmt.Errorf("the rendered text is larger than %d bytes", req.MaxOutputBytes))
	}
	hooks, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return &renderedError{err, files}
	}
	if !req.SkipCRDs {
		for _, crd := range ch.CRDObjects() {
			// A file in crds/ may hold several documents; helm prints it verbatim.
			resp.Manifests = append(resp.Manifests, Manifest{Source: crd.Filename, Text: out.Put(string(crd.File.Data)), CRD: true})
		}
	}
	for _, m := range manifests {
		resp.Manifests = append(resp.Manifests, Manifest{Source: m.Name, Text: out.Put(m.Content)})
	}
	for _, h := range hooks {
		if req.SkipTests && slices.Contains(h.Events, release.HookTest) {
			continue
		}
		hook := &Hook{Weight: h.Weight}
		for _, event := range h.Events {
			hook.Events = append(hook.Events, event.String())
		}
		for _, policy := range h.DeletePolicies {
			hook.DeletePolicies = append(hook.DeletePolicies, string(policy))
		}
		resp.Manifests = append(resp.Manifests, Manifest{Source: h.Path, Text: out.Put(h.Manifest), Hook: hook})
	}
	return nil
}

// The words by which packages/render/src/template-world.ts tells that a template draws randomness.
var random = regexp.MustCompile(`\b(?:rand\w*|shuffle|uuidv4|gen\w+|htpasswd|bcrypt|encryptAES|derivePassword)\b`)

func hasArchive(req *Request) bool {
	return req.Archive != nil || slices.ContainsFunc(req.Files, func(f wire.File) bool { return strings.HasSuffix(f.Path, ".tgz") })
}

func draws(ch *chart.Chart) bool {
	own := slices.ContainsFunc(ch.Templates, func(f *common.File) bool { return random.Match(f.Data) })
	return own || slices.ContainsFunc(ch.Dependencies(), draws)
}

func capabilities(req *Request) (*common.Capabilities, error) {
	caps := common.DefaultCapabilities.Copy()
	if req.KubeVersion != "" {
		kv, err := common.ParseKubeVersion(req.KubeVersion)
		if err != nil {
			return nil, coded("BAD_REQUEST", fmt.Errorf("invalid kube version '%s': %w", req.KubeVersion, err))
		}
		caps.KubeVersion = *kv
	}
	if len(req.APIVersions) > 0 {
		caps.APIVersions = req.APIVersions
	}
	return caps, nil
}

// recordedLookup answers `lookup` as Helm does from a cluster: one object, or a list where no name is given; nothing is
// an empty map.
func recordedLookup(live *wire.Span, blob []byte, used *bool) (func(apiVersion, kind, namespace, name string) (map[string]any, error), error) {
	var objects []map[string]any
	if live != nil {
		data, err := wire.Bytes(blob, live.Off, live.Len)
		if err != nil {
			return nil, coded("BAD_REQUEST", err)
		}
		if err := json.Unmarshal(data, &objects); err != nil {
			return nil, coded("BAD_REQUEST", err)
		}
	}
	return func(apiVersion, kind, namespace, name string) (map[string]any, error) {
		*used = true
		items := []any{}
		for _, object := range objects {
			metadata, _ := object["metadata"].(map[string]any)
			if object["apiVersion"] != apiVersion || object["kind"] != kind {
				continue
			}
			if ns, _ := metadata["namespace"].(string); namespace != "" && ns != namespace {
				continue
			}
			if name != "" && metadata["name"] == name {
				return object, nil
			}
			items = append(items, object)
		}
		if name != "" || len(items) == 0 {
			return map[string]any{}, nil
		}
		return map[string]any{"apiVersion": apiVersion, "kind": kind + "List", "items": items}, nil
	}, nil
}

// loadChart mirrors loader.LoadDir / LoadFile over files in memory.
func loadChart(req *Request, blob []byte) (*chart.Chart, error) {
	if req.Archive != nil {
		data, err := wire.Bytes(blob, req.Archive.Off, req.Archive.Len)
		if err != nil {
			return nil, err
		}
		return loader.LoadArchive(bytes.NewReader(data))
	}
	rules := ignore.Empty()
	for _, f := range req.Files {
		if f.Path != ignore.HelmIgnore {
			continue
		}
		data, err := wire.Bytes(blob, f.Off, f.Len)
		if err != nil {
			return nil, err
		}
		if rules, err = ignore.Parse(bytes.NewReader(data)); err != nil {
			return nil, err
		}
	}
	rules.AddDefaults()
	ignored := ignoredFolders{rules: rules, known: map[string]bool{".": false}}
	var files []*archive.BufferedFile
	for _, f := range req.Files {
		if ignored.has(path.Dir(f.Path)) || rules.Ignore(f.Path, entry{name: f.Path}) {
			continue
		}
		data, err := wire.Bytes(blob, f.Off, f.Len)
		if err != nil {
			return nil, err
		}
		files = append(files, &archive.BufferedFile{Name: f.Path, Data: bytes.TrimPrefix(data, utf8bom)})
	}
	return loader.LoadFiles(files)
}

// ignoredFolders knows which folders .helmignore leaves out, with all that is below.
type ignoredFolders struct {
	rules *ignore.Rules
	known map[string]bool
}

func (i ignoredFolders) has(folder string) bool {
	answer, ok := i.known[folder]
	if !ok {
		answer = i.has(path.Dir(folder)) || i.rules.Ignore(folder, entry{name: folder, isDir: true})
		i.known[folder] = answer
	}
	return answer
}

// entry is what .helmignore is asked about.
type entry struct {
	name  string
	isDir bool
}

func (e entry) Name() string       { return path.Base(e.name) }
func (e entry) Size() int64        { return 0 }
func (e entry) ModTime() time.Time { return time.Time{} }
func (e entry) IsDir() bool        { return e.isDir }
func (e entry) Sys() any           { return nil }
func (e entry) Mode() os.FileMode {
	if e.isDir {
		return os.ModeDir | 0o755
	}
	return 0o644
}

// checkDependencies mirrors action.CheckDependencies.
func checkDependencies(ch *chart.Chart) error {
	var missing []string
	for _, r := range ch.Metadata.Dependencies {
		if !slices.ContainsFunc(ch.Dependencies(), func(d *chart.Chart) bool { return d.Name() == r.Name }) {
			missing = append(missing, r.Name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("Chart.yaml names dependencies that are missing in charts/: %s", strings.Join(missing, ", "))
	}
	return nil
}

// Warning capture. Renders are serial per process, so one buffer is enough.
var (
	warnMu  sync.Mutex
	warnBuf []string
)

type warnHandler struct{ slog.Handler }

func (warnHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }
func (warnHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
		return true
	})
	addWarning(b.String())
	return nil
}
func (h warnHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h warnHandler) WithGroup(string) slog.Handler      { return h }

func addWarning(s string) {
	warnMu.Lock()
	defer warnMu.Unlock()
	if len(warnBuf) < 100 && !slices.Contains(warnBuf, s) {
		warnBuf = append(warnBuf, s)
	}
}

type logWriter struct{}

func (logWriter) Write(p []byte) (int, error) {
	addWarning(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

// InstallLogging routes upstream's slog and log output into Response.Warnings.
func InstallLogging() {
	slog.SetDefault(slog.New(warnHandler{}))
	log.SetFlags(0)
	log.SetOutput(logWriter{})
}

func captureWarnings() func() []string {
	warnMu.Lock()
	warnBuf = nil
	warnMu.Unlock()
	return func() []string {
		warnMu.Lock()
		defer warnMu.Unlock()
		return warnBuf
	}
}
