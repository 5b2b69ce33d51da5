// Package helmrender is `helm template` without helm's pkg/action: the same
// loader, dependency processing, value coalescing, schema validation, engine and
// manifest sorter, over an in-memory tree, and nothing that can reach a cluster,
// a registry or a disk.
package helmrender

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"log/slog"
	"path"
	"slices"
	"strings"
	"sync"

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
	"helm.sh/helm/v4/pkg/strvals"
	"sigs.k8s.io/yaml"

	"plumb.dev/native/renderer/internal/diag"
	"plumb.dev/native/renderer/internal/memfs"
	"plumb.dev/native/renderer/internal/wire"
)

// Request is helmTemplate's input header. Spans point into the frame's blob.
type Request struct {
	// Files is the source tree; ChartPath a directory or .tgz inside it.
	Files     []wire.File `json:"files"`
	ChartPath string      `json:"chartPath"`

	// Value layers in helm's own order of precedence (later wins).
	ValueFiles []wire.Span `json:"valueFiles"`
	ValuePaths []string    `json:"valuePaths"` // paths inside Files, applied before ValueFiles
	SetJSON    []string    `json:"setJson"`
	Set        []string    `json:"set"`
	SetString  []string    `json:"setString"`
	SetFile    []string    `json:"setFile"` // key=path inside Files
	SetLiteral []string    `json:"setLiteral"`

	ReleaseName string   `json:"releaseName"`
	Namespace   string   `json:"namespace"`
	Revision    int      `json:"revision"`
	IsUpgrade   bool     `json:"isUpgrade"`
	KubeVersion string   `json:"kubeVersion"`
	APIVersions []string `json:"apiVersions"`
	// ReplaceAPIVersions makes APIVersions the whole set (live discovery) rather
	// than an addition to helm's built-in list as `helm template -a` does.
	ReplaceAPIVersions bool `json:"replaceApiVersions"`

	IncludeCRDs          bool `json:"includeCRDs"`
	SkipTests            bool `json:"skipTests"`
	SkipHooks            bool `json:"skipHooks"`
	SkipSchemaValidation bool `json:"skipSchemaValidation"`
	Lookup               bool `json:"lookup"`  // forward lookup to the host
	Objects              bool `json:"objects"` // also return each document as JSON
	MaxOutputBytes       int  `json:"maxOutputBytes"`
}

// Manifest is one rendered document.
type Manifest struct {
	Source     string     `json:"source"`
	Text       wire.Span  `json:"text"`
	JSON       *wire.Span `json:"json,omitempty"`
	APIVersion string     `json:"apiVersion,omitempty"`
	Kind       string     `json:"kind,omitempty"`
	Name       string     `json:"name,omitempty"`
	CRD        bool       `json:"crd,omitempty"`
	Hook       *Hook      `json:"hook,omitempty"`
}

// Hook carries helm.sh/hook metadata.
type Hook struct {
	Events         []string `json:"events"`
	Weight         int      `json:"weight"`
	DeletePolicies []string `json:"deletePolicies,omitempty"`
	LogPolicies    []string `json:"logPolicies,omitempty"`
}

// Response is helmTemplate's output header.
type Response struct {
	OK        bool        `json:"ok"`
	Error     *diag.Error `json:"error,omitempty"`
	Chart     *ChartInfo  `json:"chart,omitempty"`
	Manifests []Manifest  `json:"manifests,omitempty"` // CRDs first, then install order
	Hooks     []Manifest  `json:"hooks,omitempty"`
	Notes     *wire.Span  `json:"notes,omitempty"`
	Warnings  []string    `json:"warnings,omitempty"`
}

// ChartInfo identifies the rendered chart.
type ChartInfo struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	AppVersion string `json:"appVersion,omitempty"`
}

// LookupFunc answers `lookup` from outside; nil result means not found.
type LookupFunc func(apiVersion, kind, namespace, name string) (map[string]any, error)

// HostLookup is installed by the wasm ABI or the stdio worker.
var HostLookup LookupFunc

var utf8bom = []byte{0xEF, 0xBB, 0xBF}

