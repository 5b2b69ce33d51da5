import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptEditsText, type KeptEdits } from './kept-edits-text.ts';

const LIMITS = { commentChars: 65_536, canFold: true };
const EDITS: KeptEdits = {
  title: 'Keep Deployment/shop of shop in prod: replicas 3 → 7',
  target: 'shop → prod',
  reason: 'INC-9',
  hold: { name: 'shop-prod-1', by: 'dana@example.com' },
  kept: [
    {
      object: 'Deployment/shop',
      changes: ['replicas 3 → 7'],
      changedBy: ['dana@example.com'],
      places: [{ file: 'deploy/values-prod.yaml', line: 1 }],
    },
  ],
  left: [{ object: 'Secret/key', why: 'data.password: what is in a Secret is not written to Git' }],
  healCommand: 'plumb drift heal shop -e prod',
};

test('a pull request says what is kept, where, whose it was and why, what is not in it, and what else can be done', () => {
  const { title, body } = keptEditsText(EDITS, LIMITS);

  assert.equal(title, EDITS.title);
  assert.equal(
    body,
    [
      'Somebody changed the cluster while the hold shop-prod-1 of dana-example.com lasted, and this pull request makes Git say so for **shop → prod**.',
      '```\nwhy: INC-9\n```',
      '```\nDeployment/shop deploy/values-prod.yaml:1 by dana@example.com\n  replicas 3 → 7\n```',
      '**Not in it**, and still another than Git says:',
      '```\nSecret/key: data.password: what is in a Secret is not written to Git\n```',
      'Merge it, and what runs stays as it is. Close it, and the edits still differ from Git; this puts the old values back:',
      '```\nplumb drift heal shop -e prod\n```',
    ].join('\n\n'),
  );
});

test('what people and clusters wrote means nothing in it: no mention, no link, no end of a block', () => {
  const hostile = '``` @everyone [x](http://evil)\u202e\n## big';

  const { title, body } = keptEditsText(
    {
      ...EDITS,
      title: hostile,
      reason: hostile,
      kept: [{ object: hostile, changes: [hostile], changedBy: [hostile], places: [] }],
      hold: { name: '<b>', by: '@everyone' },
    },
    LIMITS,
  );

  assert.equal(title, '``` @everyone [x](http://evil) ## big');
  const outside = body.replaceAll(/^(`{3,})\n[\s\S]*?\n\1$/gm, '');
  assert.doesNotMatch(outside, /@everyone|evil|<b>|##/);
});

test('it stays within what the host takes, and long lists are cut with their number', () => {
  const many = Array.from({ length: 5_000 }, (_, index) => `data key${index} a → b`);
  const kept = [{ object: 'ConfigMap/a', changes: many, changedBy: [], places: [] }];

  const { body } = keptEditsText({ ...EDITS, kept }, LIMITS);
  const short = keptEditsText({ ...EDITS, kept }, { ...LIMITS, commentChars: 100 });

  assert.match(body, /^… and 4801 more lines$/m);
  assert.equal(short.body.length, 100);
});
