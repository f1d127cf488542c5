/**
 * How a reader beside a writer follows: it looks into the store again and again, since nobody tells it.
 *
 * 1. Time passes only while someone waits; then it keeps the process alive, as a person who follows expects.
 * 2. Waking is no promise that there is something new.
 */
import { Waiters } from '../../ports/waiters.ts';
import type { Feed, FeedReader } from './tail.ts';

export class PollingFeed implements Feed {
  readonly #intervalMs: number;
  readonly #waiters = new Waiters();
  #timer: NodeJS.Timeout | undefined;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  reader(): FeedReader {
    return {
      after: () => undefined,
      changed: (signal) => this.#changed(signal),
      close: () => this.#rest(),
    };
  }

  #changed(signal: AbortSignal): Promise<void> {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#waiters.wake();
    }, this.#intervalMs);
    return this.#waiters.wait(signal);
  }

  #rest(): void {
    if (!this.#waiters.isEmpty) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