// Template renders. It never panics and never returns a nil response.
func Template(header, blob []byte) (resp *Response, out *wire.Builder) {
	out = &wire.Builder{}
	resp = &Response{}
	warn := captureWarnings()
	defer func() {
		if r := recover(); r != nil {
			resp = &Response{Error: diag.New("PANIC", fmt.Sprint(r))}
			out = &wire.Builder{}
		}
		resp.Warnings = warn()
	}()
	var req Request
	if err := json.Unmarshal(header, &req); err != nil {
		resp.Error = diag.New("BAD_REQUEST", err.Error())
		return
	}
	if err := render(&req, blob, resp, out); err != nil {
		resp.Manifests, resp.Hooks, resp.Notes = nil, nil, nil
		out = &wire.Builder{}
		var de *diagError
		if errors.As(err, &de) {
			resp.Error = de.d
		} else {
			resp.Error = diag.Helm(err)
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

func render(req *Request, blob []byte, resp *Response, out *wire.Builder) error {
	tree := memfs.New()
	for _, f := range req.Files {
		data, err := wire.Bytes(blob, f.Off, f.Len)
		if err != nil {
			return coded("BAD_REQUEST", err)
		}
		if err := tree.Add(f.Path, data, f.Link); err != nil {
			return coded("BAD_REQUEST", err)
		}
	}
	vals, err := mergeValues(req, tree, blob)
	if err != nil {
		return coded("HELM_VALUES", err)
	}
	ch, err := loadChart(tree, req.ChartPath)
	if err != nil {
		return coded("HELM_CHART_LOAD", err)
	}
	resp.Chart = &ChartInfo{ch.Metadata.Name, ch.Metadata.Version, ch.Metadata.AppVersion}

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
	name := req.ReleaseName
	if name == "" {
		name = "release-name"
	}
	if err := chartutil.ValidateReleaseName(name); err != nil {
		return coded("HELM_RELEASE_NAME", fmt.Errorf("release name check failed: release name %q: %w", name, err))
	}
	if err := chartutil.ProcessDependencies(ch, vals); err != nil {
		return coded("HELM_DEPENDENCY", fmt.Errorf("chart dependencies processing failed: %w", err))
	}
	caps := common.DefaultCapabilities.Copy()
	if req.KubeVersion != "" {
		kv, err := common.ParseKubeVersion(req.KubeVersion)
		if err != nil {
			return coded("BAD_REQUEST", fmt.Errorf("invalid kube version '%s': %w", req.KubeVersion, err))
		}
		caps.KubeVersion = *kv
	}
	if req.ReplaceAPIVersions {
		caps.APIVersions = slices.Clone(req.APIVersions)
	} else {
		// Clip: DefaultVersionSet is shared by every render in this process.
		caps.APIVersions = append(slices.Clip(caps.APIVersions), req.APIVersions...)
	}
	rev := req.Revision
	if rev == 0 {
		rev = 1
	}
	ns := req.Namespace
	if ns == "" {
		ns = "default"
	}
	top, err := commonutil.ToRenderValuesWithSchemaValidation(ch, vals, common.ReleaseOptions{
		Name: name, Namespace: ns, Revision: rev,
		IsInstall: !req.IsUpgrade, IsUpgrade: req.IsUpgrade,
	}, caps, req.SkipSchemaValidation)
	if err != nil {
		return err
	}
	if kv := ch.Metadata.KubeVersion; kv != "" && !chartutil.IsCompatibleRange(kv, caps.KubeVersion.String()) {
		return fmt.Errorf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s", kv, caps.KubeVersion.Version)
	}

	e := engine.Engine{EnableDNS: false}
	if req.Lookup && HostLookup != nil {
		// CustomTemplateFuncs is applied last, so it overrides the stub lookup.
		e.CustomTemplateFuncs = map[string]any{"lookup": func(av, kind, ns, n string) (map[string]any, error) {
			obj, err := HostLookup(av, kind, ns, n)
			if obj == nil {
				obj = map[string]any{}
			}
			return obj, err
		}}
	}
	files, err := e.Render(ch, top)
	if err != nil {
		return err
	}
	total := 0
	for k, v := range files {
		if strings.HasSuffix(k, "NOTES.txt") {
			if k == path.Join(ch.Name(), "templates", "NOTES.txt") {
				sp := out.Put(v)
				resp.Notes = &sp
			}
			delete(files, k)
		}
		total += len(v)
	}
	if req.MaxOutputBytes > 0 && total > req.MaxOutputBytes {
		return coded("OUTPUT_TOO_LARGE", fmt.Errorf("rendered output is %d bytes, limit %d", total, req.MaxOutputBytes))
	}
	hooks, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return err
	}
	put := func(m Manifest, text string) (Manifest, error) {
		m.Text = out.Put(text)
		if req.Objects {
			j, err := yaml.YAMLToJSON([]byte(text))
			if err != nil {
				return m, fmt.Errorf("YAML parse error on %s: %w", m.Source, err)
			}
			sp := out.Put(string(j))
			m.JSON = &sp
		}
		return m, nil
	}
	if req.IncludeCRDs {
		for _, crd := range ch.CRDObjects() {
			// A crds/ file may hold several documents; helm prints it verbatim.
			m := Manifest{Source: crd.Filename, CRD: true, Kind: "CustomResourceDefinition", APIVersion: "apiextensions.k8s.io/v1"}
			m.Text = out.Put(string(crd.File.Data))
			resp.Manifests = append(resp.Manifests, m)
		}
	}
	for _, mf := range manifests {
		m := Manifest{Source: mf.Name}
		if mf.Head != nil {
			m.APIVersion, m.Kind = mf.Head.Version, mf.Head.Kind
			if mf.Head.Metadata != nil {
				m.Name = mf.Head.Metadata.Name
			}
		}
		if m, err = put(m, mf.Content); err != nil {
			return err
		}
		resp.Manifests = append(resp.Manifests, m)
	}
	if !req.SkipHooks {
		for _, h := range hooks {
			if req.SkipTests && slices.Contains(h.Events, release.HookTest) {
				continue
			}
			m := Manifest{Source: h.Path, Kind: h.Kind, Name: h.Name, Hook: &Hook{Weight: h.Weight}}
			for _, ev := range h.Events {
				m.Hook.Events = append(m.Hook.Events, ev.String())
			}
			for _, p := range h.DeletePolicies {
				m.Hook.DeletePolicies = append(m.Hook.DeletePolicies, string(p))
			}
			for _, p := range h.OutputLogPolicies {
				m.Hook.LogPolicies = append(m.Hook.LogPolicies, string(p))
			}
			if m, err = put(m, h.Manifest); err != nil {
				return err
			}
			resp.Hooks = append(resp.Hooks, m)
		}
	}
	return nil
}

// loadChart mirrors loader.LoadDir / LoadFile over the in-memory tree.
func loadChart(tree *memfs.FS, p string) (*chart.Chart, error) {
	if p == "" {
		p = "."
	}
	if !tree.IsDir(p) {
		data, err := tree.ReadFile(p)
		if err != nil {
			return nil, err
		}
		return loader.LoadArchive(bytes.NewReader(data))
	}
	rules := ignore.Empty()
	if data, err := tree.ReadFile(path.Join(p, ignore.HelmIgnore)); err == nil {
		if rules, err = ignore.Parse(bytes.NewReader(data)); err != nil {
			return nil, err
		}
	}
	rules.AddDefaults()
	var files []*archive.BufferedFile
	err := tree.WalkFollow(p,
		func(rel string, fi fs.FileInfo) bool { return rules.Ignore(rel, fi) },
		func(rel string, fi fs.FileInfo, data []byte) error {
			if rules.Ignore(rel, fi) {
				return nil
			}
			files = append(files, &archive.BufferedFile{Name: rel, Data: bytes.TrimPrefix(data, utf8bom)})
			return nil
		})
	if err != nil {
		return nil, err
	}
	return loader.LoadFiles(files)
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
		return fmt.Errorf("an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: %s", strings.Join(missing, ", "))
	}
	return nil
}

// mergeValues mirrors cli/values.Options.MergeValues.
func mergeValues(req *Request, tree *memfs.FS, blob []byte) (map[string]any, error) {
	base := map[string]any{}
	add := func(name string, raw []byte) error {
		m, err := loader.LoadValues(bytes.NewReader(raw))
		if err != nil {
			return fmt.Errorf("failed to parse %s: %w", name, err)
		}
		base = loader.MergeMaps(base, m)
		return nil
	}
	for _, p := range req.ValuePaths {
		raw, err := tree.ReadFile(p)
		if err != nil {
			return nil, err
		}
		if err := add(p, raw); err != nil {
			return nil, err
		}
	}
	for i, sp := range req.ValueFiles {
		raw, err := wire.Bytes(blob, sp.Off, sp.Len)
		if err != nil {
			return nil, err
		}
		if err := add(fmt.Sprintf("values layer %d", i), raw); err != nil {
			return nil, err
		}
	}
	for _, v := range req.SetJSON {
		if t := strings.TrimSpace(v); t != "" && t[0] == '{' {
			var m map[string]any
			if err := json.Unmarshal([]byte(t), &m); err != nil {
				return nil, fmt.Errorf("failed parsing --set-json data JSON: %s", v)
			}
			base = loader.MergeMaps(base, m)
		} else if err := strvals.ParseJSON(v, base); err != nil {
			return nil, fmt.Errorf("failed parsing --set-json data %s", v)
		}
	}
	for _, v := range req.Set {
		if err := strvals.ParseInto(v, base); err != nil {
			return nil, fmt.Errorf("failed parsing --set data: %w", err)
		}
	}
	for _, v := range req.SetString {
		if err := strvals.ParseIntoString(v, base); err != nil {
			return nil, fmt.Errorf("failed parsing --set-string data: %w", err)
		}
	}
	for _, v := range req.SetFile {
		err := strvals.ParseIntoFile(v, base, func(rs []rune) (any, error) {
			b, err := tree.ReadFile(string(rs))
			return string(b), err
		})
		if err != nil {
			return nil, fmt.Errorf("failed parsing --set-file data: %w", err)
		}
	}
	for _, v := range req.SetLiteral {
		if err := strvals.ParseLiteralInto(v, base); err != nil {
			return nil, fmt.Errorf("failed parsing --set-literal data: %w", err)
		}
	}
	return base, nil
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
	if len(warnBuf) < 100 {
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
