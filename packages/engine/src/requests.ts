import type { TargetKey } from '@plumb/core';
import type { NamespacedName } from './targets.ts';

/** Requests of people (`plumb sync`): carried out when every target came to rest after the fetch that they asked for. */
export class Requests {
  readonly #handled = new Map<NamespacedName, string>();
  readonly #open = new Map<NamespacedName, { request: string; fetched: boolean; waiting: Set<TargetKey> }>();

  handled(name: NamespacedName): string | undefined {
    return this.#handled.get(name);
  }

  remember(name: NamespacedName, request: string): void {
    this.#handled.set(name, request);
  }

  /** The application is no more: a namesake that asks in the same words is heard. */
  forget(name: NamespacedName): void {
    this.#handled.delete(name);
    this.#open.delete(name);
  }

  isUnderWay(name: NamespacedName, request: string): boolean {
    return this.#open.get(name)?.request === request;
  }

  begin(name: NamespacedName, request: string, targets: readonly TargetKey[]): void {
    this.#open.set(name, { request, fetched: false, waiting: new Set(targets) });
  }

  fetched(name: NamespacedName, request: string): void {
    const open = this.#open.get(name);
    if (open?.request === request) open.fetched = true;
  }

  rested(target: TargetKey): void {
    for (const [name, open] of this.#open) {
      if (!open.fetched || !open.waiting.delete(target) || open.waiting.size > 0) continue;
      this.#open.delete(name);
      this.#handled.set(name, open.request);
    }
  }
}
