import { EXIT } from '../packages/cli/src/exit-codes.ts';
import { helpOf, VERBS } from './command-line.ts';
import { madeFrom, table } from './generated-page.ts';

const INTRODUCTION = `# Command line

${madeFrom('packages/cli/src/commands.ts')}

From the root of the repository the command is \`npx plumb\`. Results go to standard output, progress and errors to standard
error, so \`-o json\` can be piped. JSON documents carry \`apiVersion: cli.plumb.dev/v1\`.

Which cluster a verb is about: \`--context\`, else \`PLUMB_CONTEXT\`, else the file that \`KUBECONFIG\` names, else the cluster
of the engine that runs on this machine, else the usual kubeconfig. Which namespace: \`--namespace\`, else \`PLUMB_NAMESPACE\`,
else the one of the context (\`status\`: all).
`;

const MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  yes: 'yes: done, healthy, nothing to do',
  no: 'the answer is no: unhealthy, a sync that did not work, differences found by diff',
  input: 'usage, or input that has to be corrected',
  denied: 'not signed in, or not permitted',
  unreachable: 'API server, Git host or engine not reached',
  timeout: 'timed out waiting; the work goes on',
  policy: 'refused by a policy: it takes an approval, another quota, another owner',
  conflict: 'the cluster or Git moved in between, or another engine is at work',
  internal: 'a fault of Plumb itself',
  interrupted: 'Ctrl-C',
};

/** The page `docs/reference/cli.md`: the help of every verb, and the exit codes. */
export async function cliPage(): Promise<string> {
  const sections: string[] = [];
  for (const { words } of VERBS) {
    const help = (await helpOf(words)).trimEnd();
    sections.push(`## plumb ${words.join(' ')}`, '', '```text', help, '```', '');
  }
  const codes = Object.entries(EXIT).map(([name, code]) => [String(code), MEANINGS[name as keyof typeof EXIT]]);
  const exits = table(['Code', 'Meaning'], codes);
  return [INTRODUCTION, ...sections, '## Exit codes', '', ...exits, ''].join('\n');
}
