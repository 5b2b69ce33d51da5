// Records an intent as an engine does, says so, and never comes to the outcome: for the test that kills it.
import { targetKey } from '@plumb/core';
import { realClock } from '@plumb/test-support';
import { openLedger } from '../src/index.ts';
import { intentOf } from './samples.ts';

const folder = process.argv[2] ?? '';
const ledger = await openLedger({ folder, clock: realClock });
const target = targetKey({ namespace: 'team', application: 'shop' });
const [first = 0] = await ledger.intend([intentOf(target, 'a'), intentOf(target, 'b')]);
await ledger.conclude([{ seq: first, result: 'ok' }]);
process.stdout.write('intended\n');
setInterval(() => undefined, 60_000);
