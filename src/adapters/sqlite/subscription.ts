/**
 * A catch-up subscription: what is stored, then `caughtUp` once, then what comes.
 *
 * 1. The reader pulls; its place is one position, so it misses nothing, repeats nothing and fills no buffer of its own.
 * 2. What is at hand in memory is taken from there; who is further behind reads from the store.
 * 3. Between finding nothing more and waiting for more there is no pause in which something could come unnoticed.
 * 4. It ends without an error when the reader leaves, its signal aborts or the store closes.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventFilter, RecordedEvent, SubscriptionItem } from '../../ports/event-store.ts';
import type { Batch } from './reading.ts';
import type { Feed, FeedReader } from './tail.ts';

export interface SubscriptionSource {
  readonly feed: Feed;
  /** Events of the store from a position on; called again with the `next` of the answer. */
  readBatch(from: number): Batch;
  lastPosition(): number | undefined;
}

export interface Subscription {
  /** The position after which it starts. */
  readonly after: number;
  readonly filter: EventFilter;
}

const matches = (
  { stream, type }: RecordedEvent,
  { streamPrefixes, types }: EventFilter,
): boolean =>
  (streamPrefixes?.some((prefix) => stream.startsWith(prefix)) ?? true) &&
  (types?.includes(type) ?? true);

const found = (event: RecordedEvent): IteratorResult<SubscriptionItem> => ({
  done: false,
  value: { kind: 'event', event },
});

const none: Iterator<RecordedEvent> = [][Symbol.iterator]();

const ended: IteratorResult<SubscriptionItem> = { done: true, value: undefined };

/** An iterator by hand: an event that is at hand costs one promise, where a generator makes several. */
class Follower implements AsyncIterableIterator<SubscriptionItem> {
  readonly #source: SubscriptionSource;
  readonly #filter: EventFilter;
  readonly #reader: FeedReader;
  readonly #ending = new AbortController();
  readonly #endings: readonly (AbortSignal | undefined)[];
  #position: number;
  /** What the events at hand were read with; undefined when they came from memory. */
  #batch: Batch | undefined;
  #events: Iterator<RecordedEvent> = none;
  /** Whether any of those was taken. */
  #isFound = false;
  #isCaughtUp = false;
  /** Settles when no `next` looks for more. */
  #looking: Promise<unknown> | undefined;

  constructor(
    source: SubscriptionSource,
    { after, filter }: Subscription,
    endings: readonly (AbortSignal | undefined)[],
  ) {
    this.#source = source;
    this.#filter = filter;
    this.#position = after;
    this.#reader = source.feed.reader();
    this.#endings = endings;
    for (const signal of endings) signal?.addEventListener('abort', this.#end);
    if (endings.some((signal) => signal?.aborted)) this.#end();
  }

  next(): Promise<IteratorResult<SubscriptionItem>> {
    if (this.#looking !== undefined) return this.#looking.then(() => this.next());
    let event: RecordedEvent | undefined;
    try {
      event = this.#take();
    } catch (error) {
      this.#end();
      return Promise.reject(error);
    }
    return event === undefined ? this.#lookAlone() : Promise.resolve(found(event));
  }

  async return(): Promise<IteratorResult<SubscriptionItem>> {
    this.#end();
    return ended;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next event of those at hand that passes the filter. */
  #take(): RecordedEvent | undefined {
    while (!this.#isOver) {
      const { done, value } = this.#events.next();
      if (done === true) return undefined;
      this.#isFound = true;
      this.#position = Number(value.position);
      if (matches(value, this.#filter)) return value;
    }
    return undefined;
  }

  /** One after the other: whoever asks meanwhile asks again afterwards. */
  #lookAlone(): Promise<IteratorResult<SubscriptionItem>> {
    const looked = this.#look();
    const done = (): void => {
      this.#looking = undefined;
    };
    this.#looking = looked.then(done, done);
    return looked;
  }

  async #look(): Promise<IteratorResult<SubscriptionItem>> {
    try {
      while (!this.#isOver) {
        if (this.#batch?.isLast === false) await nextTurn();
        this.#fetch();
        const event = this.#take();
        if (event !== undefined) return found(event);
        // Whatever came while the reader was busy with what was found: look again before waiting.
        if (this.#isFound || this.#batch?.isLast === false) continue;
        if (this.#isCaughtUp) await this.#reader.changed(this.#ending.signal);
        else return { done: false, value: this.#caughtUp() };
      }
      return ended;
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  #fetch(): void {
    if (this.#batch !== undefined) this.#position = this.#batch.next - 1;
    const atHand = this.#reader.after(this.#position);
    this.#batch = atHand === undefined ? this.#source.readBatch(this.#position + 1) : undefined;
    this.#events = (atHand ?? this.#batch?.events ?? [])[Symbol.iterator]();
    this.#isFound = false;
  }

  #caughtUp(): SubscriptionItem {
    this.#isCaughtUp = true;
    const position = this.#source.lastPosition();
    return {
      kind: 'caughtUp',
      position: position === undefined ? undefined : BigInt(position),
    };
  }

  get #isOver(): boolean {
    return this.#ending.signal.aborted;
  }

  // Endings outlive many subscriptions, so none may stay behind on them.
  readonly #end = (): void => {
    for (const signal of this.#endings) signal?.removeEventListener('abort', this.#end);
    this.#ending.abort();
    this.#reader.close();
  };
}

/**
 * Follows a store.
 *
 * @param endings each of these ends it
 */
export const subscription = (
  source: SubscriptionSource,
  options: Subscription,
  endings: readonly (AbortSignal | undefined)[],
): AsyncIterableIterator<SubscriptionItem> => new Follower(source, options, endings);
