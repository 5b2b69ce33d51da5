// Package kustrender is `kustomize build` over an in-memory tree: root-only load
// restriction, no plugins, no helm inflation, no network.
package kustrender

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"

	"plumb.dev/native/renderer/internal/diag"
	"plumb.dev/native/renderer/internal/memfs"
	"plumb.dev/native/renderer/internal/wire"
)

// Request is kustomizeBuild's input header.
type Request struct {
	Files   []wire.File `json:"files"`
	Path    string      `json:"path"`
	Objects bool        `json:"objects"`
}

// Manifest is one built resource.
type Manifest struct {
	Text       wire.Span  `json:"text"`
	JSON       *wire.Span `json:"json,omitempty"`
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Name       string     `json:"name"`
	Namespace  string     `json:"namespace,omitempty"`
}

// Response is kustomizeBuild's output header.
type Response struct {
	OK        bool        `json:"ok"`
	Error     *diag.Error `json:"error,omitempty"`
	Manifests []Manifest  `json:"manifests,omitempty"`
}

// mount keeps the tree one level down: "..", followed past the top of the
// repository, then names something that does not exist instead of wrapping to "/".
const mount = "/repo"

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
	defer func() {
		if r := recover(); r != nil {
			resp = &Response{Error: diag.New("PANIC", fmt.Sprint(r))}
			out = &wire.Builder{}
		}
	}()
	var req Request
	if err := json.Unmarshal(header, &req); err != nil {
		resp.Error = diag.New("BAD_REQUEST", err.Error())
		return
	}
	if err := build(&req, blob, resp, out); err != nil {
		resp.Manifests = nil
		out = &wire.Builder{}
		resp.Error = diag.Kustomize(err)
		return
	}
	resp.OK = true
	return
}

func build(req *Request, blob []byte, resp *Response, out *wire.Builder) error {
	tree := memfs.New()
	for _, f := range req.Files {
		data, err := wire.Bytes(blob, f.Off, f.Len)
		if err != nil {
			return err
		}
		if err := tree.Add(path.Join(mount, f.Path), data, f.Link); err != nil {
			return err
		}
	}
	// Absolute, so krusty never tries to read the argument as a git URL.
	p := path.Join(mount, req.Path)
	opts := krusty.MakeDefaultOptions()
	// What `kustomize build` and `kubectl kustomize` default to: honour sortOptions,
	// else depth-first order.
	opts.Reorder = krusty.ReorderOptionUnspecified
	opts.LoadRestrictions = types.LoadRestrictionsRootOnly
	opts.PluginConfig = types.DisabledPluginConfig()
	m, err := krusty.MakeKustomizer(opts).Run(tree, p)
	if err != nil {
		return err
	}
	for _, r := range m.Resources() {
		y, err := r.AsYAML()
		if err != nil {
			return err
		}
		mf := Manifest{
			APIVersion: r.GetApiVersion(), Kind: r.GetKind(), Name: r.GetName(),
			Namespace: r.GetNamespace(), Text: out.Put(string(y)),
		}
		if req.Objects {
			j, err := r.MarshalJSON()
			if err != nil {
				return err
			}
			sp := out.Put(string(j))
			mf.JSON = &sp
		}
		resp.Manifests = append(resp.Manifests, mf)
	}
	return nil
}
