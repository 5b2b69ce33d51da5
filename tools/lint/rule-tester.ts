import { describe, it } from 'node:test';

import { RuleTester } from 'oxlint/plugins-dev';

RuleTester.describe = (name, run) => void describe(name, run);
RuleTester.it = (name, run) => void it(name, run);

/** Runs rules on TypeScript sources inside `node:test`. */
export const ruleTester = new RuleTester({ languageOptions: { parserOptions: { lang: 'ts' } } });
