/**
 * The event store in memory: the reference that every other store is compared with. It is not durable.
 *
 * 1. A call takes effect at once, in the order of the calls; only its answer comes later.
 * 2. What is stored is a copy, frozen: whatever a caller does with its objects changes nothing here.
 * 3. Subscribers read from the one list of all events, each at its own place, so none can miss or repeat one.
 */
import { setMaxListeners } from 'node:events';
import { CheckFailed, EclError } from '../../core/errors.ts';
import type {
  Append,
  AppendOptions,
  AppendResult,
  EventFilter,
  EventStore,
  ExpectedRevision,
  ReadAllOptions,
  ReadStreamOptions,
  RecordedEvent,
  StoreDescription,
  StoreFeatures,
  StreamCheck,
  StreamMetadata,
  SubscribeOptions,
  SubscriptionItem,
} from '../../ports/event-store.ts';
import {
  checkAppends,
  checkChecks,
  checkExpectedRevision,
  checkMaxCount,
  checkStream,
} from '../../ports/append-check.ts';
import { storedMetadata } from '../../ports/event-metadata.ts';
import { Waiters } from '../../ports/waiters.ts';
import { endingWith, type Ending } from './ending.ts';
import { MemoryStream } from './memory-stream.ts';

export interface MemoryEventStoreOptions {
  /** What the store is called in descriptions and errors. @default 'memory' */
  readonly name?: string;
  /** Several ECLs take part in it, as processes do in a store that they share. @default false */
  readonly shared?: boolean;
}

/** Makes an empty store that lives as long as the process does. */
export const createMemoryEventStore = (options: MemoryEventStoreOptions = {}): EventStore =>
  new MemoryEventStore(options);

const matches = (event: RecordedEvent, filter: EventFilter = {}): boolean =>
  (filter.streamPrefixes?.some((prefix) => event.stream.startsWith(prefix)) ?? true) &&
  (filter.types?.includes(event.type) ?? true);

class MemoryEventStore implements EventStore {
  readonly features: StoreFeatures;
  readonly #name: string;
  readonly #streams = new Map<string, MemoryStream>();
  /** The event at index i has position i + 1; those that their stream no longer keeps are left out. */
  readonly #all: (RecordedEvent | undefined)[] = [];
  readonly #waiters = new Waiters();
  readonly #closing = new AbortController();

