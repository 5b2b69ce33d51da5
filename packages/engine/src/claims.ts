import type { ObjectKey, TargetKey } from '@plumb/core';

/**
 * Which target wants which object. A target claims its whole desired set before its first write, in one turn of the event
 * loop, so two targets can never both create one object: the first to claim owns it until it lets go.
 */
export class Claims {
  readonly #wanted = new Map<TargetKey, ReadonlySet<ObjectKey>>();
  /** In the order of claiming: the first one owns the object. */
  readonly #claimants = new Map<ObjectKey, TargetKey[]>();

  /** Replaces the claims of a target. Returns the other targets that now own an object which this one let go. */
  claim(target: TargetKey, keys: Iterable<ObjectKey>): readonly TargetKey[] {
    const wanted = new Set(keys);
    const heirs = new Set<TargetKey>();
    for (const key of this.#wanted.get(target) ?? []) {
      if (wanted.has(key)) continue;
      const heir = this.#letGo(target, key);
      if (heir !== undefined) heirs.add(heir);
    }
    for (const key of wanted) {
      const claimants = this.#claimants.get(key);
      if (claimants === undefined) this.#claimants.set(key, [target]);
      else if (!claimants.includes(target)) claimants.push(target);
    }
    this.#wanted.set(target, wanted);
    return [...heirs];
  }

  /** Gives up all claims of a target that is no more. Returns the targets that inherit. */
  release(target: TargetKey): readonly TargetKey[] {
    const heirs = this.claim(target, []);
    this.#wanted.delete(target);
    return heirs;
  }

  ownerOf(key: ObjectKey): TargetKey | undefined {
    return this.#claimants.get(key)?.[0];
  }

  wants(target: TargetKey, key: ObjectKey): boolean {
    return this.#wanted.get(target)?.has(key) ?? false;
  }

  /** Another target than this one that wants the object. */
  heirOf(target: TargetKey, key: ObjectKey): TargetKey | undefined {
    return this.#claimants.get(key)?.find((claimant) => claimant !== target);
  }

  /** Whether it is known what the target wants. */
  hasClaimed(target: TargetKey): boolean {
    return this.#wanted.has(target);
  }

  #letGo(target: TargetKey, key: ObjectKey): TargetKey | undefined {
    const claimants = this.#claimants.get(key);
    if (claimants === undefined) return undefined;
    const position = claimants.indexOf(target);
    claimants.splice(position, 1);
    if (claimants.length === 0) this.#claimants.delete(key);
    return position === 0 ? claimants[0] : undefined;
  }
}
