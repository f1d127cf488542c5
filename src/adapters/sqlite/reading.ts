/**
 * Reading a stream and the all-stream, in batches.
 *
 * 1. A batch is read at once and no statement stays open after it, so appends and checkpoints go on between two.
 * 2. Neither a batch's rows nor its text grow with the result: where rows are large, the next batch has fewer.
 * 3. What is before a damaged row is delivered; the row itself names its stream and revision.
 * 4. A batch over the all-stream looks at a bounded stretch of positions, also when its filter finds nothing there.
 */
import type { Direction, EventFilter, RecordedEvent } from '../../ports/event-store.ts';
import type { SqliteDatabase, SqliteRow, SqliteStatement, SqliteValue } from './driver.ts';
import { decodeAppend } from './row-format.ts';
import { headLoader, type StreamHead } from './stream-heads.ts';

const rowsMin = 1;
const rowsMax = 256;
const rowsAtFirst = 16;
const charactersMax = 1024 * 1024;
/** Distinct shapes of filters whose statements are kept. */
const statementsMax = 200;
/** Positions that one batch of the all-stream looks at. */
const stretch = 20_000;

/** How many rows the next batch takes. */
export class BatchSize {
  rows: number;

  /** @param eventsWanted no more rows are read at first than events are asked for */
  constructor(eventsWanted = Infinity) {
    this.rows = Math.min(rowsAtFirst, Math.max(rowsMin, eventsWanted));
  }

  /** Learns from a batch how large its rows were. */
  observe(rows: readonly SqliteRow[]): void {
    let characters = 0;
    for (const row of rows) characters += String(row['body']).length;
    if (characters > charactersMax) this.rows = Math.max(rowsMin, this.rows >> 2);
    else this.rows = Math.min(rowsMax, this.rows * 2);
  }
}

export interface Batch {
  /** Decoded one by one, so that a damaged row fails only who reaches it. */
  readonly events: Iterable<RecordedEvent>;
  /** Where the next batch begins. */
  readonly next: number;
  /** Whether there was nothing more when the batch was read. */
  readonly isLast: boolean;
}

const decodeRow = (stream: string, row: SqliteRow): RecordedEvent[] =>
  decodeAppend(
    {
      stream,
      revision: Number(row['revision']),
      position: Number(row['position']),
      count: Number(row['count']),
    },
    { head: String(row['head']), body: String(row['body']) },
  );

function* decodeRows(
  rows: readonly SqliteRow[],
  direction: Direction,
  isWanted: (event: RecordedEvent) => boolean,
): Generator<RecordedEvent> {
  for (const row of rows) {
    const events = decodeRow(String(row['name']), row);
    if (direction === 'backwards') events.reverse();
    for (const event of events) if (isWanted(event)) yield event;
  }
}

/** The condition of a filter in SQL. Of types it only rules out rows: one row may hold several. */
const conditionOf = ({ streamPrefixes, types }: EventFilter): [string, SqliteValue[]] => {
  const parameters: SqliteValue[] = [];
  const anyOf = (conditions: readonly string[]): string =>
    `AND (${conditions.join(' OR ') || '0'})`;
  let sql = '';
  if (streamPrefixes !== undefined) {
    sql += anyOf(streamPrefixes.map(() => 'substr(name, 1, ?) = ?'));
    for (const prefix of streamPrefixes) parameters.push(Array.from(prefix).length, prefix);
  }
  if (types !== undefined) {
    sql += anyOf(types.map(() => 'instr(head, ?) > 0'));
    for (const type of types) parameters.push(JSON.stringify(type));
  }
  return [sql, parameters];
};

