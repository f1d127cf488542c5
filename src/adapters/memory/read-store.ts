/**
 * Read models in memory: the reference for the others. Text compares by its UTF-16 code units here.
 */
import { EclError } from '../../core/errors.ts';
import type {
  ColumnValue,
  Condition,
  ReadModel,
  ReadModelChange,
  ReadModelDefinition,
  ReadStore,
  Row,
  RowQuery,
  RowTotals,
  RowTotalsQuery,
} from '../../ports/read-store.ts';

/** Makes an empty store of read models that lives as long as the process does. */
export const createMemoryReadStore = (): ReadStore => {
  const models = new Map<string, MemoryReadModel>();
  let isClosed = false;
  const checkOpen = (): void => {
    if (isClosed) throw new EclError('store.closed', { store: 'memory' });
  };
  return {
    open: (definition) => {
      checkOpen();
      const id = `${definition.name}@${definition.version}`;
      const model = models.get(id) ?? new MemoryReadModel(definition, checkOpen);
      models.set(id, model);
      return model;
    },
    older: (definition) => {
      checkOpen();
      return [...models.values()]
        .filter((model) => model.isOlderThan(definition))
        .toSorted((one, other) => other.version - one.version)[0];
    },
    close: () => {
      isClosed = true;
    },
  };
};

const refuse = (reason: string): never => {
  throw new EclError('usage.invalid', { reason });
};

/** What a table of a database could not be is refused here too. */
const checkDefinition = ({ name, version, columns }: ReadModelDefinition): void => {
  const names = Object.keys(columns).map((column) => column.toLowerCase());
  const isNamed = /^[a-z][a-z0-9-]{0,62}$/.test(name);
  const hasVersion = Number.isSafeInteger(version) && version >= 0;
  if (!isNamed || !hasVersion)
    refuse(`"${name}" ${version} is no name and version of a read model`);
  const isUnusable = (column: string): boolean =>
    !/^[a-z][a-z0-9_]{0,62}$/.test(column) || column === 'key' || column === 'body';
  const unusable = names.find(isUnusable);
  if (unusable !== undefined) refuse(`The read model ${name} cannot have the column "${unusable}"`);
  if (new Set(names).size < names.length) refuse(`The read model ${name} names a column twice`);
};

class MemoryReadModel implements ReadModel {
  readonly #definition: ReadModelDefinition;
  readonly #checkOpen: () => void;
  readonly #rows = new Map<string, Row>();
  #checkpoint: bigint | undefined;

  constructor(definition: ReadModelDefinition, checkOpen: () => void) {
    this.#definition = definition;
    this.#checkOpen = checkOpen;
    checkDefinition(definition);
    for (const column of [...definition.indexes.flat(), ...(definition.fixed ?? [])]) {
      this.#checkColumn(column);
    }
  }

  checkpoint(): bigint | undefined {
    this.#checkOpen();
    return this.#checkpoint;
  }

  get version(): number {
    return this.#definition.version;
  }

  isOlderThan(definition: ReadModelDefinition): boolean {
    const own = this.#definition;
    const shape = ({ name, columns, indexes, fixed }: ReadModelDefinition): string =>
      JSON.stringify([name, columns, indexes, fixed]);
    return own.version < definition.version && shape(own) === shape(definition);
  }

