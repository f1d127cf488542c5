/**
 * The writing half of the store: what an append, a deletion or a change of metadata does inside a transaction.
 *
 * 1. Every method runs inside the transaction of a group, and refuses before it writes anything.
 * 2. What is remembered (heads, next ids) is as of the running transaction; a rollback makes it be read again.
 * 3. Rows that their stream no longer keeps are removed with the append that pushes them out; those of a deleted
 *    stream are still in the all-stream until the next start, as in KurrentDB until a scavenge.
 */
import { CheckFailed, EclError } from '../../core/errors.ts';
import type {
  Append,
  AppendResult,
  EventData,
  ExpectedRevision,
  StreamCheck,
} from '../../ports/event-store.ts';
import { AppendPlanner, wrongRevision } from './append-plan.ts';
import type { SqliteDatabase, SqliteStatement } from './driver.ts';
import type { EncodedAppend } from './row-format.ts';
import { integerOf } from './schema.ts';
import { HeadCache, headLoader, isDeleted, isVisible, type StreamHead } from './stream-heads.ts';

/** An append whose row is ready: what it was given must not change it any more. */
export interface PreparedAppend extends Append {
  readonly encoded: EncodedAppend;
}

/** Where an append was written. */
export interface RecordedPlace {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
}

/** Called with the events of each append that is written, in the order of their positions. */
export type OnAppend = (events: readonly EventData[], place: RecordedPlace) => void;

/** Streams remembered in each of two generations; about 200 bytes each. */
const headsMax = 16_384;

export class Writer {
  /** Whether the running transaction has written anything. */
  hasWritten = false;
  readonly #database: SqliteDatabase;
  readonly #onAppend: OnAppend;
  readonly #planner: AppendPlanner;
  readonly #heads = new HeadCache(headsMax);
  readonly #load: (name: string) => StreamHead | undefined;
  readonly #insertAppend: SqliteStatement;
  readonly #insertStream: SqliteStatement;
  readonly #setMaxCount: SqliteStatement;
  readonly #setTruncateBefore: SqliteStatement;
  readonly #removeTruncated: SqliteStatement;
  readonly #setPurge: SqliteStatement;
  #nextPosition = 1;
  #nextStreamId = 1;
  #isForgotten = false;