/** Reads from one connection; it holds prepared statements and nothing else. */
export class Reading {
  readonly head: (stream: string) => StreamHead | undefined;
  readonly #database: SqliteDatabase;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.head = headLoader(database);
  }

  /** Position of the newest event, or undefined in an empty store. */
  lastPosition(): number | undefined {
    const row = this.#get(
      'SELECT position + count - 1 AS last FROM appends ORDER BY position DESC LIMIT 1',
    );
    return row === undefined ? undefined : Number(row['last']);
  }

  /** Events of a stream from a revision on, of at most `size.rows` rows. */
  streamBatch(head: StreamHead, from: number, direction: Direction, size: BatchSize): Batch {
    const { id, name, truncateBefore } = head;
    const isBackwards = direction === 'backwards';
    const start = isBackwards ? from : Math.max(from, truncateBefore);
    const rows = this.#all(
      isBackwards
        ? 'SELECT *, ? AS name FROM appends WHERE stream = ? AND revision <= ? ORDER BY revision DESC LIMIT ?'
        : 'SELECT *, ? AS name FROM appends WHERE stream = ? AND revision >= ? ORDER BY revision LIMIT ?',
      [name, id, isBackwards ? start : this.#rowStart(id, start), size.rows],
    );
    const isFull = rows.length >= size.rows;
    size.observe(rows);
    const events = decodeRows(rows, direction, ({ revision }) =>
      isBackwards ? revision <= start && revision >= truncateBefore : revision >= start,
    );
    const first = Number(rows.at(-1)?.['revision'] ?? start);
    if (isBackwards) return { events, next: first - 1, isLast: !isFull || first <= truncateBefore };
    return { events, next: first + Number(rows.at(-1)?.['count'] ?? 0), isLast: !isFull };
  }

  /** Events of all streams from a position on, in a stretch of positions. */
  allBatch(from: number, direction: Direction, filter: EventFilter, size: BatchSize): Batch {
    const isBackwards = direction === 'backwards';
    // Asked for first: what another process commits after this question is left to the next batch.
    const newest = this.lastPosition() ?? 0;
    const start = isBackwards ? this.#atOrBefore(from) : this.#atOrAfter(from);
    if (start === undefined) return { events: [], next: from, isLast: true };
    const end = isBackwards ? (this.#atOrBefore(start - stretch) ?? 0) : start + stretch;
    const [condition, parameters] = conditionOf(filter);
    const rows = this.#all(
      `SELECT appends.*, name FROM appends CROSS JOIN streams ON streams.id = appends.stream
       WHERE position BETWEEN ? AND ? ${condition}
       ORDER BY position ${isBackwards ? 'DESC' : 'ASC'} LIMIT ?`,
      [Math.min(start, end), Math.max(start, end), ...parameters, size.rows],
    );
    const isFull = rows.length >= size.rows;
    size.observe(rows);
    const events = decodeRows(
      rows,
      direction,
      ({ position, type }) =>
        (isBackwards ? position <= from : position >= from) &&
        (filter.types?.includes(type) ?? true),
    );
    const lastStart = Number(rows.at(-1)?.['position'] ?? 0);
    if (isBackwards) {
      const next = (isFull ? lastStart : end) - 1;
      return { events, next, isLast: next < 1 };
    }
    // The last row may reach beyond the stretch, and the stretch beyond the last row of the store.
    const seen = Math.max(lastStart + Number(rows.at(-1)?.['count'] ?? 0) - 1, from - 1);
    if (isFull) return { events, next: seen + 1, isLast: false };
    return { events, next: Math.max(seen, Math.min(end, newest)) + 1, isLast: end >= newest };
  }

  /** Revision at which the row begins that holds a revision. */
  #rowStart(stream: number, revision: number): number {
    if (revision === 0) return 0;
    const row = this.#get(
      'SELECT MAX(revision) AS first FROM appends WHERE stream = ? AND revision <= ?',
      [stream, revision],
    );
    return Number(row?.['first'] ?? revision);
  }

  /** Position of the row that holds a position, or of the next one after it. */
  #atOrAfter(position: number): number | undefined {
    const holding = this.#get(
      'SELECT position, count FROM appends WHERE position <= ? ORDER BY position DESC LIMIT 1',
      [position],
    );
    if (holding !== undefined) {
      const first = Number(holding['position']);
      if (first + Number(holding['count']) > position) return first;
    }
    // The position itself too: another process may have appended there since the first question.
    const next = this.#get('SELECT MIN(position) AS first FROM appends WHERE position >= ?', [
      position,
    ]);
    return next?.['first'] == null ? undefined : Number(next['first']);
  }

  #atOrBefore(position: number): number | undefined {
    const row = this.#get('SELECT MAX(position) AS first FROM appends WHERE position <= ?', [
      position,
    ]);
    return row?.['first'] == null ? undefined : Number(row['first']);
  }

  #statement(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      if (this.#statements.size >= statementsMax) this.#statements.clear();
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #get(sql: string, parameters: readonly SqliteValue[] = []): SqliteRow | undefined {
    return this.#statement(sql).get(...parameters);
  }

  #all(sql: string, parameters: readonly SqliteValue[]): SqliteRow[] {
    return this.#statement(sql).all(...parameters);
  }
}
