//go:build wasip1 && !nokustomize

package dispatch

import (
	"plumb.dev/native/renderer/internal/kustrender"
	"plumb.dev/native/renderer/internal/wasmabi"
)

func init() {
	kustrender.BlockNetwork()
	wasmabi.Handlers["kustomizeBuild"] = func(h, b []byte) []byte {
		r, out := kustrender.Build(h, b)
		f, _ := out.Frame(r)
		return f
	}
	wasmabi.Handlers["warm"] = func(_, _ []byte) []byte {
		kustrender.Warm()
		return []byte{2, 0, 0, 0, '{', '}'}
	}
}
