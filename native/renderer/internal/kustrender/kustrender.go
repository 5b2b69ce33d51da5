// Package kustrender is `kustomize build` over an in-memory tree: root-only load
// restriction, no plugins, no helm inflation, no network.
package kustrender

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/sources"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/yaml"

	"plumb.dev/native/renderer/internal/diag"
	"plumb.dev/native/renderer/internal/memfs"
	"plumb.dev/native/renderer/internal/wire"
)

// Request is kustomizeBuild's input header.
type Request struct {
	// Files of the repository, those that the build is thought to need. Whether more are needed tells Response.Misses.
	Files []wire.File `json:"files"`
	// Path is the folder of the kustomization, relative to the root of the repository.
	Path string `json:"path"`
	// Over is what a kustomization over the root says (images, patches, components…), components relative to Path.
	Over map[string]any `json:"over"`
}

// Manifest is one built resource.
type Manifest struct {
	JSON wire.Span `json:"json"`
	// File that it was read from, and which of the file's resources it was; -1 where a generator of the file made it.
	File  string `json:"file,omitempty"`
	Index int    `json:"index"`
	// Patches are the files of patches that changed it; for an inline one, the folder of its kustomization.
	Patches []string `json:"patches,omitempty"`
}

// Response is kustomizeBuild's output header.
type Response struct {
	OK        bool        `json:"ok"`
	Error     *diag.Error `json:"error,omitempty"`
	Manifests []Manifest  `json:"manifests,omitempty"`
	// Reads are the files that were read; Misses the paths that were looked for and not there.
	Reads  []string `json:"reads,omitempty"`
	Misses []string `json:"misses,omitempty"`
}

// mount keeps the tree one level down: "..", followed past the top of the
// repository, then names something that does not exist instead of wrapping to "/".
const mount = "/repo"

// over is the folder of the kustomization that the request brings itself.
const over = "/over"

type deny struct{}

func (deny) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("%s: %s", diag.ErrRemote, r.URL)
}

// BlockNetwork makes every http.Client that uses the default transport
// (kustomize's file loader does) fail with a recognisable error.
func BlockNetwork() { http.DefaultTransport = deny{} }

// Build runs krusty. It never panics and never returns a nil response.
func Build(header, blob []byte) (resp *Response, out *wire.Builder) {
	out = &wire.Builder{}
	resp = &Response{}
	tree := memfs.New()
	defer func() {
		if r := recover(); r != nil {
			resp, out = &Response{Error: diag.New("PANIC", fmt.Sprint(r))}, &wire.Builder{}
		}
		resp.Reads, resp.Misses = inRepository(tree.Reads()), inRepository(tree.Misses())
		forget()
	}()
	var req Request
	if err := json.Unmarshal(header, &req); err != nil {
		resp.Error = diag.New("BAD_REQUEST", err.Error())
		return
	}
	if err := build(&req, blob, tree, resp, out); err != nil {
		resp.Manifests = nil
		out = &wire.Builder{}
		resp.Error = diag.Kustomize(err)
		return
	}
	resp.OK = true
	return
}

// forget drops what upstream keeps in globals of a build: a schema that this application brought must not be what the
// next one is merged by. The built-in schema stays parsed, which is most of the time of a small build.
func forget() {
	sources.Reset()
	if openapi.GetSchemaVersion() != openapi.DefaultOpenAPI {
		openapi.ResetOpenAPI()
	}
}

// Warm parses the built-in schema before the first build asks for it.
func Warm() { openapi.Schema() }

func build(req *Request, blob []byte, tree *memfs.FS, resp *Response, out *wire.Builder) error {
	for _, f := range req.Files {
		if f.Folder {
			if err := tree.AddFolder(path.Join(mount, f.Path)); err != nil {
				return err
			}
			continue
		}
		data, err := wire.Bytes(blob, f.Off, f.Len)
		if err != nil {
			return err
		}
		if err := tree.Add(path.Join(mount, f.Path), data, f.Link); err != nil {
			return err
		}
	}
	root, err := rootOf(req, tree)
	if err != nil {
		return err
	}
	opts := krusty.MakeDefaultOptions()
	// What `kustomize build` and `kubectl kustomize` default to: honour sortOptions,
	// else depth-first order.
	opts.Reorder = krusty.ReorderOptionUnspecified
	opts.LoadRestrictions = types.LoadRestrictionsRootOnly
	opts.PluginConfig = types.DisabledPluginConfig()
	m, err := krusty.MakeKustomizer(opts).Run(tree, root)
	if err != nil {
		return err
	}
	return put(m, resp, out)
}

func put(m resmap.ResMap, resp *Response, out *wire.Builder) error {
	for _, r := range m.Resources() {
		data, err := r.MarshalJSON()
		if err != nil {
			return err
		}
		manifest := Manifest{JSON: out.Put(string(data)), Index: -1}
		if source, ok := sources.Of(r); ok {
			manifest.Index = source.Index
			if file := inRepository([]string{source.File}); len(file) > 0 {
				manifest.File = file[0]
			}
			manifest.Patches = patchesOf(source)
		}
		resp.Manifests = append(resp.Manifests, manifest)
	}
	return nil
}

// rootOf is the absolute path to build, so that krusty never tries to read it as a git URL: the folder itself, or a
// kustomization over it. What only a root may say (order, metadata, schema) goes along.
func rootOf(req *Request, tree *memfs.FS) (string, error) {
	root := path.Join(mount, req.Path)
	if len(req.Over) == 0 {
		return root, nil
	}
	kustomization := map[string]any{}
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		if text, err := tree.ReadFile(path.Join(root, name)); err == nil {
			if err := yaml.Unmarshal(text, &kustomization); err != nil {
				return root, nil // the build says what is wrong
			}
		}
	}
	top := map[string]any{}
	for _, field := range []string{"sortOptions", "buildMetadata"} {
		if value, ok := kustomization[field]; ok {
			top[field] = value
		}
	}
	if schema, ok := kustomization["openapi"].(map[string]any); ok && schema["version"] != nil {
		top["openapi"] = schema
	}
	for field, value := range req.Over {
		top[field] = value
	}
	top["resources"] = []string{path.Join("..", root)}
	if components, ok := req.Over["components"].([]any); ok {
		paths := []string{}
		for _, component := range components {
			paths = append(paths, path.Join("..", root, fmt.Sprint(component)))
		}
		top["components"] = paths
	}
	text, err := yaml.Marshal(top)
	if err != nil {
		return "", err
	}
	return over, tree.Add(path.Join(over, "kustomization.yaml"), text, "")
}

// patchesOf are the files of patches in the repository; the root of it is a folder like others.
func patchesOf(source sources.Source) []string {
	var patches []string
	for _, p := range source.Patches {
		if p == mount {
			patches = append(patches, "")
		} else {
			patches = append(patches, inRepository([]string{p})...)
		}
	}
	return patches
}

// inRepository makes paths relative to the root of the repository and drops those outside of it.
func inRepository(paths []string) []string {
	var inside []string
	for _, p := range paths {
		if rest, ok := strings.CutPrefix(p, mount+"/"); ok {
			inside = append(inside, rest)
		}
	}
	return inside
}
