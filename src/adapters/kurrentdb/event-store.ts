/**
 * The event store in a KurrentDB, over its official client: many processes may share it.
 *
 * 1. A resolved append is on the disks of a quorum of the server's nodes.
 * 2. Ready means that an append worked: a server that is alive may not take any yet.
 * 3. It never decides what happened: an append of unknown outcome is said to be one, and is repeated unchanged by its
 *    caller; the server knows it again.
 * 4. While the server is away, what can be waited for is waited for, for as long as patience lasts.
 */
import { EclError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import {
  checkAppend,
  checkAppends,
  checkChecks,
  checkExpectedRevision,
  checkMaxCount,
  checkStream,
} from '../../ports/append-check.ts';
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
  StreamCheck,
  StreamMetadata,
  SubscribeOptions,
  SubscriptionItem,
} from '../../ports/event-store.ts';
import { lastPosition, readAll } from './all-reading.ts';
import { Appending, prepare, type AppendFeatures } from './appending.ts';
import { parseConnectionString } from './connection-string.ts';
import { Connection, type Patience } from './connection.ts';
import { readFailure } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import { LiveFeed, type FeedTimes } from './live-feed.ts';
import { RecentEvents } from './recent-events.ts';
import { askServer, type Server } from './server.ts';
import { deleteStream, readMetadata, writeMetadata } from './stream-metadata.ts';
import { lastRevision, readStream } from './stream-reading.ts';
import { subscription } from './subscription.ts';

export interface KurrentDbEventStoreOptions {
  /** `kurrentdb://host:2113?tls=false`; with `+discover` or several hosts, a cluster. */
  readonly connectionString: string;
  /** @default 'write' */
  readonly access?: 'write' | 'read';
  /** How long a server that is not ready is waited for when the store is opened. @default 10 000 */
  readonly readyMs?: number;
  /** @default 5 s an answer, 15 s while the server is away */
  readonly patience?: Partial<Patience>;
  /** Events that are kept in memory for subscribers. @default limits.subscriberBufferMax */
  readonly subscriberBufferMax?: number;
  readonly feedTimes?: Partial<FeedTimes>;
  /** Features of the server that are left unused, as if it were older. @default none */
  readonly without?: readonly (keyof AppendFeatures)[];
}

const patienceDefault: Patience = { answerMs: 5_000, awayMs: 15_000 };
const bufferCharactersMax = 32 * 1024 * 1024;

/**
 * Opens the store of a server, once it takes appends.
 *
 * @throws EclError `store.unavailable`, `store.credentials`, `config.invalid`
 */
export const openKurrentDbEventStore = async (
  options: KurrentDbEventStoreOptions,
): Promise<EventStore> => {
  const { access = 'write', readyMs = 10_000 } = options;
  const patience = { ...patienceDefault, ...options.patience };
  const connectionString = parseConnectionString(options.connectionString);
  const connection = new Connection(connectionString, { ...patience, awayMs: readyMs });
  try {
    const offered = await askServer(connection, access);
    const unused = Object.fromEntries((options.without ?? []).map((name) => [name, false]));
    connection.patience = patience;
    return new KurrentDbEventStore(connection, { ...offered, ...unused }, options);
  } catch (error) {
    await connection.close();
    throw readFailure(connection.shown, '$all', error);
  }
};

