// Command patch copies upstream modules that go.mod names and edits the copies: `go run ./cmd/patch OUTPUT_FOLDER`.
//
// Both become faster. Kustomize is able to say where a resource came from, and Helm which template it is about to run, so
// that each one has randomness of its own. What they render is the same, object for object; the tests hold it against
// the upstream binaries.
//
// Every edit names the one place in the upstream file that it replaces, and fails where that place is not there exactly
// once: a new upstream version is looked at by a person before it is used.
package main

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// module is an upstream module, the folder that its copy goes to, and what is different there.
type module struct {
	path, folder string
	edits        []edit
}

type edit struct{ file, old, new string }

var helm = []edit{
	{"pkg/engine/engine.go",
		"		var buf strings.Builder\n		if err := t.ExecuteTemplate(&buf, filename, vals); err != nil {",
		"		var buf strings.Builder\n		if BeforeTemplate != nil {\n			BeforeTemplate(filename)\n		}\n		if err := t.ExecuteTemplate(&buf, filename, vals); err != nil {"},

	// Faster: a text without an action is what it renders to, and needs no copy of all templates to say so; separators of
	// documents stand at the start of lines.
	{"pkg/engine/engine.go",
		"		t, err := parent.Clone()\n",
		"		if !strings.Contains(tpl, \"{{\") {\n			return strings.ReplaceAll(tpl, \"<no value>\", \"\"), nil\n		}\n		t, err := parent.Clone()\n"},
	{"pkg/release/v1/util/manifest.go",
		"	docs := sep.Split(bigFileTmp, -1)\n",
		"	docs := splitAtSeparators(bigFileTmp)\n"},

	// The order of Go's maps is chance, and what is said once per process depends on what was rendered before.
	{"pkg/chart/v2/loader/load.go",
		"	for n, files := range subcharts {",
		"	for _, n := range slices.Sorted(maps.Keys(subcharts)) {\n		files := subcharts[n]"},
	{"pkg/chart/v2/loader/load.go",
		"	\"path/filepath\"\n",
		"	\"path/filepath\"\n	\"slices\"\n"},
	{"pkg/chart/common/util/jsonschema.go",
		"	if _, loaded := warnedURNs.LoadOrStore(urlStr, struct{}{}); !loaded {\n		slog.Warn(\"unresolved URN reference ignored; using permissive schema\", \"urn\", urlStr)\n	}",
		"	slog.Warn(\"unresolved URN reference ignored; using permissive schema\", \"urn\", urlStr)"},
}

