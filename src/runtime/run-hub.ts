/**
 * Who wants to hear of a run in this process: handles that wait for its rest or its end, and subscribers of its
 * snapshots. It tells them after the decision is stored, never before.
 */
import type { JournalEvent } from '../core/journal-events.ts';
import type { RunState } from '../core/run-state.ts';
import type { RunActor } from './run-actor.ts';

export interface RunListener {
  /** A decision was stored; `events` is empty when the run was only loaded. */
  decided(state: RunState, events: readonly JournalEvent[]): void;
  /** The run was loaded again and cannot go on: it is blocked, or does not replay. */
  unready(actor: RunActor): void;
  /** The process stops listening before the run is over. */
  closed(): void;
}

export class RunHub {
  readonly #listeners = new Map<string, Set<RunListener>>();

  /** @returns a function that stops listening */
  listen(run: string, listener: RunListener): () => void {
    const listeners = this.#listeners.get(run) ?? new Set();
    this.#listeners.set(run, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(run);
    };
  }

  publish(state: RunState, events: readonly JournalEvent[]): void {
    const listeners = this.#listeners.get(state.id);
    if (listeners === undefined) return;
    for (const listener of listeners) listener.decided(state, events);
  }

  publishUnready(actor: RunActor): void {
    for (const listener of this.#listeners.get(actor.id) ?? []) listener.unready(actor);
  }

  close(): void {
    for (const listeners of this.#listeners.values()) {
      for (const listener of listeners) listener.closed();
    }
    this.#listeners.clear();
  }
}
