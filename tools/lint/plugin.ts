import { importDirections } from './import-directions.ts';
import { noMathRandom } from './no-math-random.ts';
import { noRawJsonParse } from './no-raw-json-parse.ts';
import { noRejectUnauthorized } from './no-reject-unauthorized.ts';
import { noShell } from './no-shell.ts';
import { noWallClock } from './no-wall-clock.ts';
import { type Rule } from './rule.ts';

/** The house rules that no ready-made rule holds. Where they do not apply stands in `.oxlintrc.json`. */
const plugin: { readonly meta: { readonly name: string }; readonly rules: Readonly<Record<string, Rule>> } = {
  meta: { name: 'house' },
  rules: {
    'import-directions': importDirections,
    'no-math-random': noMathRandom,
    'no-raw-json-parse': noRawJsonParse,
    'no-reject-unauthorized': noRejectUnauthorized,
    'no-shell': noShell,
    'no-wall-clock': noWallClock,
  },
};

export default plugin;
