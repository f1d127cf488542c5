/**
 * Last of four phases of an actor's life: leaving memory. Before: running.ts.
 *
 * 1. Only an actor that does nothing is dropped; its journal has everything, so dropping it loses nothing but time.
 *    A run that is over goes at once: it will not be moved again, and whoever asks for it later loads it.
 * 2. What is due later wakes it: the actor system keeps the instant, not the actor.
 */
import type { RunState } from '../../core/run-state.ts';
import type { RunActor } from '../run-actor.ts';

/** When a run wants to be looked at again, or undefined when only a signal can move it. */
export const nextDueAt = (state: RunState): number | undefined => {
  if (state.pause !== undefined || state.quarantine !== undefined) return undefined;
  let next = Infinity;
  for (const { dueAt } of state.timers.values()) next = Math.min(next, dueAt);
  for (const { retryAt } of state.steps.values()) next = Math.min(next, retryAt ?? Infinity);
  return next === Infinity ? undefined : next;
};

/** Which actors leave memory: all that have ended, and the longest idle ones beyond a number. */
export class Passivation {
  readonly #max: number;
  /** In the order of their last decision. */
  readonly #recent = new Map<string, RunActor>();

  constructor(max: number) {
    this.#max = max;
  }

  touch(actor: RunActor): void {
    this.#recent.delete(actor.id);
    this.#recent.set(actor.id, actor);
  }

  forget(id: string): void {
    this.#recent.delete(id);
  }

  /** Actors that may go now. */
  *candidates(): Iterable<RunActor> {
    let beyond = this.#recent.size - this.#max;
    if (beyond <= 0) return;
    for (const actor of this.#recent.values()) {
      if (!actor.isIdle) continue;
      yield actor;
      beyond -= 1;
      if (beyond <= 0) return;
    }
  }
}
