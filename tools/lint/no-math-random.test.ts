import { noMathRandom } from './no-math-random.ts';
import { ruleTester } from './rule-tester.ts';

ruleTester.run('no-math-random', noMathRandom, {
  valid: [`const jitter = random.next();`, `const top = Math.max(1, 2);`],
  invalid: [
    { code: `const jitter = Math.random();`, errors: [/Take a Random/] },
    { code: `const next = Math.random;`, errors: [/Take a Random/] },
  ],
});
