import { type Rule } from './rule.ts';

const TIMERS = ['setTimeout', 'setInterval', 'setImmediate'];
const READERS: Readonly<Record<string, readonly string[]>> = {
  Date: ['now'],
  performance: ['now', 'timeOrigin'],
  process: ['hrtime', 'uptime'],
  AbortSignal: ['timeout'],
  globalThis: TIMERS,
};
const MODULES = ['timers', 'timers/promises', 'perf_hooks'];

const MESSAGE = "reads the machine's clock: take a Clock (from @plumb/core) as a parameter, so that tests own time.";

/**
 * No clock but the clock port. Which files are that port stands in `.oxlintrc.json`, as does `allow`: names of timers that
 * a file may call and import.
 */
export const noWallClock: Rule = {
  meta: { schema: [{ type: 'object', properties: { allow: { type: 'array', items: { enum: TIMERS } } } }] },
  create(context) {
    const allowed = allowedTimers(context.options[0]);
    return {
      MemberExpression(node) {
        if (node.object.type !== 'Identifier' || node.property.type !== 'Identifier' || node.computed) return;
        const { name: object } = node.object;
        const { name: property } = node.property;
        if (READERS[object]?.includes(property) !== true) return;
        context.report({ node, message: `${object}.${property} ${MESSAGE}` });
      },
      NewExpression(node) {
        if (node.callee.type !== 'Identifier' || node.callee.name !== 'Date' || node.arguments.length > 0) return;
        context.report({ node, message: `new Date() ${MESSAGE}` });
      },
      CallExpression(node) {
        if (node.callee.type !== 'Identifier') return;
        const { name } = node.callee;
        if (allowed.includes(name)) return;
        if (TIMERS.includes(name) || name === 'Date') context.report({ node, message: `${name}() ${MESSAGE}` });
      },
      ImportDeclaration(node) {
        if (!MODULES.includes(node.source.value.replace(/^node:/, ''))) return;
        const names = node.specifiers.map((specifier) =>
          specifier.type === 'ImportSpecifier' && specifier.imported.type === 'Identifier'
            ? specifier.imported.name
            : '*',
        );
        if (names.every((name) => allowed.includes(name))) return;
        context.report({ node, message: `"${node.source.value}" ${MESSAGE}` });
      },
    };
  },
};

function allowedTimers(options: unknown): readonly unknown[] {
  const isObject = typeof options === 'object' && options !== null;
  return isObject && 'allow' in options && Array.isArray(options.allow) ? options.allow : [];
}