  constructor(database: SqliteDatabase, onAppend: OnAppend) {
    this.#database = database;
    this.#onAppend = onAppend;
    this.#planner = new AppendPlanner(database);
    this.#load = headLoader(database);
    this.#insertAppend = database.prepare('INSERT INTO appends VALUES (?, ?, ?, ?, ?, ?)');
    this.#insertStream = database.prepare('INSERT INTO streams (id, name) VALUES (?, ?)');
    this.#setMaxCount = database.prepare('UPDATE streams SET max_count = ? WHERE id = ?');
    this.#setTruncateBefore = database.prepare(
      'UPDATE streams SET truncate_before = ? WHERE id = ?',
    );
    this.#removeTruncated = database.prepare(
      'DELETE FROM appends WHERE stream = ? AND revision + count <= ?',
    );
    this.#setPurge = database.prepare('UPDATE streams SET purge = 1 WHERE id = ?');
    this.#recall();
  }

  /** Position that the next event gets. */
  get nextPosition(): number {
    return this.#nextPosition;
  }

  /** Before the first change of a transaction. */
  begin(): void {
    if (this.#isForgotten) this.#recall();
    this.hasWritten = false;
  }

  /** After a rollback: what is remembered was never stored. */
  forget(): void {
    this.#heads.clear();
    this.#isForgotten = true;
  }

  head(stream: string): StreamHead | undefined {
    const known = this.#heads.get(stream);
    if (known !== undefined) return known;
    const loaded = this.#load(stream);
    if (loaded !== undefined) this.#heads.set(loaded);
    return loaded;
  }

  /** @throws WrongExpectedRevision, CheckFailed, EclError `store.stream-deleted` */
  append(append: PreparedAppend, checks: readonly StreamCheck[]): AppendResult {
    const { stream, expectedRevision, events } = append;
    const head = this.head(stream);
    const repeated = this.#planner.plan(stream, head, expectedRevision, events);
    if (repeated !== undefined) return repeated;
    for (const check of checks) this.#verify(check);
    return this.#write(head ?? this.#createStream(stream), append);
  }

  /** All or none; either every one of them is a repetition or none may be. */
  appendAll(appends: readonly PreparedAppend[], checks: readonly StreamCheck[]): AppendResult[] {
    const repeated = appends.map(({ stream, expectedRevision, events }) =>
      this.#planner.plan(stream, this.head(stream), expectedRevision, events),
    );
    const written = repeated.filter((result) => result !== undefined);
    if (written.length === appends.length) return written;
    const mixed = repeated.findIndex((result) => result !== undefined);
    if (mixed >= 0) {
      const { stream, expectedRevision } = appends[mixed]!;
      throw wrongRevision(stream, this.head(stream), expectedRevision);
    }
    for (const check of checks) this.#verify(check);
    return appends.map((append) =>
      this.#write(this.head(append.stream) ?? this.#createStream(append.stream), append),
    );
  }

  setMaxCount(stream: string, maxCount: number | undefined): void {
    const head = this.head(stream) ?? this.#createStream(stream);
    this.#setMaxCount.run(maxCount ?? null, head.id);
    head.maxCount = maxCount;
    this.#truncate(head);
    this.hasWritten = true;
  }

  /** @throws WrongExpectedRevision, EclError `store.stream-deleted` */
  deleteStream(stream: string, expected: ExpectedRevision): void {
    const head = this.head(stream);
    if (head === undefined || head.last < 0) throw wrongRevision(stream, head, expected);
    if (expected === 'stream-exists' && isDeleted(head)) {
      throw new EclError('store.stream-deleted', { stream });
    }
    const isWrong =
      expected === 'no-stream'
        ? isVisible(head)
        : Number.isInteger(expected) && expected !== head.last;
    if (isWrong) throw wrongRevision(stream, head, expected);
    this.#moveMarker(head, head.last + 1);
    this.#setPurge.run(head.id);
  }

  #verify({ stream, revision }: StreamCheck): void {
    const last = this.head(stream)?.last ?? -1;
    if (last === revision) return;
    throw new CheckFailed({ stream, expected: revision, actual: last < 0 ? 'no-stream' : last });
  }

  #recall(): void {
    this.#heads.clear();
    this.#nextPosition = integerOf(
      this.#database,
      `SELECT MAX(floor, IFNULL(
         (SELECT position + count FROM appends ORDER BY position DESC LIMIT 1), 0)) FROM next_position`,
    );
    this.#nextStreamId = 1 + integerOf(this.#database, 'SELECT IFNULL(MAX(id), 0) FROM streams');
    this.#isForgotten = false;
  }

  #write(head: StreamHead, { events, encoded }: PreparedAppend): AppendResult {
    const position = this.#nextPosition;
    const revision = head.last + 1;
    const count = events.length;
    this.#insertAppend.run(position, head.id, revision, count, encoded.head, encoded.body);
    this.hasWritten = true;
    head.last += count;
    this.#nextPosition += count;
    if (head.maxCount !== undefined) this.#truncate(head);
    this.#onAppend(events, { stream: head.name, revision, position });
    return { revision: head.last, position: BigInt(position + count - 1) };
  }

  #createStream(name: string): StreamHead {
    const id = this.#nextStreamId;
    this.#insertStream.run(id, name);
    this.hasWritten = true;
    this.#nextStreamId += 1;
    const head = { id, name, last: -1, truncateBefore: 0, maxCount: undefined };
    this.#heads.set(head);
    return head;
  }

  /** Hides what exceeds `maxCount`, and removes the rows of which nothing is visible any more. */
  #truncate(head: StreamHead): void {
    if (head.maxCount === undefined || !isVisible(head)) return;
    const first = head.last - head.maxCount + 1;
    if (first <= head.truncateBefore) return;
    this.#moveMarker(head, first);
    this.#removeTruncated.run(head.id, first);
  }

  #moveMarker(head: StreamHead, truncateBefore: number): void {
    this.#setTruncateBefore.run(truncateBefore, head.id);
    this.hasWritten = true;
    head.truncateBefore = truncateBefore;
  }
}

/** Removes the rows of deleted streams; their positions and revisions are never given again. */
export const purgeDeletedStreams = (database: SqliteDatabase): void => {
  if (integerOf(database, 'SELECT COUNT(*) FROM streams WHERE purge = 1') === 0) return;
  database.exec(`
    BEGIN IMMEDIATE;
    UPDATE next_position SET floor = MAX(floor, IFNULL((SELECT MAX(position + count) FROM appends), 0));
    DELETE FROM appends WHERE stream IN (SELECT id FROM streams WHERE purge = 1)
      AND revision + count <= (SELECT truncate_before FROM streams WHERE id = appends.stream);
    UPDATE streams SET purge = 0 WHERE purge = 1;
    COMMIT;
  `);
};
