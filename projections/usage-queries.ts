/** What is asked of the usage of models: totals by any of its dimensions, of one run or of many. */
import {
  EclError,
  type ProjectedRows,
  type RowCondition,
  type RowTotals,
  type UsageDimension,
  type UsageQuery,
  type UsageReport,
  type UsageTotals,
} from 'ecl';

export const columns = {
  /** Null in the rows that sum up runs. */
  run: 'text',
  /** Empty in the rows that sum up runs. */
  root: 'text',
  tenant: 'text',
  workflow: 'text',
  step: 'text',
  model: 'text',
  day: 'text',
  calls: 'integer',
  errors: 'integer',
  inputTokens: 'integer',
  outputTokens: 'integer',
  cacheReadTokens: 'integer',
  cacheWriteTokens: 'integer',
  nanoUsd: 'integer',
  unpriced: 'integer',
  latencyMs: 'real',
  latencyMsMax: 'real',
} as const;

export const indexes = [['root']] as const;

/** Stands for the root in the rows that sum up runs. */
export const ofAllRuns = '';

type Rows = ProjectedRows<object, typeof columns>;

const nanoPerUsd = 1e9;

const summed = [
  'calls',
  'errors',
  'inputTokens',
  'outputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'nanoUsd',
  'unpriced',
  'latencyMs',
] as const;

type Group = Record<(typeof summed)[number] | 'latencyMsMax', number>;

const groupOf = ({ sum, max }: RowTotals): Group => ({
  ...(Object.fromEntries(summed.map((name) => [name, sum[name] ?? 0])) as Group),
  latencyMsMax: Number(max['latencyMsMax'] ?? 0),
});

const together = (one: Group | undefined, other: Group): Group => {
  if (one === undefined) return other;
  const both = { latencyMsMax: Math.max(one.latencyMsMax, other.latencyMsMax) } as Group;
  for (const name of summed) both[name] = one[name] + other[name];
  return both;
};

const noGroup = {
  ...(Object.fromEntries(summed.map((name) => [name, 0])) as Group),
  latencyMsMax: 0,
};

const totalsOf = ({ nanoUsd, ...group }: Group): UsageTotals => ({
  ...group,
  usd: nanoUsd / nanoPerUsd,
});

const dayPattern = /^\d{4}-\d{2}-\d{2}$/;

/** @throws EclError `usage.invalid` */
const dayOf = (name: string, text: string): string => {
  if (dayPattern.test(text)) return text;
  throw new EclError('usage.invalid', { reason: `${name} "${text}" is not a day: 2026-01-31` });
};

const conditionsOf = (query: UsageQuery, isOfRuns: boolean): RowCondition[] => {
  const { run, since, until } = query;
  const root: RowCondition =
    run === undefined
      ? { column: 'root', operator: isOfRuns ? '>' : '=', value: ofAllRuns }
      : { column: 'root', operator: '=', value: run.split('~')[0]! };
  const where = [root];
  for (const column of ['step', 'model', 'workflow', 'tenant'] as const) {
    const value = query[column];
    if (value !== undefined) where.push({ column, operator: '=', value });
  }
  if (since !== undefined) {
    where.push({ column: 'day', operator: '>=', value: dayOf('since', since) });
  }
  if (until !== undefined) {
    where.push({ column: 'day', operator: '<=', value: dayOf('until', until) });
  }
  return where;
};

const isOfFamily = (run: unknown, top: string): boolean =>
  run === top || String(run).startsWith(`${top}~`);

const usage = (rows: Rows, query: UsageQuery): UsageReport => {
  const { by = [], run } = query;
  const isOfRuns = run !== undefined || by.includes('run');
  const found = rows.totals({
    where: conditionsOf(query, isOfRuns),
    by: run === undefined ? by : [...new Set<UsageDimension>([...by, 'run'])],
    sum: summed,
    max: ['latencyMsMax'],
  });
  const groups = new Map<
    string,
    { names: Partial<Record<UsageDimension, string>>; group: Group }
  >();
  let total: Group = noGroup;
  for (const each of found) {
    if (run !== undefined && !isOfFamily(each.by['run'], run)) continue;
    const names = Object.fromEntries(by.map((name) => [name, String(each.by[name] ?? '')]));
    const id = JSON.stringify(Object.values(names));
    const group = together(groups.get(id)?.group, groupOf(each));
    groups.set(id, { names, group });
    total = together(total, groupOf(each));
  }
  return {
    items: Array.from(groups.values(), ({ names, group }) => ({ ...names, ...totalsOf(group) })),
    total: totalsOf(total),
  };
};

export const usageQueries = (rows: Rows) => ({
  /** @throws EclError `usage.invalid` for a day that is none */
  usage: (query: UsageQuery = {}): UsageReport => usage(rows, query),
});
