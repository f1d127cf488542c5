/**
 * The newest events of a store in memory, shared by all who follow it live.
 *
 * 1. It is bounded, in events and in bytes. Who has fallen behind it reads from the store until it is reached again,
 *    so a slow subscriber costs no memory, misses nothing and slows nobody else.
 * 2. Nothing is kept while nobody subscribes, nor what all who do have seen: what lives short is cheap to collect.
 * 3. A position is looked up and waited for without a pause between the two, so no wake-up is lost.
 */
import type { RecordedEvent } from '../../ports/event-store.ts';
import { Waiters } from '../../ports/waiters.ts';

/** How subscriptions learn what comes after the position they have reached. */
export interface Feed {
  reader(): FeedReader;
}

/** The place of one subscription in a feed. */
export interface FeedReader {
  /**
   * Events after `position` as far as they are at hand, or undefined when the store is to be asked. The reader has done
   * with all up to there.
   */
  after(position: number): readonly RecordedEvent[] | undefined;
  /** Resolves when there may be more, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface TailOptions {
  readonly eventsMax: number;
  readonly charactersMax: number;
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
  /** Positions that they have done with. */
  readonly #readers = new Set<{ reached: number }>();

  constructor(next: number, options: TailOptions) {
    this.#next = next;
    this.#options = options;
  }

  get isWatched(): boolean {
    return this.#readers.size > 0;
  }

  /** Events in memory. */
  get size(): number {
    return this.#events.length - this.#start;
  }

  /** Takes the events of a committed transaction, and the position that comes after them. */
  publish(events: readonly RecordedEvent[], next: number): void {
    if (this.isWatched) this.#keep(events);
    this.#next = next;
    this.#waiters.wake();
  }

  reader(): FeedReader {
    const place = { reached: -1 };
    this.#readers.add(place);
    return {
      after: (position) => {
        place.reached = position;
        return this.#after(position);
      },
      changed: (signal) => this.#waiters.wait(signal),
      close: () => this.#leave(place),
    };
  }

  #after(position: number): readonly RecordedEvent[] | undefined {
    if (position + 1 >= this.#next) return [];
    const index = this.#events.length - (this.#next - position - 1);
    return index < this.#start ? undefined : this.#events.slice(index);
  }

  #keep(events: readonly RecordedEvent[]): void {
    this.#forgetSeen();
    for (const event of events) {
      this.#events.push(event);
      this.#characters += event.data.length;
    }
    this.#trim();
  }

  #leave(place: { reached: number }): void {
    this.#readers.delete(place);
    if (!this.isWatched) this.#clear();
  }

  #clear(): void {
    this.#events = [];
    this.#start = 0;
    this.#characters = 0;
  }

  /** Drops what all readers have done with. */
  #forgetSeen(): void {
    let reached = Infinity;
    for (const reader of this.#readers) reached = Math.min(reached, reader.reached);
    const unseen = this.#next - 1 - reached;
    if (unseen <= 0) this.#clear();
    else this.#dropUntil(() => this.size <= unseen);
  }

  #trim(): void {
    const { eventsMax, charactersMax } = this.#options;
    this.#dropUntil(
      () => this.size === 0 || (this.size <= eventsMax && this.#characters <= charactersMax),
    );
    if (this.#start <= eventsMax) return;
    this.#events = this.#events.slice(this.#start);
    this.#start = 0;
  }

  #dropUntil(isEnough: () => boolean): void {
    while (!isEnough()) {
      this.#characters -= this.#events[this.#start]!.data.length;
      this.#start += 1;
    }
  }
}
