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
  /** Milliseconds since 1970. */
  startedAt: 'integer',
  /** 1, or null when it owes nothing but an answer to a signal. */
  owing: 'integer',
  busy: 'integer',
  dueAt: 'integer',
  search: 'text',
} as const;

/** Lists are of roots unless they say otherwise, so the parent stands before the order. */
export const indexes = [
  ['owing', 'startedAt'],
  ['parent', 'startedAt'],
  ['status', 'parent', 'startedAt'],
  ['workflow', 'parent', 'startedAt'],
  ['tenant', 'parent', 'startedAt'],
  ['startedAt'],
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
  search: `${run.identity.input} ${run.end?.output ?? ''}`,
});

type Rows = ProjectedRows<Summary, typeof columns>;
type RunRow = ProjectedRow<Summary, typeof columns>;

const pageRows = 1_000;
const listDefault = 50;
const listMax = 1_000;
const beginningMax = 20;
const newestMax = 500;

/** Where a run stands in a list: by the moment of its start, then by its id. */
interface Place {
  readonly startedAt: number;
  readonly id: string;
}

const placeOf = ({ key, columns }: RunRow): Place => ({
  startedAt: columns.startedAt ?? 0,
  id: key,
});

interface Page {
  readonly where: readonly RowCondition[];
  readonly descending: boolean;
  readonly limit: number;
  readonly bodies?: boolean;
}

/** Rows in order, after a place in it: first those of the same moment, then the others. */
const pageAfter = (rows: Rows, { descending, ...page }: Page, place?: Place): RunRow[] => {
  const orderBy = ['startedAt', 'key'].map((column) => ({ column, descending }));
  if (place === undefined) return rows.query({ ...page, orderBy });
  const operator = descending ? '<' : '>';
  const among = (limit: number, ...conditions: RowCondition[]): RunRow[] =>
    limit <= 0
      ? []
      : rows.query({ ...page, orderBy, limit, where: [...page.where, ...conditions] });
  const same = among(
    page.limit,
    { column: 'startedAt', operator: '=', value: place.startedAt },
    { column: 'key', operator, value: place.id },
  );
  const others = among(page.limit - same.length, {
    column: 'startedAt',
    operator,
    value: place.startedAt,
  });
  return [...same, ...others];
};

function* owingRuns(rows: Rows): Generator<OwingRun> {
  const where: RowCondition[] = [{ column: 'owing', operator: '=', value: 1 }];
  const page = { where, descending: false, limit: pageRows, bodies: false };
  for (let place: Place | undefined; ;) {
    const found = pageAfter(rows, page, place);
    for (const { key, columns } of found) {
      yield { run: key, busy: columns.busy === 1, dueAt: columns.dueAt ?? undefined };
    }
    const last = found.at(-1);
    if (last === undefined || found.length < pageRows) return;
    place = placeOf(last);
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
    ...(parent === undefined ? {} : { parent }),
    ...(error === undefined ? {} : { error }),
    ...(module === undefined ? {} : { module }),
  };
};

const encodeCursor = ({ startedAt, id }: Place): string =>
  Buffer.from(`${startedAt} ${id}`).toString('base64url');

/** @throws EclError `usage.invalid` */
const decodeCursor = (cursor: string): Place => {
  const [startedAt, id] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  const place = { startedAt: Number(startedAt), id: id ?? '' };
  if (encodeCursor(place) === cursor && Number.isSafeInteger(place.startedAt)) return place;
  throw new EclError('usage.invalid', { reason: `"${cursor}" is not a cursor of a list of runs` });
};

const conditionsOf = (query: RunListQuery): RowCondition[] => {
  const { parent, children = false } = query;
  const where: RowCondition[] = [];
  for (const column of ['status', 'workflow', 'tenant'] as const) {
    const value = query[column];
    if (value !== undefined) where.push({ column, operator: '=', value });
  }
  if (parent !== undefined) where.push({ column: 'parent', operator: '=', value: parent });
  else if (!children) where.push({ column: 'parent', operator: 'is-null' });
  return where;
};

const listRuns = (rows: Rows, query: RunListQuery): RunPage => {
  const limit = Math.min(Math.max(1, Math.trunc(query.limit ?? listDefault) || 1), listMax);
  const found = pageAfter(
    rows,
    { where: conditionsOf(query), descending: true, limit: limit + 1 },
    query.cursor === undefined ? undefined : decodeCursor(query.cursor),
  );
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(summaryOf),
    ...(found.length > limit && last !== undefined
      ? { nextCursor: encodeCursor(placeOf(last)) }
      : {}),
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
  /** Ids that might have been meant: those that begin so, and the newest ones around. */
  candidates: (id: string): string[] => candidateIds(rows, id),
  /** All that is kept of a run. */
  details: (id: string): Summary | undefined => rows.get(id)?.context,
  count: (where?: readonly RowCondition[]): number => rows.count(where),
});
