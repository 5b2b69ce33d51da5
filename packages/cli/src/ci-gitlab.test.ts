import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CiFinding } from './ci-finding.ts';
import { codeQualityReport, gitlabSection } from './ci-gitlab.ts';

const FINDING: CiFinding = {
  severity: 'error',
  title: 'schema/unknown-field',
  message: 'Deployment/api: spec.replica is no field',
  where: { file: './deploy/api.yaml', line: 9 },
  folder: 'deploy',
};

test('a report names path, line, rule and severity, and has a place for what has none', () => {
  const report = codeQualityReport([FINDING, { ...FINDING, severity: 'warning', where: undefined }]);

  const [first, second] = report as readonly { readonly fingerprint: string }[];
  assert.match(first?.fingerprint ?? '', /^[0-9a-f]{32}$/);
  assert.notEqual(first?.fingerprint, second?.fingerprint);
  assert.deepEqual(
    report.map((entry) => ({ ...entry, fingerprint: '' })),
    [
      {
        description: 'Deployment/api: spec.replica is no field',
        check_name: 'schema/unknown-field',
        fingerprint: '',
        severity: 'major',
        location: { path: 'deploy/api.yaml', lines: { begin: 9 } },
      },
      {
        description: 'Deployment/api: spec.replica is no field',
        check_name: 'schema/unknown-field',
        fingerprint: '',
        severity: 'minor',
        location: { path: 'deploy', lines: { begin: 1 } },
      },
    ],
  );
});

test('a finding keeps its fingerprint when lines move, and two alike have one each', () => {
  const prints = (findings: readonly CiFinding[]): readonly string[] =>
    (codeQualityReport(findings) as readonly { fingerprint: string }[]).map(({ fingerprint }) => fingerprint);
  const moved = { ...FINDING, where: { file: 'deploy/api.yaml', line: 12 } };

  assert.deepEqual(prints([FINDING]), prints([moved]));
  assert.equal(new Set(prints([FINDING, moved, FINDING])).size, 3);
});

test('whatever a text holds, a section begins and ends once', () => {
  const hostile = fc
    .array(
      fc.constantFrom(
        'section_start:',
        'section_end:',
        '1:plumb_1',
        '\r',
        '\n',
        '\u001b[0K',
        '[collapsed=true]',
        'x',
        ' ',
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(hostile, hostile, (title, text) => {
      const section = gitlabSection('plumb 1', title, text, 1_800_000_000_999);
      // eslint-disable-next-line no-control-regex -- what a mark ends in
      const marks = section.match(/section_(?:start|end):\d+:[A-Za-z0-9_.-]+(?:\[[^\]]*\])?\r\u001b\[0K/g);
      assert.deepEqual(marks, [
        'section_start:1800000000:plumb_1[collapsed=true]\r\u001b[0K',
        'section_end:1800000000:plumb_1\r\u001b[0K',
      ]);
    }),
    { numRuns: 1_000 },
  );
});
