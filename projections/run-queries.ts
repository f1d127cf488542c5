/**
 * What is asked of the run summaries: who owes something, which runs there are, how many, who waits, which one was meant.
 *
 * 1. Pages follow the moment of the start and the id, which never change, so runs that come meanwhile shift nothing.
 * 2. Whoever owes is read page by page: all runs are never in memory.
 */
import {
  EclError,
  type ColumnValues,
  type GatePage,
  type GateQuery,
  type OwingRun,
  type ProjectedRow,
  type ProjectedRows,
  type RowCondition,
  type RunListQuery,
  type RunPage,
  type RunStatus,
  type RunSummary,
  type StatusCounts,
} from 'ecl';
import { z } from 'zod';
import { decodeCursor, encodeCursor, limitOf, pageAfter, placeOf, type Place } from './pages.ts';
import { pendingGates } from './pending-gates.ts';
import {
  dueAtOf,
  errorOf,
  isBusy,
  isOwing,
  statusOf,
  waitingForOf,
  waitingSinceOf,
  type Summary,
} from './run-summary.ts';

export const columns = {
  status: 'text',
  workflow: 'text',
  tenant: 'text',
  parent: 'text',
  /** Milliseconds since 1970. */
  startedAt: 'integer',
  /** 1, or null when it owes nothing but an answer to a signal. */
  owing: 'integer',
  busy: 'integer',
  dueAt: 'integer',
  /** Since when it waits for an event from outside, in milliseconds; null when it does not. */
  waitingSince: 'integer',
  /** Each between two line ends, so that one is found whole. */
  tags: 'text',
  search: 'text',
} as const;

/** What never changes after the start: the indexes of these alone are written once a run. */
export const fixed = ['workflow', 'tenant', 'parent', 'startedAt'] as const;

/** Lists are of roots unless they say otherwise, so the parent stands before the order. */
export const indexes = [
  ['owing', 'startedAt'],
  ['parent', 'startedAt'],
  ['status', 'parent', 'startedAt'],
  ['workflow', 'parent', 'startedAt'],
  ['tenant', 'parent', 'startedAt'],
  ['startedAt'],
  ['waitingSince'],
] as const;

export const rowOf = (run: Summary): ColumnValues<typeof columns> => ({
  status: statusOf(run),
  workflow: run.identity.workflow,
  tenant: run.identity.tenant,
  parent: run.identity.parent ?? null,
  startedAt: Date.parse(run.identity.startedAt) || 0,
  owing: isOwing(run) ? 1 : null,
  busy: isBusy(run) ? 1 : 0,
  dueAt: dueAtOf(run) ?? null,
  waitingSince: waitingSinceOf(run) ?? null,
  tags: run.tags.length === 0 ? '' : `\n${run.tags.join('\n')}\n`,
  search: `${run.identity.input} ${run.end?.output ?? ''}`,
});

type Rows = ProjectedRows<Summary, typeof columns>;
type RunRow = ProjectedRow<Summary, typeof columns>;

const pageRows = 1_000;
const beginningMax = 20;
const newestMax = 500;

function* owingRuns(rows: Rows): Generator<OwingRun> {
  const where: RowCondition[] = [{ column: 'owing', operator: '=', value: 1 }];
  const page = {
    where,
    column: 'startedAt',
    descending: false,
    limit: pageRows,
    bodies: false,
  };
  for (let place: Place | undefined; ;) {
    const found = pageAfter(rows, page, place);
    for (const { key, columns } of found) {
      yield { run: key, busy: columns.busy === 1, dueAt: columns.dueAt ?? undefined };
    }
    const last = found.at(-1);
    if (last === undefined || found.length < pageRows) return;
    place = placeOf(last, 'startedAt');
  }
}

const summaryOf = ({ key, context: run }: RunRow): RunSummary => {
  const { tenant, workflow, version, structure, startedAt, parent, module } = run.identity;
  const error = errorOf(run);
  return {
    id: key,
    tenant,
    workflow,
    version,
    structure,
    status: statusOf(run),
    state: run.state,
    startedAt,
    updatedAt: run.updatedAt,
    ...(run.end === undefined ? {} : { endedAt: run.end.at }),
    revision: run.revision,
    waitingFor: waitingForOf(run),
    tags: run.tags,
    ...(parent === undefined ? {} : { parent }),
    ...(error === undefined ? {} : { error }),
    ...(module === undefined ? {} : { module }),
  };
};

/** A day that no month has is refused: `Date.parse` takes it for one of the next month. */
const isMoment = (text: string): boolean =>
  z.iso.date().safeParse(text.slice(0, 10)).success && /^(?:T|$)/.test(text.slice(10));

