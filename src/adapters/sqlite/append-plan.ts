/**
 * What becomes of an append, given where its stream ends: it is written, it is a repetition, or it is refused.
 *
 * 1. Planning changes nothing, so a refusal never needs to be undone.
 * 2. The current revision is met without a look at ids. Only an append that comes too late is compared with what is
 *    stored at its place: the same ids there mean that it is the retry of an append that succeeded.
 * 3. Without an exact revision a retry is recognised among the newest appends of the stream, as KurrentDB does from
 *    its memory: known by the first id, then all others must be known too, in any order.
 */
import { EclError, WrongExpectedRevision } from '../../core/errors.ts';
import type { AppendResult, EventData, ExpectedRevision } from '../../ports/event-store.ts';
import type { SqliteDatabase, SqliteRow, SqliteStatement } from './driver.ts';
import { decodeAppend } from './row-format.ts';
import { isDeleted, isVisible, type StreamHead } from './stream-heads.ts';

const repeatWindowAppends = 32;

export const wrongRevision = (
  stream: string,
  head: StreamHead | undefined,
  expected: ExpectedRevision,
): WrongExpectedRevision => {
  const actual = head !== undefined && head.last >= 0 ? head.last : 'no-stream';
  return new WrongExpectedRevision({ stream, expected, actual });
};

interface StoredId {
  readonly id: string;
  readonly answer: AppendResult;
}

const storedIds = (stream: string, row: SqliteRow): StoredId[] => {
  const place = {
    stream,
    revision: Number(row['revision']),
    position: Number(row['position']),
    count: Number(row['count']),
  };
  const events = decodeAppend(place, { head: String(row['head']), body: String(row['body']) });
  return events.map(({ id, revision, position }) => ({ id, answer: { revision, position } }));
};

export class AppendPlanner {
  readonly #between: SqliteStatement;
  readonly #newestWith: SqliteStatement;
  readonly #newest: SqliteStatement;

  constructor(database: SqliteDatabase) {
    this.#between = database.prepare(
      `SELECT * FROM appends WHERE stream = ? AND revision <= ? AND revision + count > ?
       ORDER BY revision`,
    );
    const newest = 'FROM appends WHERE stream = ? ORDER BY revision DESC LIMIT ?';
    this.#newest = database.prepare(`SELECT * ${newest}`);
    // The id or the hash that it comes from: both begin alike, and a row without it need not be read.
    this.#newestWith = database.prepare(
      `SELECT 1 FROM (SELECT head ${newest}) WHERE instr(head, ?) > 0 LIMIT 1`,
    );
  }

  /**
   * The first answer when the append is a repetition, or undefined when it is to be written.
   * @throws WrongExpectedRevision, EclError `store.stream-deleted`
   */
  plan(
    stream: string,
    head: StreamHead | undefined,
    expected: ExpectedRevision,
    events: readonly EventData[],
  ): AppendResult | undefined {
    if (head === undefined || head.last < 0) {
      if (expected === 'no-stream' || expected === 'any') return undefined;
      throw wrongRevision(stream, head, expected);
    }
    if (expected === head.last) return undefined;
    if (expected === 'any' || expected === 'stream-exists') {
      if (expected === 'stream-exists' && isDeleted(head)) {
        throw new EclError('store.stream-deleted', { stream });
      }
      return this.#repeatedAnywhere(head, expected, events);
    }
    const repeated = this.#repeatedAt(head, expected === 'no-stream' ? 0 : expected + 1, events);
    if (repeated !== undefined) return repeated;
    if (expected === 'no-stream' && !isVisible(head)) return undefined;
    throw wrongRevision(stream, head, expected);
  }

  #repeatedAt(
    head: StreamHead,
    revision: number,
    events: readonly EventData[],
  ): AppendResult | undefined {
    const last = revision + events.length - 1;
    const rows = this.#between.all(head.id, last, revision);
    const stored = rows
      .flatMap((row) => storedIds(head.name, row))
      .filter(({ answer }) => answer.revision >= revision && answer.revision <= last);
    const isSame =
      stored.length === events.length && stored.every(({ id }, index) => id === events[index]!.id);
    return isSame ? stored.at(-1)!.answer : undefined;
  }

  #repeatedAnywhere(
    head: StreamHead,
    expected: ExpectedRevision,
    events: readonly EventData[],
  ): AppendResult | undefined {
    const firstId = events[0]!.id;
    const start = firstId.slice(0, 8);
    if (this.#newestWith.get(head.id, repeatWindowAppends, start) === undefined) return undefined;
    const stored = new Map<string, AppendResult>();
    for (const row of this.#newest.all(head.id, repeatWindowAppends)) {
      // From the newest to the oldest: of two events with one id the older one answers.
      for (const { id, answer } of storedIds(head.name, row).toReversed()) stored.set(id, answer);
    }
    if (!stored.has(firstId)) return undefined;
    if (!events.every(({ id }) => stored.has(id))) throw wrongRevision(head.name, head, expected);
    return stored.get(events.at(-1)!.id);
  }
}
