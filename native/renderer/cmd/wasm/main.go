//go:build wasip1

// The wasm reactor. Build tags nohelm / nokustomize cut it in two:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared [-tags nokustomize] ./cmd/wasm
//
// Without this, math/rand ignores its seed, and shuffle and randInt draw from what an instance drew before.
//
//go:debug randseednop=0
package main

import (
	_ "plumb.dev/native/renderer/internal/dispatch"
)

func main() {}
