package main

import (
	"fmt"
	"os"
)

const defaultAuditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler", "fake-kubelet"]
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
- level: None
`

func writeAuditFiles(o *options, p *pki) error {
	policy := []byte(defaultAuditPolicy)
	if o.auditPolicy != "" {
		var err error
		if policy, err = os.ReadFile(o.auditPolicy); err != nil {
			return err
		}
	}
	if err := os.WriteFile(p.path("audit-policy.yaml"), policy, 0o600); err != nil {
		return err
	}
	cfg := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: audit\nclusters:\n- name: audit\n  cluster: {server: %q}\ncontexts:\n- name: audit\n  context: {cluster: audit, user: audit}\nusers:\n- name: audit\n  user: {}\n", o.auditWebhook)
	return os.WriteFile(p.path("audit-webhook.kubeconfig"), []byte(cfg), 0o600)
}
