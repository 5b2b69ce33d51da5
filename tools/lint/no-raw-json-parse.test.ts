import { noRawJsonParse } from './no-raw-json-parse.ts';
import { ruleTester } from './rule-tester.ts';

ruleTester.run('no-raw-json-parse', noRawJsonParse, {
  valid: [`const value = decodeJson(text);`, `const text = JSON.stringify(value);`],
  invalid: [
    { code: `const value = JSON.parse(text);`, errors: [/decode\.ts/] },
    { code: `const values = texts.map(JSON.parse);`, errors: [/decode\.ts/] },
  ],
});
