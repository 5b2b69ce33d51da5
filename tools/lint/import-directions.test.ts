import { importDirections } from './import-directions.ts';
import { ruleTester } from './rule-tester.ts';

ruleTester.run('import-directions', importDirections, {
  valid: [
    { filename: 'packages/core/src/drift.ts', code: `import { createHash } from 'node:crypto';` },
    { filename: 'packages/engine/src/source.ts', code: `import { type Mirror } from '@plumb/git';` },
    { filename: 'packages/cli/src/verbs/up.ts', code: `export { startEngine } from '@plumb/engine';` },
    { filename: 'packages/cli/src/verbs/up.ts', code: `import { red } from '../colour.ts';` },
    { filename: 'packages/kube/src/transport.ts', code: `import { Pool } from 'undici';` },
    { filename: 'packages/kube/src/exec-command.ts', code: `import { spawn } from 'node:child_process';` },
    { filename: 'packages/kube/src/apply.test.ts', code: `import { startCluster } from '@plumb/controlplane';` },
    { filename: 'packages/cli/src/verbs/app-add.ts', code: `import { CRDS } from '@plumb/api/light';` },
    { filename: 'packages/core/src/key.test.ts', code: `import { test } from 'node:test';` },
    { filename: 'tools/check.ts', code: `import { spawn } from 'node:child_process';` },
  ],
  invalid: [
    {
      filename: 'packages/core/src/drift.ts',
      code: `import { readFile } from 'node:fs/promises';`,
      errors: [/"core" is pure/],
    },
    { filename: 'packages/core/src/drift.ts', code: `import { z } from 'zod';`, errors: [/"core" is pure/] },
    {
      filename: 'packages/git/src/mirror.ts',
      code: `import type { Cluster } from '@plumb/kube';`,
      errors: [/"git" may not import "kube"/],
    },
    {
      filename: 'packages/core/src/key.test.ts',
      code: `export * from '@plumb/engine';`,
      errors: [/"core" may not import "engine"/],
    },
    {
      filename: 'packages/engine/src/apply.ts',
      code: `const { Pool } = await import('undici');`,
      errors: [/"undici" is wrapped: only packages\/kube\/src\//],
    },
    {
      filename: 'packages/engine/src/apply.ts',
      code: `import { spawn } from 'child_process';`,
      errors: [/"node:child_process" is wrapped/],
    },
    {
      filename: 'packages/kube/src/apply.ts',
      code: `import { spawn } from 'node:child_process';`,
      errors: [/"node:child_process" is wrapped/],
    },
    {
      filename: 'packages/engine/src/apply.ts',
      code: `import { apply } from '../../kube/src/apply.ts';`,
      errors: [/leaves packages\/engine/],
    },
    {
      filename: 'packages/engine/src/apply.ts',
      code: `type Apply = import('../../kube/src/apply.ts').Apply;`,
      errors: [/leaves packages\/engine/],
    },
    { filename: 'packages/engine/src/apply.ts', code: `import { mock } from 'node:test';`, errors: [/for tests/] },
  ],
});
