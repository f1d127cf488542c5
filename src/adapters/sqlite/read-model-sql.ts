/**
 * The SQL of one read model. Names come into it only after a check, values only as parameters.
 */
import { EclError } from '../../core/errors.ts';
import type { Condition, ReadModelDefinition, RowQuery } from '../../ports/read-store.ts';
import type { SqliteValue } from './driver.ts';

const namePattern = /^[a-z][a-z0-9-]{0,62}$/;
const columnPattern = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;
const ownColumns = ['key', 'body'];

const refuse = (reason: string): never => {
  throw new EclError('usage.invalid', { reason });
};

/** The name of the table. @throws EclError `usage.invalid` for a definition that cannot be a table */
export const modelTable = ({ name, version, columns, indexes }: ReadModelDefinition): string => {
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
  for (const column of indexes.flat()) {
    if (!Object.hasOwn(columns, column)) refuse(`The read model ${name} has no column "${column}"`);
  }
  return `${name.replaceAll('-', '_')}_v${version}`;
};

/** What a stored table is recognised by, beside its name and version. */
export const modelShape = ({ columns, indexes }: ReadModelDefinition): string =>
  JSON.stringify([columns, indexes]);

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
  const names = [...Object.keys(definition.columns), 'body'];
  const updates = names.map((name) => `${quote(name)} = excluded.${quote(name)}`);
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