  constructor({ name = 'memory', shared = false }: MemoryEventStoreOptions) {
    this.#name = name;
    this.features = { checks: true, shared };
    // One for each subscription.
    setMaxListeners(0, this.#closing.signal);
  }

  async append(append: Append, options?: AppendOptions): Promise<AppendResult> {
    const [result] = await this.appendAll([append], options);
    return result!;
  }

  async appendAll(
    appends: readonly Append[],
    { checks = [] }: AppendOptions = {},
  ): Promise<AppendResult[]> {
    this.#checkOpen();
    checkAppends(appends);
    checkChecks(appends, checks);
    const streams = appends.map(
      ({ stream }) => this.#streams.get(stream) ?? new MemoryStream(stream),
    );
    const repeated = appends.map((append, index) => streams[index]!.plan(append));
    if (appends.length > 0 && !repeated.includes(undefined)) return repeated as AppendResult[];
    const mixed = repeated.findIndex((result) => result !== undefined);
    if (mixed >= 0) throw streams[mixed]!.wrong(appends[mixed]!.expectedRevision);
    checks.forEach((check) => this.#verify(check));
    const results = appends.map((append, index) => this.#write(streams[index]!, append));
    this.#waiters.wake();
    return results;
  }

  async *readStream(name: string, options: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent> {
    this.#checkOpen();
    const stream = this.#streams.get(name);
    if (stream === undefined) return;
    const backwards = options.direction === 'backwards';
    const from = options.from ?? (backwards ? stream.last : 0);
    let revision = backwards ? Math.min(from, stream.last) : from;
    for (let left = options.limit ?? Infinity; left > 0; left -= 1) {
      if (!backwards) revision = Math.max(revision, stream.truncateBefore);
      const event = revision < stream.truncateBefore ? undefined : stream.at(revision);
      if (event === undefined) return;
      yield event;
      this.#checkOpen();
      revision += backwards ? -1 : 1;
    }
  }

  async lastRevision(name: string): Promise<number | undefined> {
    this.#checkOpen();
    const stream = this.#streams.get(name);
    return stream?.isVisible ? stream.last : undefined;
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent> {
    this.#checkOpen();
    const backwards = options.direction === 'backwards';
    const step = backwards ? -1 : 1;
    const from = options.from === undefined ? undefined : Number(options.from) - 1;
    const end = this.#all.length - 1;
    let index = backwards ? Math.min(from ?? end, end) : Math.max(from ?? 0, 0);
    for (let left = options.limit ?? Infinity; left > 0; index += step) {
      if (index < 0 || index >= this.#all.length) return;
      const event = this.#all[index];
      if (event === undefined || !matches(event, options.filter)) continue;
      left -= 1;
      yield event;
      this.#checkOpen();
    }
  }

  async lastPosition(): Promise<bigint | undefined> {
    this.#checkOpen();
    return this.#lastPosition();
  }

  subscribe(options: SubscribeOptions = {}): AsyncIterableIterator<SubscriptionItem> {
    this.#checkOpen();
    const from = options.from ?? 'start';
    const after = from === 'start' ? 0 : from === 'end' ? this.#all.length : Number(from);
    const ending = endingWith([options.signal, this.#closing.signal]);
    const items = this.#follow(after, options.filter, ending);
    return {
      next: () => items.next(),
      return: () => {
        ending.end();
        return items.return(undefined);
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  async streamMetadata(name: string): Promise<StreamMetadata> {
    this.#checkOpen();
    const maxCount = this.#streams.get(name)?.maxCount;
    return maxCount === undefined ? {} : { maxCount };
  }

  async setStreamMetadata(name: string, { maxCount }: StreamMetadata): Promise<void> {
    this.#checkOpen();
    checkStream(name);
    checkMaxCount(maxCount);
    const stream = this.#streams.get(name) ?? new MemoryStream(name);
    this.#streams.set(name, stream);
    stream.maxCount = maxCount;
    this.#truncate(stream);
  }

  async deleteStream(name: string, expected: ExpectedRevision): Promise<void> {
    this.#checkOpen();
    checkStream(name);
    checkExpectedRevision(expected);
    const stream = this.#streams.get(name) ?? new MemoryStream(name);
    if (stream.last < 0) throw stream.wrong(expected);
    if (expected === 'no-stream' && !stream.isDeleted) throw stream.wrong(expected);
    if (expected === 'stream-exists' && stream.isDeleted) {
      throw new EclError('store.stream-deleted', { stream: name });
    }
    if (typeof expected === 'number' && expected !== stream.last) throw stream.wrong(expected);
    stream.truncateBefore = stream.last + 1;
  }

  async describe(): Promise<StoreDescription> {
    this.#checkOpen();
    return {
      kind: 'memory',
      location: this.#name,
      durability: 'none: it is lost with the process',
      details: { events: this.#all.length, streams: this.#streams.size },
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new EclError('store.closed', { store: this.#name });
  }

  #lastPosition(): bigint | undefined {
    return this.#all.findLast((event) => event !== undefined)?.position;
  }

  #verify({ stream, revision }: StreamCheck): void {
    const last = this.#streams.get(stream)?.last ?? -1;
    if (last === revision) return;
    throw new CheckFailed({ stream, expected: revision, actual: last < 0 ? 'no-stream' : last });
  }

  #write(stream: MemoryStream, append: Append): AppendResult {
    this.#streams.set(stream.name, stream);
    for (const { id, type, data, metadata } of append.events) {
      const event: RecordedEvent = Object.freeze({
        id,
        type,
        data,
        metadata: Object.freeze(storedMetadata(type, metadata)),
        stream: stream.name,
        revision: stream.last + 1,
        position: BigInt(this.#all.length + 1),
      });
      stream.events.push(event);
      this.#all.push(event);
    }
    this.#truncate(stream);
    return { revision: stream.last, position: BigInt(this.#all.length) };
  }

  /** A stream keeps its newest `maxCount` events; the others are gone for good. */
  #truncate(stream: MemoryStream): void {
    if (stream.maxCount === undefined || !stream.isVisible) return;
    const first = Math.max(stream.last - stream.maxCount + 1, stream.truncateBefore);
    for (const event of stream.events.splice(0, first - stream.base)) {
      this.#all[Number(event.position) - 1] = undefined;
    }
    stream.base = first;
    stream.truncateBefore = first;
  }

  async *#follow(
    after: number,
    filter: EventFilter | undefined,
    { signal, end }: Ending,
  ): AsyncGenerator<SubscriptionItem> {
    let caughtUp = false;
    try {
      for (let next = after; !signal.aborted;) {
        if (next < this.#all.length) {
          const event = this.#all[next];
          next += 1;
          if (event !== undefined && matches(event, filter)) yield { kind: 'event', event };
        } else if (caughtUp) {
          await this.#waiters.wait(signal);
        } else {
          caughtUp = true;
          yield { kind: 'caughtUp', position: this.#lastPosition() };
        }
      }
    } finally {
      end();
    }
  }
}
