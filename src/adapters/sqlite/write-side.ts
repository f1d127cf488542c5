/**
 * What only the one writer of a folder has: the lock, the groups, and the feed of what was just committed.
 *
 * 1. An append is checked and encoded when it is asked for, and written when its group is.
 * 2. The feed hears of events after their COMMIT and before whoever appended them.
 * 3. The order of closing: what waits is committed, the database is closed, the lock is released.
 */
import { isEclError, type EclError } from '../../core/errors.ts';
import type {
  Append,
  AppendOptions,
  AppendResult,
  EventData,
  ExpectedRevision,
  RecordedEvent,
  StreamCheck,
} from '../../ports/event-store.ts';
import { checkAppend, checkAppends, checkChecks } from '../../ports/append-check.ts';
import { openForWriting } from './connection.ts';
import {
  closeWritten,
  type OpenDatabase,
  type SqliteDatabase,
  type SqliteStatement,
} from './driver.ts';
import { commitFailure, openFailure, unavailable } from './errors.ts';
import { GroupCommit, type FailedPhase, type Transaction } from './group-commit.ts';
import { acquireWriterLock, type WriterLock } from './lock.ts';
import { makePrivateFolder } from './private-files.ts';
import { encodeAppend } from './row-format.ts';
import type { StreamHead } from './stream-heads.ts';
import { Tail } from './tail.ts';
import { purgeDeletedStreams, Writer, type PreparedAppend, type RecordedPlace } from './writer.ts';

/** Text that is kept in memory for subscribers, in characters. */
const tailCharactersMax = 16 * 1024 * 1024;

const prepare = (append: Append): PreparedAppend => ({
  stream: append.stream,
  expectedRevision: append.expectedRevision,
  events: append.events.slice(),
  encoded: encodeAppend(append.events),
});

const noChecks: readonly StreamCheck[] = [];

const checksOf = (appends: readonly Append[], options?: AppendOptions): readonly StreamCheck[] => {
  if (options?.checks === undefined) return noChecks;
  const checks = options.checks.map(({ stream, revision }) => ({ stream, revision }));
  checkChecks(appends, checks);
  return checks;
};

interface WriteSideParts {
  readonly folder: string;
  readonly database: SqliteDatabase;
  readonly lock: WriterLock;
  readonly subscriberBufferMax: number;
}

/** @throws EclError `store.locked`, `store.not-durable`, `store.newer-format`, `store.damaged`, `store.unavailable` */
export const openWriteSide = (
  folder: string,
  open: OpenDatabase,
  subscriberBufferMax: number,
): WriteSide => {
  let lock: WriterLock | undefined;
  let database: SqliteDatabase | undefined;
  try {
    makePrivateFolder(folder);
    lock = acquireWriterLock(folder, open);
    database = openForWriting(folder, open);
    purgeDeletedStreams(database);
    return new WriteSide({ folder, database, lock, subscriberBufferMax });
  } catch (error) {
    database?.close();
    lock?.release();
    throw openFailure(folder, error);
  }
};

export class WriteSide implements Transaction {
  readonly database: SqliteDatabase;
  readonly feed: Tail;
  /** Transactions that wrote something and were committed. */
  commits = 0;

  readonly #folder: string;
  readonly #lock: WriterLock;
  readonly #writer: Writer;
  readonly #group: GroupCommit;
  readonly #begin: SqliteStatement;
  readonly #commit: SqliteStatement;
  /** Events of the running transaction, collected only while somebody subscribes. */
  #written: RecordedEvent[] = [];

  constructor({ folder, database, lock, subscriberBufferMax }: WriteSideParts) {
    this.#folder = folder;
    this.#lock = lock;
    this.database = database;
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
    this.#writer = new Writer(database, (events, place) => this.#collect(events, place));
    this.#group = new GroupCommit(this);
    this.feed = new Tail(this.#writer.nextPosition, {
      eventsMax: subscriberBufferMax,
      charactersMax: tailCharactersMax,
    });
  }

  head(stream: string): StreamHead | undefined {
    return this.#writer.head(stream);
  }

  append(append: Append, options?: AppendOptions): Promise<AppendResult> {
    checkAppend(append);
    const checks = checksOf([append], options);
    const prepared = prepare(append);
    return this.#group.run(append.stream, () => this.#writer.append(prepared, checks));
  }

  appendAll(appends: readonly Append[], options?: AppendOptions): Promise<AppendResult[]> {
    checkAppends(appends);
    const checks = checksOf(appends, options);
    const prepared = appends.map(prepare);
    const names = appends.map(({ stream }) => stream).join(', ');
    return this.#group.run(names, () => this.#writer.appendAll(prepared, checks));
  }

  setMaxCount(stream: string, maxCount: number | undefined): Promise<void> {
    return this.#group.run(stream, () => this.#writer.setMaxCount(stream, maxCount));
  }

  deleteStream(stream: string, expected: ExpectedRevision): Promise<void> {
    return this.#group.run(stream, () => this.#writer.deleteStream(stream, expected));
  }

  async close(): Promise<void> {
    await this.#group.drained();
    try {
      closeWritten(this.database);
    } finally {
      this.#lock.release();
    }
  }

  begin(): void {
    this.#begin.run();
    this.#writer.begin();
  }

  commit(): void {
    this.#commit.run();
    if (this.#writer.hasWritten) this.commits += 1;
  }

  committed(): void {
    if (!this.#writer.hasWritten) return;
    this.feed.publish(this.#written, this.#writer.nextPosition);
    this.#written = [];
  }

  rollback(): void {
    this.#written = [];
    try {
      this.database.exec('ROLLBACK');
    } catch {
      // SQLite has already rolled back by itself, as it does after some errors.
    }
    this.#writer.forget();
  }

  failure(phase: FailedPhase, stream: string, error: unknown): EclError {
    if (phase === 'write' || isEclError(error)) return unavailable(this.#folder, error);
    return commitFailure(this.#folder, stream, error);
  }

  #collect(events: readonly EventData[], { stream, revision, position }: RecordedPlace): void {
    if (!this.feed.isWatched) return;
    for (const [index, { id, type, data, metadata }] of events.entries()) {
      this.#written.push({
        id,
        type,
        data,
        metadata,
        stream,
        revision: revision + index,
        position: BigInt(position + index),
      });
    }
  }
}
