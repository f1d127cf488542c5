/**
 * The newest events of a store in memory, shared by all who follow it live.
 *
 * 1. It is bounded, in events and in bytes. Who has fallen behind it reads from the store until it is reached again,
 *    so a slow subscriber costs no memory, misses nothing and slows nobody else.
 * 2. Nothing is kept while nobody subscribes.
 * 3. A position is looked up and waited for without a pause between the two, so no wake-up is lost.
 */
import type { RecordedEvent } from '../../ports/event-store.ts';

/** How a subscription learns what comes after the position it has reached. */
export interface Feed {
  /** Events after `position` as far as they are at hand, or undefined when the store is to be asked. */
  after(position: number): readonly RecordedEvent[] | undefined;
  /** Resolves when there may be more, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void>;
  subscribed(): void;
  unsubscribed(): void;
}

export interface TailOptions {
  readonly eventsMax: number;
  readonly charactersMax: number;
}

/** Wakes whoever waits; nothing is remembered, so one looks first, then waits. */
export class Waiters {
  readonly #waiting = new Set<() => void>();

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}

export class Tail implements Feed {
  readonly #options: TailOptions;
  readonly #waiters = new Waiters();
  #events: RecordedEvent[] = [];
  /** Index in `#events` of the oldest event that is kept; what is before it is dropped in bulk. */
  #start = 0;
  #characters = 0;
  /** Position after the newest committed event. */
  #next: number;
  #subscribers = 0;

  constructor(next: number, options: TailOptions) {
    this.#next = next;
    this.#options = options;
  }

  get isWatched(): boolean {
    return this.#subscribers > 0;
  }

  /** Events in memory. */
  get size(): number {
    return this.#events.length - this.#start;
  }

  /** Takes the events of a committed transaction, and the position that comes after them. */
  publish(events: readonly RecordedEvent[], next: number): void {
    this.#next = next;
    if (!this.isWatched) return;
    for (const event of events) {
      this.#events.push(event);
      this.#characters += event.data.length;
    }
    this.#trim();
    this.#waiters.wake();
  }

  after(position: number): readonly RecordedEvent[] | undefined {
    if (position + 1 >= this.#next) return [];
    const index = this.#events.length - (this.#next - position - 1);
    return index < this.#start ? undefined : this.#events.slice(index);
  }

  changed(signal: AbortSignal): Promise<void> {
    return this.#waiters.wait(signal);
  }

  subscribed(): void {
    this.#subscribers += 1;
  }

  unsubscribed(): void {
    this.#subscribers -= 1;
    if (this.isWatched) return;
    this.#events = [];
    this.#start = 0;
    this.#characters = 0;
  }

  #trim(): void {
    const { eventsMax, charactersMax } = this.#options;
    while (this.size > eventsMax || (this.#characters > charactersMax && this.size > 0)) {
      this.#characters -= this.#events[this.#start]!.data.length;
      this.#start += 1;
    }
    if (this.#start <= eventsMax) return;
    this.#events = this.#events.slice(this.#start);
    this.#start = 0;
  }
}
