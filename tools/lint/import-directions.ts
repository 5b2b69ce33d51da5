import { relative, sep } from 'node:path';

import { whyForbidden } from './directions.ts';
import { literalText, type Rule } from './rule.ts';

/** Holds the table of `directions.ts` for static, dynamic and type imports. */
export const importDirections: Rule = {
  create(context) {
    const file = relative(context.cwd, context.filename).split(sep).join('/');

    type Source = Parameters<typeof literalText>[0] & Parameters<typeof context.report>[0]['node'];
    function check(source: Source | null): void {
      const specifier = source === null ? undefined : literalText(source);
      const message = specifier === undefined ? undefined : whyForbidden(file, specifier);
      if (message !== undefined && source !== null) context.report({ node: source, message });
    }

    return {
      ImportDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      TSImportType: (node) => check(node.source),
    };
  },
};
