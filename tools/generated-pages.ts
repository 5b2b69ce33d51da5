import { cliPage } from './cli-page.ts';
import { errorsPage } from './errors-page.ts';
import type { GeneratedPage } from './generated-page.ts';
import { healthPage } from './health-page.ts';
import { kindPage } from './kind-page.ts';
import { metricsPage } from './metrics-page.ts';
import { outputSchemaPages } from './output-schema-pages.ts';
import { policyPage } from './policy-page.ts';

/** Every page that `tools/docs.ts` writes, and that a test compares with what is committed. */
export async function generatedPages(): Promise<readonly GeneratedPage[]> {
  return [
    { path: 'docs/errors.md', text: errorsPage() },
    { path: 'docs/reference/application.md', text: kindPage('Application') },
    { path: 'docs/reference/repository.md', text: kindPage('Repository') },
    { path: 'docs/reference/approval.md', text: kindPage('Approval') },
    { path: 'docs/reference/hold.md', text: kindPage('Hold') },
    { path: 'docs/reference/health-conventions.md', text: healthPage() },
    { path: 'docs/reference/metrics.md', text: metricsPage() },
    { path: 'docs/reference/policies.md', text: policyPage() },
    { path: 'docs/reference/cli.md', text: await cliPage() },
    ...outputSchemaPages(),
  ];
}
