#!/usr/bin/env bash
# Compiles the sandboxed renderer to WebAssembly: build.sh OUTPUT_FOLDER [helm|kustomize]...
#
# The same sources and Go version give the same bytes on every machine, so the compressed modules are committed and nobody
# needs Go to render. packages/render/tools/build-wasm.ts calls this, compresses, and compares.
set -euo pipefail

out=$(realpath -m "${1:?output folder}")
shift
cd "$(dirname "$0")"
mkdir -p "$out"

helm=$(go list -m -f '{{.Version}}' helm.sh/helm/v4)
# Templates may read these through .Capabilities.HelmVersion; without them Helm calls itself an unknown development build.
versions="-X helm.sh/helm/v4/internal/version.version=$helm -X helm.sh/helm/v4/internal/version.gitTreeState=clean -X sigs.k8s.io/kustomize/api/provenance.version=kustomize/v5.8.2"

# Both are built from edited copies of their sources. The paths are relative, so that they are the same on every machine.
go run ./cmd/patch out
cp go.sum out/go.sum
{
  cat go.mod
  echo 'replace helm.sh/helm/v4 => ./out/helm'
  echo 'replace sigs.k8s.io/kustomize/api => ./out/kustomize-api'
} > out/go.mod

for module in "${@:-helm}"; do
  case $module in
    helm) tags=nokustomize ;;
    kustomize) tags=nohelm ;;
    *) echo "build.sh: no such module: $module" >&2; exit 2 ;;
  esac
  GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 GOFLAGS=-buildvcs=false \
    go build -modfile=out/go.mod -trimpath -buildmode=c-shared -ldflags="-s -w $versions" -tags "$tags" -o "$out/$module.wasm" ./cmd/wasm
done
