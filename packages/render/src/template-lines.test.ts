import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapToTemplate, templateLine } from './template-lines.ts';

test('where the number of lines is the same, lines are the same', () => {
  const toTemplate = mapToTemplate('a: {{ .Values.a }}\nb: 1\n', 'a: 7\nb: 1\n');

  assert.deepEqual([1, 2, 3].map(toTemplate), [1, 2, 2]);
});

test('control structures are stepped over', () => {
  const template = 'kind: A\n{{- if .Values.x }}\nx: 1\n{{- else }}\ny: 1\n{{- end }}\nz: {{ .Values.z }}\n';

  const toTemplate = mapToTemplate(template, 'kind: A\ny: 1\nz: 5\n');

  assert.deepEqual([1, 2, 3].map(toTemplate), [1, 5, 7]);
});

test('the later documents of a loop point into the loop', () => {
  const template = '{{- range .Values.names }}\n---\nkind: A\nname: {{ . }}\n{{- end }}\n';

  const toTemplate = mapToTemplate(template, '\n---\nkind: A\nname: a\n---\nkind: A\nname: b\n');

  assert.ok([2, 3, 4].includes(toTemplate(6) ?? 0));
});

test('a text too large to align has no lines', () => {
  const toTemplate = mapToTemplate('{{ x }}\n'.repeat(2000), 'a\n'.repeat(3000));

  assert.equal(toTemplate(1), undefined);
});

const TEMPLATE = `{{- if .Values.on }}
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
{{- end }}
---
kind: "Service"
apiVersion: v1
---
apiVersion: v1
kind: ConfigMap
metadata:
  annotations:
    kind: ConfigMap
---
{{- range .Values.names }}
apiVersion: v1
kind: Secret
{{- end }}
---
kind: {{ .Values.kind }}
`;

test('an object begins at its apiVersion or at its kind, whichever comes first', () => {
  assert.equal(templateLine(TEMPLATE, 'ConfigMap', 0), 2);
  assert.equal(templateLine(TEMPLATE, 'Service', 0), 7);
});

test('of objects of one kind, each has its own line, and those of a loop share one', () => {
  assert.deepEqual(
    [0, 1, 2].map((nth) => templateLine(TEMPLATE, 'ConfigMap', nth)),
    [2, 10, 10],
  );
  assert.deepEqual(
    [0, 1, 99].map((nth) => templateLine(TEMPLATE, 'Secret', nth)),
    [17, 17, 17],
  );
});

test('a kind that is not written out has no line, nor has one that is no object of its own', () => {
  assert.equal(templateLine(TEMPLATE, 'Deployment', 0), undefined);
  assert.equal(templateLine('  kind: ConfigMap\n', 'ConfigMap', 0), undefined);
  assert.equal(templateLine('', 'ConfigMap', 0), undefined);
});