  commit(change: ReadModelChange): boolean {
    this.#checkOpen();
    const { expected = 'any' } = change;
    if (expected !== 'any' && expected !== (this.#checkpoint ?? 'none')) return false;
    for (const { columns } of change.rows)
      Object.keys(columns).forEach((one) => this.#checkColumn(one));
    for (const row of change.rows) this.#rows.set(row.key, this.#copyOf(row));
    for (const key of change.removed ?? []) this.#rows.delete(key);
    this.#checkpoint = change.checkpoint;
    return true;
  }

  get(key: string): Row | undefined {
    this.#checkOpen();
    return this.#rows.get(key);
  }

  bodies(keys: readonly string[]): (string | undefined)[] {
    this.#checkOpen();
    return keys.map((key) => this.#rows.get(key)?.body);
  }

  query(query: RowQuery = {}): Row[] {
    const { where = [], orderBy = [], limit = Infinity, offset = 0, bodies = true } = query;
    const order = [...orderBy, { column: 'key' }];
    for (const { column } of order) this.#checkColumn(column);
    const rows = this.#matching(where)
      .sort((one, other) => compareRows(one, other, order))
      .slice(offset, offset + limit);
    return bodies ? rows : rows.map((row) => ({ ...row, body: '' }));
  }

  count(where: readonly Condition[] = []): number {
    return this.#matching(where).length;
  }

  totals({ where = [], by = [], sum = [], max = [] }: RowTotalsQuery): RowTotals[] {
    for (const column of [...by, ...sum, ...max]) this.#checkColumn(column);
    const groups = new Map<string, Row[]>();
    const order = by.map((column) => ({ column }));
    for (const row of this.#matching(where).sort((one, other) => compareRows(one, other, order))) {
      const id = JSON.stringify(by.map((column) => valueOf(row, column)));
      groups.set(id, [...(groups.get(id) ?? []), row]);
    }
    return [...groups.values()].map((rows) => totalsOf(rows, { by, sum, max }));
  }

  reset(): void {
    this.#checkOpen();
    this.#rows.clear();
    this.#checkpoint = undefined;
  }

  #matching(where: readonly Condition[]): Row[] {
    this.#checkOpen();
    for (const { column } of where) this.#checkColumn(column);
    return [...this.#rows.values()].filter((row) => where.every((one) => holds(row, one)));
  }

  #checkColumn(column: string): void {
    if (column === 'key' || Object.hasOwn(this.#definition.columns, column)) return;
    refuse(`The read model ${this.#definition.name} has no column "${column}"`);
  }

  #copyOf({ key, columns, body }: Row): Row {
    const { fixed = [], columns: named } = this.#definition;
    const before = this.#rows.get(key);
    const values = Object.keys(named).map((name) => [
      name,
      (before !== undefined && fixed.includes(name) ? before : { columns }).columns[name] ?? null,
    ]);
    return Object.freeze({
      key,
      columns: Object.freeze(Object.fromEntries(values) as Row['columns']),
      body,
    });
  }
}

const valueOf = (row: Row, column: string): ColumnValue =>
  column === 'key' ? row.key : (row.columns[column] ?? null);

/** Nulls come first, then numbers, then text. */
const compare = (one: ColumnValue, other: ColumnValue): number => {
  const rank = (value: ColumnValue): number =>
    value === null ? 0 : typeof value === 'number' ? 1 : 2;
  if (rank(one) !== rank(other)) return rank(one) - rank(other);
  if (one === other || one === null || other === null) return 0;
  return one < other ? -1 : 1;
};

const compareRows = (
  one: Row,
  other: Row,
  order: readonly { readonly column: string; readonly descending?: boolean }[],
): number => {
  for (const { column, descending } of order) {
    const difference = compare(valueOf(one, column), valueOf(other, column));
    if (difference !== 0) return descending ? -difference : difference;
  }
  return 0;
};

const totalsOf = (
  rows: readonly Row[],
  { by, sum, max }: Required<Omit<RowTotalsQuery, 'where'>>,
): RowTotals => {
  const each = <Value>(names: readonly string[], of: (name: string) => Value) =>
    Object.fromEntries(names.map((name) => [name, of(name)]));
  const largest = (name: string): ColumnValue =>
    rows
      .map((row) => valueOf(row, name))
      .reduce((one, other) => (compare(one, other) < 0 ? other : one));
  return {
    by: each(by, (name) => valueOf(rows[0]!, name)),
    count: rows.length,
    sum: each(sum, (name) => rows.reduce((total, row) => total + Number(valueOf(row, name)), 0)),
    max: each(max, largest),
  };
};

const fold = (one: string): string => one.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** LIKE as SQLite has it: `%` and `_`, and ASCII letters in either case. */
const isLike = (text: string, pattern: string): boolean => {
  const source = fold(pattern)
    .replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  return new RegExp(`^${source}$`, 'su').test(fold(text));
};

const holds = (row: Row, { column, operator, value }: Condition): boolean => {
  const stored = valueOf(row, column);
  if (operator === 'is-null') return stored === null;
  if (operator === 'is-not-null') return stored !== null;
  if (stored === null) return false;
  if (operator === 'in') return Array.isArray(value) && value.includes(stored);
  if (value === undefined || value === null || typeof value === 'object') return false;
  const difference = compare(stored, value);
  switch (operator) {
    case '=':
      return difference === 0;
    case '!=':
      return difference !== 0;
    case '<':
      return difference < 0;
    case '<=':
      return difference <= 0;
    case '>':
      return difference > 0;
    case '>=':
      return difference >= 0;
    case 'like':
      return isLike(String(stored), String(value));
    case 'contains':
      return fold(String(stored)).includes(fold(String(value)));
    default:
      return refuse(`There is no operator "${operator as string}"`);
  }
};
