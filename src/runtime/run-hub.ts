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
  readonly #toAll = new Set<RunListener>();

  /** @returns a function that stops listening */
  listen(run: string, listener: RunListener): () => void {
    const listeners = this.#listeners.get(run) ?? new Set();
    this.#listeners.set(run, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(run);
    };
  }

  /**
   * Listens to every run of this process.
   * @returns a function that stops listening
   */
  listenAll(listener: RunListener): () => void {
    this.#toAll.add(listener);
    return () => this.#toAll.delete(listener);
  }

  publish(state: RunState, events: readonly JournalEvent[]): void {
    for (const listener of this.#toAll) listener.decided(state, events);
    const listeners = this.#listeners.get(state.id);
    if (listeners === undefined) return;
    for (const listener of listeners) listener.decided(state, events);
  }

  publishUnready(actor: RunActor): void {
    for (const listener of this.#toAll) listener.unready(actor);
    for (const listener of this.#listeners.get(actor.id) ?? []) listener.unready(actor);
  }

  close(): void {
    for (const listener of this.#toAll) listener.closed();
    this.#toAll.clear();
    for (const listeners of this.#listeners.values()) {
      for (const listener of listeners) listener.closed();
    }
    this.#listeners.clear();
  }
}
