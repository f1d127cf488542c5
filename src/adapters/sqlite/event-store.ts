/**
 * The embedded event store: one SQLite database in a folder, one process that writes it, any number that read it.
 *
 * 1. A resolved append is on the disk: WAL with synchronous=FULL, set and read back when it is opened.
 * 2. One writer at a time, held by a lock that dies with its process; readers need no lock and write nothing.
 * 3. Everything that is asked for in one turn of the event loop is committed together.
 */
import { setMaxListeners } from 'node:events';
import { statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EclError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type {
  Append,
  AppendOptions,
  AppendResult,
  EventStore,
  ExpectedRevision,
  ReadAllOptions,
  ReadStreamOptions,
  RecordedEvent,
  StoreDescription,
  StoreFeatures,
  StreamMetadata,
  SubscribeOptions,
  SubscriptionItem,
} from '../../ports/event-store.ts';
import { checkExpectedRevision, checkMaxCount, checkStream } from '../../ports/append-check.ts';
import { eventDatabasePath, readDurability, ReadConnection } from './connection.ts';
import { driverName, openDatabase, type OpenDatabase, type SqliteDatabase } from './driver.ts';
import { readFailure } from './errors.ts';
import { lockHolder } from './lock.ts';
import { refuseFile } from './private-files.ts';
import { PollingFeed } from './polling-feed.ts';
import { BatchSize, Reading, type Batch } from './reading.ts';
import { formatVersion } from './schema.ts';
import type { StreamHead } from './stream-heads.ts';
import { subscription } from './subscription.ts';
import type { Feed } from './tail.ts';
import { openWriteSide, type WriteSide } from './write-side.ts';

export interface SqliteEventStoreOptions {
  /** Holds `events.db`; a writer makes it. */
  readonly folder: string;
  /** @default 'write' */
  readonly access?: 'write' | 'read';
  /** How often the subscriptions of a reader look for new events. @default 100 */
  readonly pollIntervalMs?: number;
  /** Events that are kept in memory for subscribers. @default limits.subscriberBufferMax */
  readonly subscriberBufferMax?: number;
  /** @default the driver that this Node has */
  readonly openDatabase?: OpenDatabase;
  /** Several ECLs of this process take part in it, as processes do in a store that they share. @default false */
  readonly shared?: boolean;
}

/**
 * Opens the store of a folder; a writer makes what is missing.
 *
 * @throws EclError `store.locked`, `store.not-durable`, `store.newer-format`, `store.unavailable`
 */
export const openSqliteEventStore = async (
  options: SqliteEventStoreOptions,
): Promise<EventStore> => {
  const { folder, access = 'write', pollIntervalMs = 100 } = options;
  const open = options.openDatabase ?? openDatabase;
  refuseFile(folder);
  if (access === 'write') {
    const buffer = options.subscriberBufferMax ?? limits.subscriberBufferMax;
    const writeSide = openWriteSide(folder, open, buffer);
    return new SqliteEventStore(options, writeSide, writeSide.feed);
  }
  const connection = new ReadConnection(folder, open);
  connection.get();
  return new SqliteEventStore(options, connection, new PollingFeed(pollIntervalMs));
};

class SqliteEventStore implements EventStore {
  readonly features: StoreFeatures;
  readonly #folder: string;
  readonly #side: WriteSide | ReadConnection;
  readonly #feed: Feed;
  readonly #closing = new AbortController();
  #reading: Reading | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: SqliteEventStoreOptions, side: WriteSide | ReadConnection, feed: Feed) {
    this.#folder = options.folder;
    this.features = { checks: true, shared: options.shared ?? false };
    // One for each subscription.
    setMaxListeners(0, this.#closing.signal);
    this.#side = side;
    this.#feed = feed;
  }

  async append(append: Append, options?: AppendOptions): Promise<AppendResult> {
    return this.#writeSide().append(append, options);
  }

  async appendAll(appends: readonly Append[], options?: AppendOptions): Promise<AppendResult[]> {
    const side = this.#writeSide();
    return appends.length === 0 ? [] : side.appendAll(appends, options);
  }

  async *readStream(
    stream: string,
    { from, direction = 'forwards', limit = Infinity }: ReadStreamOptions = {},
  ): AsyncGenerator<RecordedEvent> {
    const size = new BatchSize(limit);
    let next = from ?? (direction === 'backwards' ? Number.MAX_SAFE_INTEGER : 0);
    for (let left = limit; left > 0; await nextTurn()) {
      const batch = this.#read({ stream, revision: next }, (reading) => {
        const head = this.#head(reading, stream);
        return head && reading.streamBatch(head, next, direction, size);
      });
      for (const event of batch?.events ?? []) {
        yield event;
        left -= 1;
        if (left <= 0) return;
      }
      if (batch === undefined || batch.isLast) return;
      next = batch.next;
    }
  }

  async lastRevision(stream: string): Promise<number | undefined> {
    const head = this.#read({ stream, revision: 'last' }, (reading) => this.#head(reading, stream));
    return head !== undefined && head.last >= head.truncateBefore ? head.last : undefined;
  }

  async *readAll({
    from,
    direction = 'forwards',
    limit = Infinity,
    filter = {},
  }: ReadAllOptions = {}): AsyncGenerator<RecordedEvent> {
    const size = new BatchSize(limit);
    let next =
      from === undefined ? (direction === 'backwards' ? Number.MAX_SAFE_INTEGER : 0) : Number(from);
    for (let left = limit; left > 0; await nextTurn()) {
      const batch = this.#read({ stream: '$all', revision: next }, (reading) =>
        reading.allBatch(next, direction, filter, size),
      );
      for (const event of batch?.events ?? []) {
        yield event;
        left -= 1;
        if (left <= 0) return;
      }
      if (batch === undefined || batch.isLast) return;
      next = batch.next;
    }
  }

  async lastPosition(): Promise<bigint | undefined> {
    const position = this.#lastPosition();
    return position === undefined ? undefined : BigInt(position);
  }

  subscribe({
    from = 'start',
    filter = {},
    signal,
  }: SubscribeOptions = {}): AsyncIterableIterator<SubscriptionItem> {
    this.#checkOpen();
    const size = new BatchSize();
    const after =
      from === 'start' ? 0 : from === 'end' ? (this.#lastPosition() ?? 0) : Number(from);
    const source = {
      feed: this.#feed,
      readBatch: (position: number): Batch =>
        this.#read({ stream: '$all', revision: position }, (reading) =>
          reading.allBatch(position, 'forwards', filter, size),
        ) ?? { events: [], next: position, isLast: true },
      lastPosition: () => this.#lastPosition(),
    };
    return subscription(source, { after, filter }, [signal, this.#closing.signal]);
  }

  async streamMetadata(stream: string): Promise<StreamMetadata> {
    const head = this.#read({ stream, revision: 'last' }, (reading) => this.#head(reading, stream));
    return head?.maxCount === undefined ? {} : { maxCount: head.maxCount };
  }

  async setStreamMetadata(stream: string, { maxCount }: StreamMetadata): Promise<void> {
    const side = this.#writeSide();
    checkStream(stream);
    checkMaxCount(maxCount);
    return side.setMaxCount(stream, maxCount);
  }

  async deleteStream(stream: string, expectedRevision: ExpectedRevision): Promise<void> {
    const side = this.#writeSide();
    checkStream(stream);
    checkExpectedRevision(expectedRevision);
    return side.deleteStream(stream, expectedRevision);
  }

  async describe(): Promise<StoreDescription> {
    this.#checkOpen();
    const side = this.#side;
    const database = this.#database();
    const durability = database === undefined ? 'nothing is stored yet' : readDurability(database);
    const size = statSync(eventDatabasePath(this.#folder), { throwIfNoEntry: false })?.size ?? 0;
    const access =
      side instanceof ReadConnection
        ? { access: 'read' }
        : { access: 'write', commits: side.commits };
    const holder = lockHolder(this.#folder);
    return {
      kind: 'sqlite',
      location: this.#folder,
      durability,
      details: {
        ...access,
        driver: driverName(),
        format: formatVersion,
        bytes: size,
        ...(holder === undefined ? {} : { holder }),
      },
    };
  }

  close(): Promise<void> {
    this.#closing.abort();
    this.#reading = undefined;
    return (this.#closed ??= Promise.resolve(this.#side.close()));
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new EclError('store.closed', { store: this.#folder });
  }

  /** @throws EclError `store.closed`, `store.read-only` */
  #writeSide(): WriteSide {
    this.#checkOpen();
    if (!(this.#side instanceof ReadConnection)) return this.#side;
    throw new EclError('store.read-only', { store: this.#folder });
  }

  #database(): SqliteDatabase | undefined {
    return this.#side instanceof ReadConnection ? this.#side.get() : this.#side.database;
  }

  /** What `read` returns, or undefined as long as there is no database. `at` is what a damaged page is named by. */
  #read<T>(
    at: { stream: string; revision: number | string },
    read: (reading: Reading) => T,
  ): T | undefined {
    this.#checkOpen();
    try {
      const database = this.#database();
      if (database === undefined) return undefined;
      this.#reading ??= new Reading(database);
      return read(this.#reading);
    } catch (error) {
      throw readFailure(this.#folder, at, error);
    }
  }

  #head(reading: Reading, stream: string): StreamHead | undefined {
    return this.#side instanceof ReadConnection ? reading.head(stream) : this.#side.head(stream);
  }

  #lastPosition(): number | undefined {
    return this.#read({ stream: '$all', revision: 'last' }, (reading) => reading.lastPosition());
  }
}
