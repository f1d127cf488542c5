/**
 * What is asked of the run summaries: who owes something, which runs there are, which one was meant.
 *
 * 1. Pages follow the moment of the start and the id, which never change, so runs that come meanwhile shift nothing.
 * 2. Whoever owes is read page by page: all runs are never in memory.
 */
import {
  EclError,
  type ColumnValues,
  type OwingRun,
  type ProjectedRow,
  type ProjectedRows,
  type RowCondition,
  type RunListQuery,
  type RunPage,
  type RunSummary,
} from 'ecl';
import {
  dueAtOf,
  errorOf,
  isBusy,
  isOwing,
  statusOf,
  waitingForOf,
  type Summary,
} from './run-summary.ts';

export const columns = {
  status: 'text',
  workflow: 'text',
  tenant: 'text',
  parent: 'text',
  /** When it was started, then its id: unique, and the order of lists. */
  byStart: 'text',
  /** 1, or null when it owes nothing but an answer to a signal. */
  owing: 'integer',
  busy: 'integer',
  dueAt: 'integer',
  search: 'text',
} as const;

/** Lists are of roots unless they say otherwise, so the parent stands before the order. */
export const indexes = [
  ['owing', 'byStart'],
  ['parent', 'byStart'],
  ['status', 'parent', 'byStart'],
  ['workflow', 'parent', 'byStart'],
  ['tenant', 'parent', 'byStart'],
  ['byStart'],
] as const;

export const rowOf = (run: Summary, id: string): ColumnValues<typeof columns> => ({
  status: statusOf(run),
  workflow: run.identity.workflow,
  tenant: run.identity.tenant,
  parent: run.identity.parent ?? null,
  byStart: `${run.identity.startedAt} ${id}`,
  owing: isOwing(run) ? 1 : null,
  busy: isBusy(run) ? 1 : 0,
  dueAt: dueAtOf(run) ?? null,
  search: `${run.identity.input} ${run.end?.output ?? ''}`,
});

type Rows = ProjectedRows<Summary, typeof columns>;

const pageRows = 1_000;
const listDefault = 50;
const listMax = 1_000;
const beginningMax = 20;
const newestMax = 500;

function* owingRuns(rows: Rows): Generator<OwingRun> {
  for (let after = ''; ;) {
    const page = rows.query({
      where: [
        { column: 'owing', operator: '=', value: 1 },
        { column: 'byStart', operator: '>', value: after },
      ],
      orderBy: [{ column: 'byStart' }],
      limit: pageRows,
      bodies: false,
    });
    for (const { key, columns } of page) {
      yield { run: key, busy: columns.busy === 1, dueAt: columns.dueAt ?? undefined };
      after = columns.byStart ?? after;
    }
    if (page.length < pageRows) return;
  }
}

const summaryOf = ({ key, context: run }: ProjectedRow<Summary, typeof columns>): RunSummary => {
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
    ...(parent === undefined ? {} : { parent }),
    ...(error === undefined ? {} : { error }),
    ...(module === undefined ? {} : { module }),
  };
};

const encodeCursor = (place: string): string => Buffer.from(place).toString('base64url');

/** @throws EclError `usage.invalid` */
const decodeCursor = (cursor: string): string => {
  const place = Buffer.from(cursor, 'base64url').toString('utf8');
  if (encodeCursor(place) === cursor && place.includes(' ')) return place;
  throw new EclError('usage.invalid', { reason: `"${cursor}" is not a cursor of a list of runs` });
};

const conditionsOf = (query: RunListQuery): RowCondition[] => {
  const { parent, children = false, cursor } = query;
  const where: RowCondition[] = [];
  for (const column of ['status', 'workflow', 'tenant'] as const) {
    const value = query[column];
    if (value !== undefined) where.push({ column, operator: '=', value });
  }
  if (parent !== undefined) where.push({ column: 'parent', operator: '=', value: parent });
  else if (!children) where.push({ column: 'parent', operator: 'is-null' });
  if (cursor !== undefined) {
    where.push({ column: 'byStart', operator: '<', value: decodeCursor(cursor) });
  }
  return where;
};

const listRuns = (rows: Rows, query: RunListQuery): RunPage => {
  const limit = Math.min(Math.max(1, Math.trunc(query.limit ?? listDefault)), listMax);
  const found = rows.query({
    where: conditionsOf(query),
    orderBy: [{ column: 'byStart', descending: true }],
    limit: limit + 1,
  });
  const items = found.slice(0, limit);
  const last = items.at(-1)?.columns.byStart;
  return {
    items: items.map(summaryOf),
    ...(found.length > limit && typeof last === 'string' ? { nextCursor: encodeCursor(last) } : {}),
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
    rows.query({
      where: [...where, family],
      orderBy: [{ column: 'byStart', descending: true }],
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
  /** Ids that might have been meant: those that begin so, and the newest ones around. */
  candidates: (id: string): string[] => candidateIds(rows, id),
  /** All that is kept of a run. */
  details: (id: string): Summary | undefined => rows.get(id)?.context,
  count: (where?: readonly RowCondition[]): number => rows.count(where),
});
