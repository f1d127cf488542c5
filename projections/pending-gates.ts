/**
 * Who waits for what, since when: runs that nothing moves but an event from outside.
 *
 * The rows are those of the run summaries, which hold all of it, so it costs no fold of its own and never says anything
 * else than `list` with the status `waiting`.
 */
import type {
  GatePage,
  GateQuery,
  PendingGate,
  ProjectedRow,
  ProjectedRows,
  RowCondition,
} from 'ecl';
import { decodeCursor, encodeCursor, limitOf, pageAfter, placeOf } from './pages.ts';
import type { columns } from './run-queries.ts';
import { dueAtOf, type Summary } from './run-summary.ts';

type Rows = ProjectedRows<Summary, typeof columns>;

const gateOf = ({ key, context: run }: ProjectedRow<Summary, typeof columns>): PendingGate => {
  const { tenant, workflow, parent } = run.identity;
  const dueAt = dueAtOf(run);
  return {
    run: key,
    tenant,
    workflow,
    state: run.state,
    events: run.accepts,
    since: run.stateSince,
    ...(dueAt === undefined ? {} : { dueAt: new Date(dueAt).toISOString() }),
    ...(parent === undefined ? {} : { parent }),
  };
};

export const pendingGates = (rows: Rows, query: GateQuery): GatePage => {
  const limit = limitOf(query.limit, 100);
  // Whoever does not wait has null here; asked for a number, the index leaves those out without a look at them.
  const where: RowCondition[] = [{ column: 'waitingSince', operator: '>=', value: 0 }];
  for (const column of ['workflow', 'tenant'] as const) {
    const value = query[column];
    if (value !== undefined) where.push({ column, operator: '=', value });
  }
  const page = { where, column: 'waitingSince', descending: false, limit: limit + 1 };
  const found = pageAfter(
    rows,
    page,
    query.cursor === undefined ? undefined : decodeCursor(query.cursor, 'a list of gates'),
  );
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(gateOf),
    ...(found.length > limit && last !== undefined
      ? { nextCursor: encodeCursor(placeOf(last, 'waitingSince')) }
      : {}),
  };
};