var kustomize = []edit{
	// Faster: three loops compare each resource with every other one, and read its id out of YAML each time.
	{"resmap/reswrangler.go",
		"	if r := m.GetMatchingResourcesByCurrentId(id.Equals); len(r) > 0 {",
		"	if r := WithCurrentId(m.rList, id); len(r) > 0 {"},
	{"internal/builtins/NamespaceTransformer.go",
		"		matches := m.GetMatchingResourcesByCurrentId(r.CurId().Equals)",
		"		matches := resmap.WithCurrentId(m.Resources(), r.CurId())"},
	{"internal/accumulator/namereferencetransformer.go",
		"	for r, fList := range fMap {\n		c, err := m.SubsetThatCouldBeReferencedByResource(r)",
		"	memo := rememberReferrals(m)\n	for r, fList := range fMap {\n		c, err := memo.candidates(r)"},
	{"internal/accumulator/namereferencetransformer.go",
		"			f.ReferralCandidates = c",
		"			f.ReferralCandidates = c\n			f.PreviousNames = memo.previousNames"},
	{"filters/nameref/nameref.go",
		"	ReferralCandidates resmap.ResMap\n}",
		"	ReferralCandidates resmap.ResMap\n\n	// PreviousNames of the candidates, as their annotation has them.\n	PreviousNames map[*resource.Resource]string\n}"},
	{"filters/nameref/nameref.go",
		"doSieve(candidates, previousNameMatches(oldName))",
		"doSieve(candidates, f.previousNameMatches(oldName))"},
	{"filters/nameref/nameref.go",
		"func previousNameMatches(name string) sieveFunc {\n	return func(r *resource.Resource) bool {",
		"func (f Filter) previousNameMatches(name string) sieveFunc {\n	return func(r *resource.Resource) bool {\n		if names, ok := f.PreviousNames[r]; ok && !strings.Contains(names, name) {\n			return false\n		}"},

	// Where a resource came from.
	{"internal/target/kusttarget.go",
		"	err = ra.AppendAll(resources)\n	if err != nil {\n		return errors.WrapPrefixf(err, \"merging resources from '%s'\", path)",
		"	for index, r := range resources.Resources() {\n		sources.Read(r, kt.ldr.Root(), path, index)\n	}\n	err = ra.AppendAll(resources)\n	if err != nil {\n		return errors.WrapPrefixf(err, \"merging resources from '%s'\", path)"},
	{"internal/target/kusttarget.go",
		"		if resMap != nil {\n			err = resMap.AddOriginAnnotation(generators[i].Origin)",
		"		if resMap != nil {\n			for _, r := range resMap.Resources() {\n				sources.Generated(r, kt.ldr.Root(), kt.kustFileName)\n			}\n			err = resMap.AddOriginAnnotation(generators[i].Origin)"},
	{"internal/target/kusttarget.go",
		"	\"sigs.k8s.io/kustomize/api/resource\"\n",
		"	\"sigs.k8s.io/kustomize/api/resource\"\n	\"sigs.k8s.io/kustomize/api/sources\"\n"},
	{"internal/builtins/PatchTransformer.go",
		"	patchSource string",
		"	patchSource string\n	patchFile   string"},
	{"internal/builtins/PatchTransformer.go",
		"		p.patchText = p.Patch\n",
		"		p.patchText = p.Patch\n		p.patchFile = h.Loader().Root() // inline: its kustomization\n"},
	{"internal/builtins/PatchTransformer.go",
		"		p.patchText = string(loaded)",
		"		p.patchText = string(loaded)\n		p.patchFile = sources.Join(h.Loader().Root(), p.Path)"},
	{"internal/builtins/PatchTransformer.go",
		"		return errors.Wrap(m.ApplySmPatch(resource.MakeIdSet(selected), patch))",
		"		for _, r := range selected {\n			sources.Patched(r, p.patchFile)\n		}\n		return errors.Wrap(m.ApplySmPatch(resource.MakeIdSet(selected), patch))"},
	{"internal/builtins/PatchTransformer.go",
		"		if err := target.ApplySmPatch(patch); err != nil {",
		"		sources.Patched(target, p.patchFile)\n		if err := target.ApplySmPatch(patch); err != nil {"},
	{"internal/builtins/PatchTransformer.go",
		"		res.StorePreviousId()",
		"		sources.Patched(res, p.patchFile)\n		res.StorePreviousId()"},
	{"internal/builtins/PatchTransformer.go",
		"	\"sigs.k8s.io/kustomize/api/resource\"\n",
		"	\"sigs.k8s.io/kustomize/api/resource\"\n	\"sigs.k8s.io/kustomize/api/sources\"\n"},
	{"internal/builtins/PatchStrategicMergeTransformer.go",
		"		patches, err = h.ResmapFactory().RF().SliceFromBytes([]byte(path))\n",
		"		from := h.Loader().Root() // inline: its kustomization\n		patches, err = h.ResmapFactory().RF().SliceFromBytes([]byte(path))\n"},
	{"internal/builtins/PatchStrategicMergeTransformer.go",
		"			// Failing that, treat it as a file path.\n",
		"			// Failing that, treat it as a file path.\n			from = sources.Join(from, string(path))\n"},
	{"internal/builtins/PatchStrategicMergeTransformer.go",
		"		result = append(result, patches...)\n",
		"		for _, patch := range patches {\n			sources.ReadPatch(patch, from)\n		}\n		result = append(result, patches...)\n"},
	{"internal/builtins/PatchStrategicMergeTransformer.go",
		"		if err = m.ApplySmPatch(",
		"		sources.PatchedBy(target, patch)\n		if err = m.ApplySmPatch("},
	{"internal/builtins/PatchStrategicMergeTransformer.go",
		"	\"sigs.k8s.io/kustomize/api/resource\"\n",
		"	\"sigs.k8s.io/kustomize/api/resource\"\n	\"sigs.k8s.io/kustomize/api/sources\"\n"},
	{"internal/builtins/PatchJson6902Transformer.go",
		"		internalAnnotations := kioutil.GetInternalAnnotations(&res.RNode)\n",
		"		sources.Patched(res, sources.Join(p.ldr.Root(), p.Path)) // inline: its kustomization\n		internalAnnotations := kioutil.GetInternalAnnotations(&res.RNode)\n"},
	{"internal/builtins/PatchJson6902Transformer.go",
		"	\"sigs.k8s.io/kustomize/api/resmap\"\n",
		"	\"sigs.k8s.io/kustomize/api/resmap\"\n	\"sigs.k8s.io/kustomize/api/sources\"\n"},
	{"resmap/reswrangler.go",
		"			res.CopyMergeMetaDataFieldsFrom(old)\n			res.MergeDataMapFrom(oldForData)",
		"			sources.Merged(old, res)\n			res.CopyMergeMetaDataFieldsFrom(old)\n			res.MergeDataMapFrom(oldForData)"},
	{"resmap/reswrangler.go",
		"	\"sigs.k8s.io/kustomize/api/resource\"\n",
		"	\"sigs.k8s.io/kustomize/api/resource\"\n	\"sigs.k8s.io/kustomize/api/sources\"\n"},
}

