#!/usr/bin/env -S node --max-semi-space-size=4
// A small young generation: with a thousand applications it halves the engine's memory and costs no time.
// Plain JavaScript, so that a Node that is too old can still say so.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 24 || (major === 24 && minor >= 12)) {
  await import('../src/main.ts');
} else {
  process.stderr.write(
    `error: plumb needs Node 24.12 or later, and this is ${process.versions.node}\n` +
      'fix: Run it as "npx plumb" in its repository, which brings its own Node, or install a newer one.\n',
  );
  process.exitCode = 2;
}
