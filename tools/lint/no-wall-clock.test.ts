import { noWallClock } from './no-wall-clock.ts';
import { ruleTester } from './rule-tester.ts';

ruleTester.run('no-wall-clock', noWallClock, {
  valid: [
    `const at = new Date(clock.now()).toISOString();`,
    `const then = Date.parse('2026-01-01T00:00:00Z');`,
    `{ using timer = clock.timer(1_000, wake); }`,
    `socket.setTimeout(1_000);`,
    {
      code: `import { setImmediate } from 'node:timers/promises'; await setImmediate();`,
      options: [{ allow: ['setImmediate'] }],
    },
  ],
  invalid: [
    { code: `const at = Date.now();`, errors: [/Date\.now reads/] },
    { code: `const now = Date.now;`, errors: [/Date\.now reads/] },
    { code: `const at = new Date();`, errors: [/new Date\(\) reads/] },
    { code: `const at = performance.now();`, errors: [/performance\.now reads/] },
    { code: `const at = process.hrtime.bigint();`, errors: [/process\.hrtime reads/] },
    { code: `setTimeout(wake, 10);`, errors: [/setTimeout\(\) reads/] },
    { code: `globalThis.setInterval(wake, 10);`, errors: [/globalThis\.setInterval reads/] },
    { code: `setImmediate(wake);`, errors: [/setImmediate\(\) reads/] },
    {
      code: `import { setImmediate, setTimeout } from 'node:timers/promises';`,
      options: [{ allow: ['setImmediate'] }],
      errors: [/"node:timers\/promises" reads/],
    },
    { code: `const signal = AbortSignal.timeout(10);`, errors: [/AbortSignal\.timeout reads/] },
    { code: `import { setTimeout as sleep } from 'node:timers/promises';`, errors: [/"node:timers\/promises" reads/] },
  ],
});
