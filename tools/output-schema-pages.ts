import { outputJsonSchemas } from '../packages/api/src/output/index.ts';
import { madeFrom, type GeneratedPage } from './generated-page.ts';

/** What each `-o json` prints, as JSON Schema, and a page that lists them. */
export function outputSchemaPages(): readonly GeneratedPage[] {
  const all = outputJsonSchemas();
  const schemas = [...all].map(([kind, schema]) => ({
    path: `docs/reference/output/${kind}.schema.json`,
    text: `${JSON.stringify(schema, null, 2)}\n`,
  }));
  const rows = [...all.keys()].map((kind) => `- [${kind}](output/${kind}.schema.json)`);
  const page = `# Output for programs

${madeFrom('packages/api/src/output')}

What \`-o json\` prints names itself by \`apiVersion\` and \`kind\`. Fields are added to a version and never change their meaning; what
is not in the schema is never printed. Values of Secrets are never in it.

${rows.join('\n')}
`;
  return [{ path: 'docs/reference/output.md', text: page }, ...schemas];
}
