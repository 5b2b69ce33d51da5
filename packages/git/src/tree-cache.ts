import type { Tree } from './tree.ts';

/**
 * Trees by id. They never change, so they are only let go for room: the bound is on their items.
 *
 * Two generations instead of an order of use, because a look at thousands of applications reads the same folders again and
 * again, and a read of what was read lately must write nothing. When the young generation is half of the bound, it
 * becomes the old one, and what nobody has asked for since the last time goes.
 */
export class TreeCache {
  readonly #limit: number;
  #young = new Map<string, Tree>();
  #old = new Map<string, Tree>();
  #youngItems = 0;

  /** @param limitItems names in all folders together, and one for each folder. */
  constructor(limitItems: number) {
    this.#limit = limitItems;
  }

  get(oid: string): Tree | undefined {
    const tree = this.#young.get(oid);
    if (tree !== undefined) return tree;
    const kept = this.#old.get(oid);
    if (kept !== undefined) this.set(oid, kept);
    return kept;
  }

  set(oid: string, tree: Tree): void {
    if (this.#young.has(oid)) return;
    const items = tree.items.size + 1;
    if (this.#youngItems > 0 && this.#youngItems + items > this.#limit / 2) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngItems = 0;
    }
    this.#old.delete(oid);
    this.#young.set(oid, tree);
    this.#youngItems += items;
  }
}