var modules = []module{
	{"helm.sh/helm/v4", "helm", helm},
	{"sigs.k8s.io/kustomize/api", "kustomize-api", kustomize},
}

// Files of ours that are added to the modules. They end in .txt, so that they are no part of this one.
//
//go:embed helm kustomize-api
var added embed.FS

func main() {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("usage: patch OUTPUT_FOLDER"))
	}
	for _, m := range modules {
		if err := m.patch(filepath.Join(os.Args[1], m.folder)); err != nil {
			fail(err)
		}
	}
}

func (m module) patch(out string) error {
	// A module that has not been fetched yet has no folder.
	if err := exec.Command("go", "mod", "download", m.path).Run(); err != nil {
		return fmt.Errorf("fetching %s: %w", m.path, err)
	}
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", m.path).Output()
	if err != nil {
		return fmt.Errorf("finding %s: %w", m.path, err)
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := copyTree(os.DirFS(strings.TrimSpace(string(dir))), out); err != nil {
		return err
	}
	for _, e := range m.edits {
		if err := e.apply(out); err != nil {
			return err
		}
	}
	ours, err := fs.Sub(added, m.folder)
	if err != nil {
		return err
	}
	return copyTree(ours, out)
}

func (e edit) apply(out string) error {
	file := filepath.Join(out, e.file)
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if n := strings.Count(string(text), e.old); n != 1 {
		return fmt.Errorf("%s: %q stands there %d times, not once", e.file, e.old, n)
	}
	return os.WriteFile(file, []byte(strings.Replace(string(text), e.old, e.new, 1)), 0o644)
}

func copyTree(from fs.FS, to string) error {
	return fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && entry.Name() == "testdata" {
			return fs.SkipDir
		}
		if err != nil || entry.IsDir() || strings.HasSuffix(name, "_test.go") {
			return err
		}
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimSuffix(name, ".txt"))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o644)
	})
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "patch:", err)
	os.Exit(1)
}
