import { literalText, type Rule } from './rule.ts';

const SHELLS = ['exec', 'execSync'];

/**
 * No shell: a word from a repository or a URL must never be read as a command. `execFile` and `spawn` with a list of
 * arguments are fine; `exec`, `execSync` and the option `shell` are not.
 */
export const noShell: Rule = {
  create(context) {
    return {
      ImportDeclaration(node) {
        if (!/^(node:)?child_process$/.test(node.source.value)) return;
        for (const specifier of node.specifiers) {
          if (specifier.type !== 'ImportSpecifier') {
            context.report({ node: specifier, message: 'Import the functions of node:child_process by name.' });
            continue;
          }
          const { imported } = specifier;
          const name = imported.type === 'Identifier' ? imported.name : imported.value;
          if (SHELLS.includes(name)) {
            context.report({ node: specifier, message: `"${name}" starts a shell: use execFile or spawn.` });
          }
        }
      },
      ImportExpression(node) {
        if (!/^(node:)?child_process$/.test(literalText(node.source) ?? '')) return;
        context.report({ node, message: 'Import the functions of node:child_process statically and by name.' });
      },
      Property(node) {
        const { key, value } = node;
        const name = key.type === 'Identifier' && !node.computed ? key.name : literalText(key);
        if (name !== 'shell' || (value.type === 'Literal' && value.value === false)) return;
        if (node.parent.type !== 'ObjectExpression') return;
        context.report({ node, message: 'The option "shell" starts a shell: pass the arguments as a list.' });
      },
    };
  },
};