class KurrentDbEventStore implements EventStore {
  readonly features: StoreFeatures;
  readonly #connection: Connection;
  readonly #server: Server;
  readonly #access: 'write' | 'read';
  readonly #appending: Appending;
  readonly #groups: GroupCommit;
  readonly #feed: LiveFeed;
  readonly #working = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(connection: Connection, server: Server, options: KurrentDbEventStoreOptions) {
    this.#connection = connection;
    this.#server = server;
    this.#access = options.access ?? 'write';
    this.#appending = new Appending(connection, server);
    this.#groups = new GroupCommit(this.#appending);
    const eventsMax = options.subscriberBufferMax ?? limits.subscriberBufferMax;
    const recent = new RecentEvents({ eventsMax, charactersMax: bufferCharactersMax });
    this.#feed = new LiveFeed(connection, recent, options.feedTimes);
    this.features = { checks: server.appendRecords, shared: true };
  }

  async append(append: Append, { checks = [] }: AppendOptions = {}): Promise<AppendResult> {
    this.#checkWritable();
    checkAppend(append);
    this.#checkChecks([append], checks);
    return this.#work(this.#groups.append(prepare(append), checks));
  }

  async appendAll(
    appends: readonly Append[],
    { checks = [] }: AppendOptions = {},
  ): Promise<AppendResult[]> {
    this.#checkWritable();
    checkAppends(appends);
    this.#checkChecks(appends, checks);
    if (appends.length === 0) return [];
    if (appends.length === 1) return [await this.append(appends[0]!, { checks })];
    const prepared = appends.map(prepare);
    if (!this.#server.appendRecords && !this.#server.appendSession) {
      return this.#work(this.#oneAfterTheOther(prepared));
    }
    return this.#work(this.#appending.manyPlaced(prepared, checks));
  }

  async *readStream(
    stream: string,
    options: ReadStreamOptions = {},
  ): AsyncGenerator<RecordedEvent> {
    this.#checkOpen();
    yield* this.#reading(stream, readStream(this.#connection, stream, options));
  }

  lastRevision(stream: string): Promise<number | undefined> {
    return this.#asking(stream, () => lastRevision(this.#connection, stream));
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent> {
    this.#checkOpen();
    yield* this.#reading('$all', readAll(this.#connection, options));
  }

  lastPosition(): Promise<bigint | undefined> {
    return this.#asking('$all', () => lastPosition(this.#connection));
  }

  subscribe({
    from = 'start',
    filter = {},
    signal,
  }: SubscribeOptions = {}): AsyncIterableIterator<SubscriptionItem> {
    this.#checkOpen();
    const source = { connection: this.#connection, feed: this.#feed };
    return subscription(source, { from, filter }, [signal, this.#connection.closing]);
  }

  streamMetadata(stream: string): Promise<StreamMetadata> {
    return this.#asking(stream, () => readMetadata(this.#connection, stream));
  }

  async setStreamMetadata(stream: string, metadata: StreamMetadata): Promise<void> {
    this.#checkWritable();
    checkStream(stream);
    checkMaxCount(metadata.maxCount);
    return this.#work(writeMetadata(this.#connection, stream, metadata));
  }

  async deleteStream(stream: string, expectedRevision: ExpectedRevision): Promise<void> {
    this.#checkWritable();
    checkStream(stream);
    checkExpectedRevision(expectedRevision);
    return this.#work(deleteStream(this.#connection, stream, expectedRevision));
  }

  async describe(): Promise<StoreDescription> {
    this.#checkOpen();
    const { version, appendRecords, appendSession } = this.#server;
    const has = (is: boolean): string => (is ? 'yes' : 'no');
    const last = await this.lastPosition();
    const { calls, appends } = this.#groups.counts;
    return {
      kind: 'kurrentdb',
      location: this.#connection.shown,
      durability: 'an append is acknowledged once a quorum of nodes has it',
      details: {
        access: this.#access,
        version,
        appendRecords: has(appendRecords),
        appendSession: has(appendSession),
        encrypted: has(this.#connection.isEncrypted),
        readyMs: Math.round(this.#server.readyMs),
        ...(last === undefined ? {} : { lastPosition: String(last) }),
        ...(calls === 0 ? {} : { calls, appends }),
      },
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#isClosing = true;
    // What is on its way is heard out, as long as its caller would wait.
    await Promise.allSettled(this.#working);
    await this.#connection.close();
  }

  #isClosing = false;

  #checkOpen(): void {
    if (this.#isClosing) throw new EclError('store.closed', { store: this.#connection.shown });
  }

  #checkWritable(): void {
    this.#checkOpen();
    if (this.#access === 'write') return;
    throw new EclError('store.read-only', { store: this.#connection.shown });
  }

  #checkChecks(appends: readonly Append[], checks: readonly StreamCheck[]): void {
    checkChecks(appends, checks);
    if (checks.length === 0 || this.features.checks) return;
    const reason = `KurrentDB ${this.#server.version} cannot check other streams with an append`;
    throw new EclError('usage.invalid', { reason });
  }

  #work<T>(work: Promise<T>): Promise<T> {
    this.#working.add(work);
    const done = (): void => void this.#working.delete(work);
    work.then(done, done);
    return work;
  }

  /** Servers without appends over several streams: what was stored of them stays, and the caller goes on behind it. */
  async #oneAfterTheOther(appends: readonly ReturnType<typeof prepare>[]): Promise<AppendResult[]> {
    const results: AppendResult[] = [];
    for (const append of appends) results.push(await this.#groups.append(append, []));
    return results;
  }

  async *#reading(
    stream: string,
    events: AsyncIterable<RecordedEvent>,
  ): AsyncGenerator<RecordedEvent> {
    try {
      for await (const event of events) {
        yield event;
        this.#checkOpen();
      }
    } catch (error) {
      throw readFailure(this.#connection.shown, stream, error);
    }
  }

  async #asking<T>(stream: string, ask: () => Promise<T>): Promise<T> {
    this.#checkOpen();
    try {
      return await ask();
    } catch (error) {
      throw readFailure(this.#connection.shown, stream, error);
    }
  }
}
