/**
 * The newest events in memory, shared by all who follow.
 *
 * 1. It holds every event after the place it begins behind, up to the last one; there are no gaps in it.
 * 2. It is bounded, in events and in characters: it begins later when it is full.
 */
import type { RecordedEvent } from '../../ports/event-store.ts';
import { Waiters } from '../../ports/waiters.ts';

export interface RecentEventsOptions {
  readonly eventsMax: number;
  readonly charactersMax: number;
}

export class RecentEvents {
  readonly #options: RecentEventsOptions;
  #events: RecordedEvent[] = [];
  /** Index of the oldest event that is kept; what is before it is dropped in bulk. */
  #start = 0;
  #characters = 0;
  #beginsAfter: bigint | undefined;
  readonly #waiters = new Waiters();

  constructor(options: RecentEventsOptions) {
    this.#options = options;
  }

  /** Position of the last event, or the place where it begins. */
  get reached(): bigint {
    return this.#events.at(-1)?.position ?? this.#beginsAfter ?? -1n;
  }

  /** The place behind which it holds everything, or undefined when it holds nothing yet. */
  get beginsAfter(): bigint | undefined {
    return this.#beginsAfter;
  }

  beginAfter(position: bigint): void {
    this.clear();
    this.#beginsAfter = position;
    this.#waiters.wake();
  }

  clear(): void {
    this.#events = [];
    this.#start = 0;
    this.#characters = 0;
    this.#beginsAfter = undefined;
  }

  /** An event that came before is passed over. */
  add(event: RecordedEvent): void {
    if (this.#beginsAfter === undefined || event.position <= this.reached) return;
    this.#events.push(event);
    this.#characters += event.data.length;
    this.#trim();
    this.#waiters.wake();
  }

  /** Events after a position, or undefined when they have to be read from the store. */
  after(position: bigint): readonly RecordedEvent[] | undefined {
    if (this.#beginsAfter === undefined || position < this.#beginsAfter) return undefined;
    let low = this.#start;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.position > position) high = middle;
      else low = middle + 1;
    }
    return this.#events.slice(low);
  }

  /** Resolves at the next change, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return this.#waiters.wait(signal);
  }

  #trim(): void {
    const { eventsMax, charactersMax } = this.#options;
    const size = (): number => this.#events.length - this.#start;
    while (size() > eventsMax || (this.#characters > charactersMax && size() > 1)) {
      const oldest = this.#events[this.#start]!;
      this.#characters -= oldest.data.length;
      this.#beginsAfter = oldest.position;
      this.#start += 1;
    }
    if (this.#start <= eventsMax) return;
    this.#events = this.#events.slice(this.#start);
    this.#start = 0;
  }
}
