//go:build wasip1 && !nohelm

package dispatch

import (
	"helm.sh/helm/v4/pkg/engine"

	"plumb.dev/native/renderer/internal/decode"
	"plumb.dev/native/renderer/internal/helmrender"
	"plumb.dev/native/renderer/internal/wasmabi"
)

func init() {
	helmrender.InstallLogging()
	engine.BeforeTemplate = wasmabi.Reseed
	wasmabi.Handlers["helmTemplate"] = func(h, b []byte) []byte {
		r, out := helmrender.Template(h, b)
		f, _ := out.Frame(r)
		return f
	}
	wasmabi.Handlers["renderValues"] = func(h, b []byte) []byte {
		r, out := helmrender.Values(h, b)
		f, _ := out.Frame(r)
		return f
	}
	wasmabi.Handlers["decode"] = func(h, b []byte) []byte {
		r, out := decode.Decode(h, b)
		f, _ := out.Frame(r)
		return f
	}
}
