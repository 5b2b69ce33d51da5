// Package diag turns upstream error strings into structured diagnostics.
package diag

import (
	"regexp"
	"strconv"
	"strings"
)

// Error is what crosses the boundary instead of a bare string.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`           // full upstream text, unchanged
	Summary string `json:"summary,omitempty"` // innermost cause
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Func    string `json:"func,omitempty"` // template being executed
	Trace   []Loc  `json:"trace,omitempty"`
}

// Loc is one step of a template call chain, outermost first.
type Loc struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	Col  int    `json:"column,omitempty"`
	Func string `json:"func,omitempty"`
}

// New makes an error with a code.
func New(code, msg string) *Error { return &Error{Code: code, Message: msg, Summary: msg} }

var (
	reAt     = regexp.MustCompile(`^(execution|parse) error (?:at|in) \(([^():]+)(?::(\d+))?(?::(\d+))?\): (?s:(.*))$`)
	reLoc    = regexp.MustCompile(`^([^\s:][^:\n]*\.[A-Za-z]+):(\d+)(?::(\d+))?$`)
	reExec   = regexp.MustCompile(`^\s*executing "([^"]*)" at`)
	reChain  = regexp.MustCompile(`template: ([^\s:]+):(\d+):(\d+): executing "([^"]*)" at <[^>]*>: `)
	reYAML   = regexp.MustCompile(`^YAML parse error on ([^:]+): (?s:(.*))$`)
	reLine   = regexp.MustCompile(`line (\d+)`)
	reInFile = regexp.MustCompile(`(?:in File: |from '|path ')([^\s']+)`)
)

func atoi(s string) int { n, _ := strconv.Atoi(s); return n }

// maxMessage bounds what crosses the border: a recursion names itself a thousand times.
const maxMessage = 4000

func bounded(msg string) string {
	if len(msg) <= maxMessage {
		return msg
	}
	return msg[:maxMessage] + "…"
}

// Helm classifies an error from helm's loader, coalescer, engine or sorter.
func Helm(err error) *Error {
	msg := err.Error()
	e := &Error{Code: "HELM_RENDER", Message: msg, Summary: msg}
	switch {
	case strings.Contains(msg, "values don't meet the specifications of the schema"):
		e.Code = "HELM_VALUES_SCHEMA"
		return e
	case strings.HasPrefix(msg, "chart requires kubeVersion"):
		e.Code = "HELM_KUBE_VERSION"
		return e
	}
	if m := reAt.FindStringSubmatch(msg); m != nil {
		e.File, e.Line, e.Column, e.Summary = m[2], atoi(m[3]), atoi(m[4]), m[5]
		if m[1] == "parse" {
			e.Code = "HELM_TEMPLATE_PARSE"
		} else {
			e.Code = "HELM_TEMPLATE_FAIL"
		}
		return e
	}
	if m := reYAML.FindStringSubmatch(msg); m != nil {
		e.Code, e.File, e.Summary = "HELM_OUTPUT_YAML", m[1], m[2]
		if l := reLine.FindStringSubmatch(m[2]); l != nil {
			e.Line = atoi(l[1]) // line within the rendered document, not the template
		}
		return e
	}
	// Single-line form: a chain of calls, outermost first.
	//   template: chart/templates/a.yaml:1:3: executing "x" at <y>: error calling include: template: ...: cause
	if all := reChain.FindAllStringSubmatchIndex(msg, -1); all != nil {
		in := all[len(all)-1]
		at := func(group int) string { return msg[in[2*group]:in[2*group+1]] }
		e.Code, e.File, e.Line, e.Column, e.Func = "HELM_TEMPLATE_EXEC", at(1), atoi(at(2)), atoi(at(3)), at(4)
		e.Summary = msg[in[1]:]
		e.Message = bounded(msg)
		return e
	}
	// Multi-line traceable form:
	//   chart/templates/a.yaml:1:3\n  executing "x" at <y>:\n    message
	var cur *Loc
	var last string
	for _, ln := range strings.Split(msg, "\n") {
		t := strings.TrimSpace(ln)
		if m := reLoc.FindStringSubmatch(t); m != nil {
			e.Trace = append(e.Trace, Loc{File: m[1], Line: atoi(m[2]), Col: atoi(m[3])})
			cur = &e.Trace[len(e.Trace)-1]
			continue
		}
		if m := reExec.FindStringSubmatch(t); m != nil && cur != nil {
			cur.Func = m[1]
			continue
		}
		if t != "" {
			last = t
		}
	}
	if len(e.Trace) > 0 {
		in := e.Trace[len(e.Trace)-1]
		e.Code, e.File, e.Line, e.Column, e.Func = "HELM_TEMPLATE_EXEC", in.File, in.Line, in.Col, in.Func
		if last != "" {
			e.Summary = last
		}
	}
	return e
}

// Kustomize classifies an error from krusty.
func Kustomize(err error) *Error {
	msg := err.Error()
	e := &Error{Code: "KUSTOMIZE_BUILD", Message: msg, Summary: msg}
	switch {
	case strings.Contains(msg, ErrRemote), strings.Contains(msg, "no 'git' program on path"):
		e.Code, e.Summary = "KUSTOMIZE_REMOTE_FORBIDDEN", "remote resources and bases are disabled; vendor them into the repository"
	case strings.Contains(msg, "security; file"):
		e.Code = "KUSTOMIZE_LOAD_RESTRICTION"
	case strings.Contains(msg, "must specify --enable-helm"):
		e.Code = "KUSTOMIZE_HELM_DISABLED"
	case strings.Contains(msg, "external plugins disabled"):
		e.Code = "KUSTOMIZE_PLUGIN_DISABLED"
	case strings.Contains(msg, "yaml:"), strings.Contains(msg, "MalformedYAML"):
		e.Code = "KUSTOMIZE_YAML"
	case strings.Contains(msg, "no such file or directory"), strings.Contains(msg, "doesn't exist"):
		e.Code = "KUSTOMIZE_NOT_FOUND"
	}
	// The innermost file name is the last one mentioned.
	if all := reInFile.FindAllStringSubmatch(msg, -1); all != nil {
		e.File = all[len(all)-1][1]
	}
	if l := reLine.FindStringSubmatch(msg); l != nil {
		e.Line = atoi(l[1])
	}
	return e
}

// ErrRemote marks a blocked network fetch.
const ErrRemote = "remote fetch disabled"
