import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapToTemplate } from './template-lines.ts';

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
