//go:build wasip1

// Package wasmabi is the reactor ABI: the host allocates an input buffer, writes
// a frame, calls run, and reads the reply at replyPtr/replyLen.
package wasmabi

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	mathrand "math/rand"
	"runtime"
	"runtime/debug"
	"unsafe"

	"plumb.dev/native/renderer/internal/wire"
)

// Handler answers one frame.
type Handler func(header, blob []byte) []byte

// Handlers is filled by each main's init.
var Handlers = map[string]Handler{}

var (
	input []byte
	reply []byte
)

//go:wasmexport alloc
func alloc(n uint32) unsafe.Pointer {
	input = make([]byte, n)
	return unsafe.Pointer(unsafe.SliceData(input))
}

//go:wasmexport run
func run() uint32 {
	frame := input
	input = nil
	reply = dispatch(frame)
	return uint32(len(reply))
}

//go:wasmexport replyPtr
func replyPtr() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(reply)) }

// release drops the reply and optionally collects, so an idle instance holds
// no tenant data.
//
//go:wasmexport release
func release(gc uint32) {
	reply, input = nil, nil
	if gc != 0 {
		runtime.GC()
	}
}

// heap reports live heap bytes (stat 0), bytes obtained from the host (1), GC count (2).
//
//go:wasmexport heap
func heap(stat uint32) uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	switch stat {
	case 0:
		return m.HeapAlloc
	case 1:
		return m.Sys
	}
	return uint64(m.NumGC)
}

// setGC sets GOGC and the soft memory limit at run time.
//
//go:wasmexport setGC
func setGC(percent int32, limit int64) {
	debug.SetGCPercent(int(percent))
	if limit > 0 {
		debug.SetMemoryLimit(limit)
	}
}

// hostReseed begins the host's randomness anew for a part of a render.
//
//go:wasmimport host reseed
func hostReseed(name unsafe.Pointer, n uint32)

// Reseed gives what follows randomness of its own, told by a name: what is drawn does not depend on what was drawn before.
func Reseed(name string) {
	hostReseed(unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)))
	runtime.KeepAlive(name)
	var seed [8]byte
	if _, err := rand.Read(seed[:]); err == nil {
		mathrand.Seed(int64(binary.LittleEndian.Uint64(seed[:])))
	}
}

func dispatch(frame []byte) (out []byte) {
	defer func() {
		if r := recover(); r != nil {
			out = fail("PANIC", fmt.Sprint(r))
		}
	}()
	header, blob, err := wire.Split(frame)
	if err != nil {
		return fail("BAD_REQUEST", err.Error())
	}
	var op struct {
		Op string `json:"op"`
	}
	if err := json.Unmarshal(header, &op); err != nil {
		return fail("BAD_REQUEST", err.Error())
	}
	h, ok := Handlers[op.Op]
	if !ok {
		return fail("BAD_REQUEST", "unknown op "+op.Op)
	}
	return h(header, blob)
}

func fail(code, msg string) []byte {
	b, _ := (&wire.Builder{}).Frame(map[string]any{"ok": false, "error": map[string]string{"code": code, "message": msg}})
	return b
}
