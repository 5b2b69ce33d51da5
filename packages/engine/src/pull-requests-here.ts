// What a command line needs that plans pull requests by itself: apart, so that all others load no Git host.
export { proposeKept } from './kept-pull-request.ts';
export { mergedTree } from './merged-tree.ts';
export { branchOf, isChangedBy } from './pull-request-plan.ts';
export { fetchHead } from './pull-request-targets.ts';
export { addressOf, openRepositoryHost } from './repository-host.ts';
