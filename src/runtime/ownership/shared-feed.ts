/**
 * The one subscription through which a process hears what the others append: journals of runs, and leases.
 *
 * 1. It goes on for as long as the process takes part: what ends it, but the stop, is tried again from where it was.
 * 2. Events come in the order of the log, each once for each time that the subscription was up; whoever listens looks
 *    at revisions.
 */
import type { Logger } from 'pino';
import { isEclError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventStore, RecordedEvent } from '../../ports/event-store.ts';

export interface SharedFeedParts {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly streamPrefixes: readonly string[];
}

const retryMsMin = 100;
const retryMsMax = 2_000;

export class SharedFeed {
  readonly #parts: SharedFeedParts;
  readonly #stop = new AbortController();
  #cancelPause = (): void => {};
  #from: bigint | 'start' = 'start';

  constructor(parts: SharedFeedParts) {
    this.#parts = parts;
  }

  /** Delivers what comes after a position, until it is stopped. It never throws. */
  async run(from: bigint | undefined, deliver: (event: RecordedEvent) => void): Promise<void> {
    this.#from = from ?? 'start';
    for (let wait = retryMsMin; !this.#isStopped; wait = Math.min(wait * 2, retryMsMax)) {
      try {
        for await (const event of this.#events()) {
          wait = retryMsMin;
          this.#from = event.position;
          deliver(event);
        }
      } catch (error) {
        if (this.#isStopped || isEclError(error, 'store.closed')) return;
        this.#parts.logger.warn({ err: error, wait }, 'the shared subscription is started again');
      }
      if (!this.#isStopped) await this.#pause(wait);
    }
  }

  stop(): void {
    this.#stop.abort();
    this.#cancelPause();
  }

  get #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async *#events(): AsyncIterable<RecordedEvent> {
    const { store, streamPrefixes } = this.#parts;
    const items = store.subscribe({
      from: this.#from,
      filter: { streamPrefixes },
      signal: this.#stop.signal,
    });
    for await (const item of items) if (item.kind === 'event') yield item.event;
  }

  #pause(milliseconds: number): Promise<void> {
    const { clock } = this.#parts;
    return new Promise((resolve) => {
      const cancel = clock.schedule(clock.now() + milliseconds, resolve);
      this.#cancelPause = () => {
        cancel();
        resolve();
      };
    });
  }
}
