/**
 * Pages of a timeline, read from rows of marks.
 *
 * 1. A page is read from a row before it (for causes and rounds) to the row where all that began on it has ended.
 * 2. The entries of one event are never torn apart, so that a cursor is a revision.
 */
import { EclError, type ProjectedRows, type TimelinePage, type TimelineQuery } from 'ecl';
import { limitOf } from './pages.ts';
import { wholeMarks, type StoredMark } from './run-marks.ts';
import { Assembly, type Entry } from './timeline-assembly.ts';

export const marksPerRow = 64;

const numberWidth = 8;
const firstNumber = '0'.repeat(numberWidth);

/** The rows of a run lie one after the other: no run id has a slash. */
export const timelineKey = (run: string, row: number): string =>
  `${run}/${row === 0 ? firstNumber : String(row).padStart(numberWidth, '0')}`;

/** Events of one append come one after the other, so the last answer is the next one more often than not. */
let known = { run: '', row: 0, key: '' };

/** The row that an event stands in. */
export const rowOf = ({ run, revision }: { run: string; revision: number }): string => {
  const row = Math.floor(revision / marksPerRow);
  if (known.run !== run || known.row !== row) known = { run, row, key: timelineKey(run, row) };
  return known.key;
};

interface Marks {
  readonly marks: readonly StoredMark[];
}

export const columns = {
  /** How many there are in the row. */
  marks: 'integer',
} as const;

type Rows = ProjectedRows<Marks, typeof columns>;

const rowsPerRead = 16;

/** The rows of a run from one on, some at a time. */
function* rowsFrom(rows: Rows, run: string, first: number): Generator<Marks> {
  // The character after the slash.
  const end = `${run}0`;
  for (let from = timelineKey(run, first); ;) {
    const found = rows.query({
      where: [
        { column: 'key', operator: '>=', value: from },
        { column: 'key', operator: '<', value: end },
      ],
      limit: rowsPerRead,
    });
    for (const row of found) yield row.context;
    const last = found.at(-1);
    if (last === undefined || found.length < rowsPerRead) return;
    from = `${last.key}\u0000`;
  }
}

const lastRow = (rows: Rows, run: string): Marks | undefined =>
  rows.query({
    where: [
      { column: 'key', operator: '>=', value: timelineKey(run, 0) },
      { column: 'key', operator: '<', value: `${run}0` },
    ],
    orderBy: [{ column: 'key', descending: true }],
    limit: 1,
  })[0]?.context;

const encodeCursor = (revision: number): string =>
  Buffer.from(`revision ${revision}`).toString('base64url');

/** @throws EclError `usage.invalid` */
const decodeCursor = (cursor: string): number => {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const revision = Number(/^revision (\d{1,15})$/.exec(text)?.[1] ?? NaN);
  if (Number.isSafeInteger(revision) && encodeCursor(revision) === cursor) return revision;
  throw new EclError('usage.invalid', { reason: `"${cursor}" is not a cursor of a timeline` });
};

/** As many entries as fit, cut where the next event begins. */
const cut = (entries: readonly Entry[], limit: number): readonly Entry[] => {
  if (entries.length <= limit) return entries;
  let end = limit;
  while (end > 0 && entries[end - 1]!.revision === entries[limit]!.revision) end -= 1;
  if (end > 0) return entries.slice(0, end);
  return entries.filter(({ revision }) => revision === entries[0]!.revision);
};

const endTypes = new Set(['RunCompleted', 'RunFailed', 'RunCancelled']);

/** A run's own entry ends with its last events, which are not worth reading all between for. */
const endOfRun = (rows: Rows, run: string, assembly: Assembly): void => {
  if (assembly.of('run', '') === undefined) return;
  const marks = wholeMarks(lastRow(rows, run)?.marks ?? []);
  const end = marks.find(({ type }) => endTypes.has(type));
  if (end !== undefined) assembly.take([end]);
};

const timeline = (rows: Rows, run: string, query: TimelineQuery): TimelinePage => {
  const limit = limitOf(query.limit, 100);
  const first = query.cursor === undefined ? 0 : decodeCursor(query.cursor);
  const row = Math.floor(first / marksPerRow);
  const assembly = new Assembly();
  const later = (): Entry[] => assembly.entries.filter(({ revision }) => revision >= first);
  const isOpen = ({ kind, endedAt }: Entry): boolean => kind !== 'run' && endedAt === undefined;
  let isCutShort = false;
  for (const { marks } of rowsFrom(rows, run, Math.max(0, row - 1))) {
    assembly.take(wholeMarks(marks));
    const found = later();
    if (found.length <= limit || cut(found, limit).some(isOpen)) continue;
    isCutShort = true;
    break;
  }
  if (isCutShort) endOfRun(rows, run, assembly);
  else assembly.finish();
  const found = later();
  const items = cut(found, limit);
  const next = found[items.length];
  return { items, ...(next === undefined ? {} : { nextCursor: encodeCursor(next.revision) }) };
};

export const timelineQueries = (rows: Rows) => ({
  /** @throws EclError `usage.invalid` for a cursor that is none */
  timeline: (run: string, query: TimelineQuery = {}): TimelinePage => timeline(rows, run, query),
});
