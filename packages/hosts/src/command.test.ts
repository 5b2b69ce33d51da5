import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCommand } from './command.ts';

test('a command at the beginning of a line is read', () => {
  assert.deepEqual(parseCommand('/plumb plan'), { type: 'plan' });
  assert.deepEqual(parseCommand('/plumb plan checkout'), { type: 'plan', app: 'checkout' });
  assert.deepEqual(parseCommand('/plumb plan -e prod-eu'), { type: 'plan', env: 'prod-eu' });
  assert.deepEqual(parseCommand('/plumb plan -e=prod checkout'), { type: 'plan', app: 'checkout', env: 'prod' });
  assert.deepEqual(parseCommand('/plumb  plan\tcheckout --env prod  '), { type: 'plan', app: 'checkout', env: 'prod' });
  assert.deepEqual(parseCommand('Looks good.\r\n\r\n/plumb approve 1C9E4B0a77ff\r\n'), {
    type: 'approve',
    digest: '1c9e4b0a77ff',
  });
});

test('what begins as a command and is none says why', () => {
  const texts = [
    '/plumb',
    '/plumb deploy',
    '/plumb plan a b',
    '/plumb plan -e',
    '/plumb plan -e a -e b',
    '/plumb plan --prod',
    '/plumb plan $(id)',
    '/plumb plan @everyone',
    '/plumb approve',
    '/plumb approve it',
    '/plumb approve 1c9e4b please',
    '/plumb approve 1c9e',
    `/plumb plan ${'a'.repeat(2000)}`,
  ];

  for (const text of texts) assert.equal(parseCommand(text)?.type, 'unclear', text);
});

test('a command that is quoted, shown as code, hidden or mentioned is not given', () => {
  const texts = [
    'please say /plumb plan',
    ' /plumb plan',
    '`/plumb plan`',
    '/plumber plan',
    '> /plumb plan',
    '> somebody said\n/plumb plan',
    '   > somebody said\n/plumb plan',
    '```\n/plumb plan\n```',
    '~~~~ sh\n/plumb plan\n~~~\n/plumb plan\n~~~~',
    '```\n/plumb plan',
    '```\n``\n/plumb plan\n```',
    '  ```js\n/plumb plan\n  ```',
    '```\n~~~\n/plumb plan\n```',
    '<!--\n/plumb plan\n-->',
    'text <!-- hidden\n/plumb plan',
  ];

  for (const text of texts) assert.equal(parseCommand(text), undefined, text);
});

test('a command after what was quoted or shown is given', () => {
  const texts = [
    '> somebody said\n\n/plumb plan',
    '```\ncode\n```\n/plumb plan',
    '~~~\ncode\n~~~~~\n/plumb plan',
    '<!-- a template -->\n/plumb plan',
    '<!--\nhidden\n-->\n/plumb plan',
    'a ``` b\n/plumb plan',
    '``` a ` b\n/plumb plan',
  ];

  for (const text of texts) assert.deepEqual(parseCommand(text), { type: 'plan' }, text);
});

const line = fc.oneof(
  fc.constantFrom('', '```', '~~~', '````', '> quote', '<!--', '-->', '/plumb plan', '/plumb approve abcdef', 'text'),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

test('any text is read without a fault, and what is found stands in it at the beginning of a line', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n', '\r'), (lines, end) => {
      const text = lines.join(end);
      const command = parseCommand(text);
      if (command === undefined) return;
      assert.match(text, /(?:^|[\r\n])\/plumb/);
      if (command.type === 'approve') assert.match(command.digest, /^[0-9a-f]{6,64}$/);
      if (command.type === 'plan')
        assert.match(`${command.app ?? 'a'} ${command.env ?? 'a'}`, /^[a-z0-9.-]+ [a-z0-9.-]+$/);
    }),
    { numRuns: 3_000 },
  );
});

test('no text in a quotation or in a block of code gives a command, whatever it is', () => {
  const inner = fc.array(
    line.filter((text) => !/[\r\n]/.test(text)),
    { maxLength: 8 },
  );

  fc.assert(
    fc.property(inner, (lines) => {
      assert.equal(parseCommand(lines.map((text) => `> ${text}`).join('\n')), undefined);
      // Longer than any fence within.
      const fence = '`'.repeat(30);
      assert.equal(parseCommand([fence, ...lines, fence].join('\n')), undefined);
    }),
    { numRuns: 1_000 },
  );
});