/** @throws EclError `usage.invalid` */
const momentOf = (name: string, text: string): number => {
  const at = Date.parse(text);
  if (Number.isFinite(at) && isMoment(text)) return at;
  const reason = `${name} "${text}" is no moment: write 2026-01-31 or 2026-01-31T12:00:00Z`;
  throw new EclError('usage.invalid', { reason });
};

const conditionsOf = (query: RunListQuery): RowCondition[] => {
  const { parent, children = false, since, until, tag, search } = query;
  const where: RowCondition[] = [];
  for (const column of ['status', 'workflow', 'tenant'] as const) {
    const value = query[column];
    if (value !== undefined) where.push({ column, operator: '=', value });
  }
  if (parent !== undefined) where.push({ column: 'parent', operator: '=', value: parent });
  else if (!children) where.push({ column: 'parent', operator: 'is-null' });
  if (since !== undefined) {
    where.push({ column: 'startedAt', operator: '>=', value: momentOf('since', since) });
  }
  if (until !== undefined) {
    where.push({ column: 'startedAt', operator: '<', value: momentOf('until', until) });
  }
  if (tag !== undefined) where.push({ column: 'tags', operator: 'contains', value: `\n${tag}\n` });
  if (search !== undefined && search !== '') {
    where.push({ column: 'search', operator: 'contains', value: search });
  }
  return where;
};

const statuses: readonly RunStatus[] = [
  'running',
  'waiting',
  'paused',
  'quarantined',
  'completed',
  'failed',
  'cancelled',
];

/** One status after the other: each is counted in its index alone, where a grouping would read the rows. */
const countRuns = (rows: Rows, query: RunListQuery): StatusCounts => {
  const where = conditionsOf(query).filter(({ column }) => column !== 'status');
  const counts = statuses.map((status): [RunStatus, number] => [
    status,
    rows.count([{ column: 'status', operator: '=', value: status }, ...where]),
  ]);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
};

const listRuns = (rows: Rows, query: RunListQuery): RunPage => {
  const limit = limitOf(query.limit, 50);
  const found = pageAfter(
    rows,
    {
      where: conditionsOf(query),
      column: 'startedAt',
      descending: true,
      limit: limit + 1,
    },
    query.cursor === undefined ? undefined : decodeCursor(query.cursor, 'a list of runs'),
  );
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(summaryOf),
    ...(found.length > limit && last !== undefined
      ? { nextCursor: encodeCursor(placeOf(last, 'startedAt')) }
      : {}),
    ...(query.counts === true ? { counts: countRuns(rows, query) } : {}),
  };
};

/** Those that begin so, and the newest of the same workflow, or else of all; a child's are its brothers. */
const candidateIds = (rows: Rows, id: string): string[] => {
  const beginning = rows.query({
    where: [
      { column: 'key', operator: '>=', value: id },
      { column: 'key', operator: '<', value: `${id}\uffff` },
    ],
    limit: beginningMax,
    bodies: false,
  });
  const [parent] = /^.+(?=~)/.exec(id) ?? [];
  const family: RowCondition =
    parent === undefined
      ? { column: 'parent', operator: 'is-null' }
      : { column: 'parent', operator: '=', value: parent };
  const newest = (where: RowCondition[]) =>
    pageAfter(rows, {
      where: [...where, family],
      column: 'startedAt',
      descending: true,
      limit: newestMax,
      bodies: false,
    });
  const workflow = id.split('.').at(-2);
  const alike =
    workflow === undefined ? [] : newest([{ column: 'workflow', operator: '=', value: workflow }]);
  const others = alike.length > 0 ? alike : newest([]);
  return [...new Set([...beginning, ...others].map(({ key }) => key))];
};

export const runQueries = (rows: Rows) => ({
  /** Every run that owes something but an answer to a signal, the oldest first. */
  owing: (): Iterable<OwingRun> => owingRuns(rows),
  /** Newest first. @throws EclError `usage.invalid` for a cursor that is none */
  list: (query: RunListQuery): RunPage => listRuns(rows, query),
  /** Who waits longest first. @throws EclError `usage.invalid` for a cursor that is none */
  gates: (query: GateQuery): GatePage => pendingGates(rows, query),
  /** Ids that might have been meant: those that begin so, and the newest ones around. */
  candidates: (id: string): string[] => candidateIds(rows, id),
  /** All that is kept of a run. */
  details: (id: string): Summary | undefined => rows.get(id)?.context,
  count: (where?: readonly RowCondition[]): number => rows.count(where),
});
