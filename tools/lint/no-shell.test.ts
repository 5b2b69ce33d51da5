import { noShell } from './no-shell.ts';
import { ruleTester } from './rule-tester.ts';

ruleTester.run('no-shell', noShell, {
  valid: [
    `import { execFile, spawn } from 'node:child_process';`,
    `spawn('git', ['status'], { shell: false });`,
    `const { shell } = options;`,
    `/a/.exec(text);`,
  ],
  invalid: [
    { code: `import { exec } from 'node:child_process';`, errors: [/"exec" starts a shell/] },
    { code: `import { execSync as run } from 'child_process';`, errors: [/"execSync" starts a shell/] },
    { code: `import * as processes from 'node:child_process';`, errors: [/by name/] },
    { code: `const processes = await import('node:child_process');`, errors: [/statically/] },
    { code: `spawn('git status', { shell: true });`, errors: [/The option "shell"/] },
    { code: `spawn('git status', { 'shell': '/bin/sh' });`, errors: [/The option "shell"/] },
  ],
});
