/**
 * The SQL of one read model. Names come into it only after a check, values only as parameters.
 */
import { EclError } from '../../core/errors.ts';
import type {
  Condition,
  ReadModelDefinition,
  RowQuery,
  RowTotalsQuery,
} from '../../ports/read-store.ts';
import type { SqliteValue } from './driver.ts';

const namePattern = /^[a-z][a-z0-9-]{0,62}$/;
const columnPattern = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;
const ownColumns = ['key', 'body'];

const refuse = (reason: string): never => {
  throw new EclError('usage.invalid', { reason });
};

/** The name of the table. @throws EclError `usage.invalid` for a definition that cannot be a table */
export const modelTable = (definition: ReadModelDefinition): string => {
  const { name, version, columns, indexes, fixed = [] } = definition;
  if (!namePattern.test(name)) refuse(`The read model "${name}" is not named in lower-case words`);
  if (!Number.isSafeInteger(version) || version < 0) {
    refuse(`The read model ${name} has no version "${version}"`);
  }
  const seen = new Set(ownColumns);
  for (const column of Object.keys(columns)) {
    // Names of columns are the same to SQLite in either case.
    const folded = column.toLowerCase();
    if (!columnPattern.test(column) || seen.has(folded)) {
      refuse(`The read model ${name} cannot have the column "${column}"`);
    }
    seen.add(folded);
  }
  for (const column of [...indexes.flat(), ...fixed]) {
    if (!Object.hasOwn(columns, column)) refuse(`The read model ${name} has no column "${column}"`);
  }
  return `${name.replaceAll('-', '_')}_v${version}`;
};

/** What a stored table is recognised by, beside its name and version. */
export const modelShape = ({ columns, indexes, fixed }: ReadModelDefinition): string =>
  JSON.stringify([columns, indexes, ...(fixed === undefined ? [] : [fixed])]);

const quote = (name: string): string => `"${name}"`;

export const createTable = (definition: ReadModelDefinition): string => {
  const table = modelTable(definition);
  const columns = Object.entries(definition.columns).map(
    ([name, type]) => `${quote(name)} ${type.toUpperCase()},`,
  );
  const indexes = definition.indexes.map(
    (index, number) =>
      `CREATE INDEX ${quote(`${table}_${number}`)} ON ${quote(table)} (${index.map(quote).join(', ')});`,
  );
  return `CREATE TABLE ${quote(table)} (key TEXT PRIMARY KEY, ${columns.join(' ')} body TEXT NOT NULL) STRICT;
    ${indexes.join('\n')}`;
};

export const upsertRow = (definition: ReadModelDefinition): string => {
  const { columns, fixed = [] } = definition;
  const names = [...Object.keys(columns), 'body'];
  const updates = names
    .filter((name) => !fixed.includes(name))
    .map((name) => `${quote(name)} = excluded.${quote(name)}`);
  return `INSERT INTO ${quote(modelTable(definition))} (key, ${names.map(quote).join(', ')})
    VALUES (?${', ?'.repeat(names.length)})
    ON CONFLICT (key) DO UPDATE SET ${updates.join(', ')}`;
};

const sqlOperators = ['=', '!=', '<', '<=', '>', '>=', 'like'];

export interface Sql {
  readonly text: string;
  readonly parameters: SqliteValue[];
}

const checkColumn = (definition: ReadModelDefinition, column: string): string => {
  if (column !== 'key' && !Object.hasOwn(definition.columns, column)) {
    refuse(`The read model ${definition.name} has no column "${column}"`);
  }
  return quote(column);
};

const textOf = (value: Condition['value']): string | null =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : null;

const conditionSql = (
  definition: ReadModelDefinition,
  { column, operator, value }: Condition,
): Sql => {
  const name = checkColumn(definition, column);
  if (operator === 'is-null') return { text: `${name} IS NULL`, parameters: [] };
  if (operator === 'is-not-null') return { text: `${name} IS NOT NULL`, parameters: [] };
  if (operator === 'in') {
    const values = Array.isArray(value) ? (value as SqliteValue[]) : [];
    return { text: `${name} IN (${values.map(() => '?').join(', ')})`, parameters: values };
  }
  if (operator === 'contains') {
    return { text: `instr(lower(${name}), lower(?)) > 0`, parameters: [textOf(value)] };
  }
  if (!sqlOperators.includes(operator)) refuse(`There is no operator "${operator}"`);
  if (value === undefined || typeof value === 'object') {
    // A comparison with null holds for no row; `is-null` asks for it.
    return { text: '0', parameters: [] };
  }
  return { text: `${name} ${operator} ?`, parameters: [value] };
};

export const whereSql = (
  definition: ReadModelDefinition,
  conditions: readonly Condition[] = [],
): Sql => {
  const parts = conditions.map((condition) => conditionSql(definition, condition));
  const text = parts.length === 0 ? '' : `WHERE ${parts.map((part) => part.text).join(' AND ')}`;
  return { text, parameters: parts.flatMap((part) => part.parameters) };
};

export const selectSql = (definition: ReadModelDefinition, query: RowQuery): Sql => {
  const where = whereSql(definition, query.where);
  const order = (query.orderBy ?? []).map(
    ({ column, descending = false }) =>
      `${checkColumn(definition, column)} ${descending ? 'DESC' : 'ASC'}, `,
  );
  // The key comes last, so that equal rows keep their order from page to page.
  const names = ['key', ...Object.keys(definition.columns)].map(quote).join(', ');
  const selected = query.bodies === false ? `${names}, '' AS body` : '*';
  const text = `SELECT ${selected} FROM ${quote(modelTable(definition))} ${where.text}
    ORDER BY ${order.join('')}key LIMIT ? OFFSET ?`;
  return { text, parameters: [...where.parameters, query.limit ?? -1, query.offset ?? 0] };
};

/** Columns come out as `by_0`, `sum_0`, `max_0`, in the order asked for. */
export const totalsSql = (
  definition: ReadModelDefinition,
  { where: conditions, by = [], sum = [], max = [] }: RowTotalsQuery,
): Sql => {
  const where = whereSql(definition, conditions);
  const named = (columns: readonly string[], as: string, of: (name: string) => string): string[] =>
    columns.map((column, at) => `${of(checkColumn(definition, column))} AS ${as}_${at}`);
  const selected = [
    'COUNT(*) AS count',
    ...named(by, 'by', (name) => name),
    ...named(sum, 'sum', (name) => `TOTAL(${name})`),
    ...named(max, 'max', (name) => `MAX(${name})`),
  ];
  const groups = by.map(quote).join(', ');
  const grouped = by.length === 0 ? 'HAVING COUNT(*) > 0' : `GROUP BY ${groups} ORDER BY ${groups}`;
  const text = `SELECT ${selected.join(', ')} FROM ${quote(modelTable(definition))} ${where.text} ${grouped}`;
  return { text, parameters: where.parameters };
};
