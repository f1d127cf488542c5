/**
 * Who wants to hear of a run in this process: handles that wait for its rest or its end, and subscribers of its
 * snapshots. It tells them after the decision is stored, never before.
 */
import { rootRunId } from '../core/ids.ts';
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
  /** By the root of the family. */
  readonly #families = new Map<string, Set<RunListener>>();

  /** @returns a function that stops listening */
  listen(run: string, listener: RunListener): () => void {
    return add(this.#listeners, run, listener);
  }

  /**
   * Listens to a root run and all below it.
   * @returns a function that stops listening
   */
  listenToFamily(root: string, listener: RunListener): () => void {
    return add(this.#families, root, listener);
  }

  /** Whether anybody wants to hear of a run. */
  isWatched(run: string): boolean {
    return this.#listeners.has(run) || this.#families.has(rootRunId(run));
  }

  publish(state: RunState, events: readonly JournalEvent[]): void {
    for (const listener of this.#of(state.id)) listener.decided(state, events);
  }

  publishUnready(actor: RunActor): void {
    for (const listener of this.#of(actor.id)) listener.unready(actor);
  }

  close(): void {
    for (const audience of [this.#families, this.#listeners]) {
      for (const listeners of audience.values()) {
        for (const listener of listeners) listener.closed();
      }
      audience.clear();
    }
  }

  *#of(run: string): Iterable<RunListener> {
    if (this.#families.size > 0) yield* this.#families.get(rootRunId(run)) ?? [];
    yield* this.#listeners.get(run) ?? [];
  }
}

const add = (
  audience: Map<string, Set<RunListener>>,
  of: string,
  listener: RunListener,
): (() => void) => {
  const listeners = audience.get(of) ?? new Set();
  audience.set(of, listeners.add(listener));
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && audience.get(of) === listeners) audience.delete(of);
  };
};
