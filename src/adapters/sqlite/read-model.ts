/**
 * One read model: its table and its checkpoint.
 *
 * 1. A commit changes rows and checkpoint in one transaction.
 * 2. An older version stays until this one has folded as far as it had; the commit that gets there drops it. So
 *    another process that still reads the old one is not left with nothing while this one is rebuilt.
 * 3. A definition that changed under its version is made anew, empty, with its checkpoint forgotten. So is a table that
 *    a newer process has dropped.
 * 4. The expected checkpoint is compared inside the transaction, so of two processes that fold one wins each commit.
 */
import { EclError } from '../../core/errors.ts';
import type {
  ColumnValue,
  Condition,
  ReadModel,
  ReadModelChange,
  ReadModelDefinition,
  Row,
  RowQuery,
  RowTotals,
  RowTotalsQuery,
} from '../../ports/read-store.ts';
import type { SqliteDatabase, SqliteRow, SqliteStatement } from './driver.ts';
import {
  createTable,
  modelShape,
  modelTable,
  selectSql,
  totalsSql,
  upsertRow,
  whereSql,
} from './read-model-sql.ts';

/** What a model needs of the store that it belongs to. */
export interface ModelDatabase {
  readonly isReadOnly: boolean;
  database(): SqliteDatabase | undefined;
  run<T>(work: () => T): T;
  refuseWriting(): never;
}

interface Version {
  readonly version: number;
  readonly checkpoint: bigint | undefined;
}

/** Distinct shapes of queries whose statements are kept. */
const statementsMax = 200;

export class SqliteReadModel implements ReadModel {
  readonly #store: ModelDatabase;
  readonly #definition: ReadModelDefinition;
  readonly #table: string;
  readonly #shape: string;
  readonly #names: readonly string[];
  readonly #statements = new Map<string, SqliteStatement>();
  #older: readonly Version[] = [];
  #isThere = false;

  constructor(store: ModelDatabase, definition: ReadModelDefinition) {
    this.#store = store;
    this.#definition = definition;
    this.#table = modelTable(definition);
    this.#shape = modelShape(definition);
    this.#names = Object.keys(definition.columns);
    if (!store.isReadOnly) this.#makeTable();
  }

  checkpoint(): bigint | undefined {
    return this.#read(undefined, () => {
      const stored = this.#stored();
      if (stored === undefined && this.#isThere && !this.#store.isReadOnly) this.#makeTable();
      return toBigInt(stored?.['checkpoint']);
    });
  }

  commit(change: ReadModelChange): boolean {
    const { expected = 'any' } = change;
    return this.#write(() => {
      const stored = this.#stored();
      if (stored === undefined) return false;
      const checkpoint = toBigInt(stored['checkpoint']) ?? 'none';
      if (expected !== 'any' && expected !== checkpoint) return false;
      const upsert = this.#statement(upsertRow(this.#definition));
      for (const row of change.rows) upsert.run(...this.#valuesOf(row));
      if (change.removed !== undefined && change.removed.length > 0) {
        const remove = this.#statement(`DELETE FROM "${this.#table}" WHERE key = ?`);
        for (const key of change.removed) remove.run(key);
      }
      this.#statement('UPDATE models SET checkpoint = ? WHERE name = ? AND version = ?').run(
        String(change.checkpoint),
        ...this.#key(),
      );
      this.#dropOvertaken(change.checkpoint);
      return true;
    });
  }

  get(key: string): Row | undefined {
    return this.#read(undefined, () => {
      const row = this.#statement(`SELECT * FROM "${this.#table}" WHERE key = ?`).get(key);
      return row && this.#rowOf(row);
    });
  }

  bodies(keys: readonly string[]): (string | undefined)[] {
    const none = keys.map(() => undefined);
    return this.#read<(string | undefined)[]>(none, () => {
      const find = this.#statement(`SELECT body FROM "${this.#table}" WHERE key = ?`);
      // Without a transaction around them, each would take and leave the locks of a reader.
      const database = this.#database();
      database.exec('BEGIN');
      try {
        return keys.map((key) => find.get(key)?.['body'] as string | undefined);
      } finally {
        rollback(database);
      }
    });
  }

  query(query: RowQuery = {}): Row[] {
    const { text, parameters } = selectSql(this.#definition, query);
    return this.#read([], () =>
      this.#statement(text)
        .all(...parameters)
        .map((row) => this.#rowOf(row)),
    );
  }

  count(where?: readonly Condition[]): number {
    const { text, parameters } = whereSql(this.#definition, where);
    const sql = `SELECT COUNT(*) AS count FROM "${this.#table}" ${text}`;
    return this.#read(0, () => Number(this.#statement(sql).get(...parameters)?.['count']));
  }

  totals(query: RowTotalsQuery): RowTotals[] {
    const { text, parameters } = totalsSql(this.#definition, query);
    const named = <Value>(row: SqliteRow, as: string, columns: readonly string[] = []) =>
      Object.fromEntries(columns.map((column, at) => [column, row[`${as}_${at}`] as Value]));
    return this.#read([], () =>
      this.#statement(text)
        .all(...parameters)
        .map((row) => ({
          by: named<ColumnValue>(row, 'by', query.by),
          count: Number(row['count']),
          sum: named<number>(row, 'sum', query.sum),
          max: named<ColumnValue>(row, 'max', query.max),
        })),
    );
  }

  reset(): void {
    this.#write(() => {
      this.#statement(`DELETE FROM "${this.#table}"`).run();
      this.#statement('UPDATE models SET checkpoint = NULL WHERE name = ? AND version = ?').run(
        ...this.#key(),
      );
    });
  }

  #makeTable(): void {
    const { name, version } = this.#definition;
    this.#write((database) => {
      const [known] = this.#statement(
        'SELECT definition FROM models WHERE name = ? AND version = ?',
      ).all(name, version);
      if (known?.['definition'] !== this.#shape) {
        database.exec(`DROP TABLE IF EXISTS "${this.#table}"; ${createTable(this.#definition)}`);
        this.#statement('INSERT OR REPLACE INTO models VALUES (?, ?, ?, NULL)').run(
          name,
          version,
          this.#shape,
        );
      }
      this.#older = this.#statement(
        'SELECT version, checkpoint FROM models WHERE name = ? AND version < ?',
      )
        .all(name, version)
        .map((row) => ({
          version: Number(row['version']),
          checkpoint: toBigInt(row['checkpoint']),
        }));
      this.#dropOvertaken(this.checkpoint());
    });
    this.#isThere = true;
  }

  /** Drops the older versions that had folded no further than this one has now. */
  #dropOvertaken(checkpoint: bigint | undefined): void {
    if (this.#older.length === 0) return;
    const isOvertaken = ({ checkpoint: theirs }: Version): boolean =>
      theirs === undefined || (checkpoint !== undefined && theirs <= checkpoint);
    for (const { version } of this.#older.filter(isOvertaken)) {
      const table = modelTable({ ...this.#definition, version });
      this.#database().exec(`DROP TABLE IF EXISTS "${table}"`);
      this.#statement('DELETE FROM models WHERE name = ? AND version = ?').run(
        this.#definition.name,
        version,
      );
    }
    this.#older = this.#older.filter((older) => !isOvertaken(older));
  }

  #key(): [string, number] {
    return [this.#definition.name, this.#definition.version];
  }

  #valuesOf({ key, columns, body }: Row): (string | number | null)[] {
    const { name: model, columns: known } = this.#definition;
    for (const name of Object.keys(columns)) {
      if (Object.hasOwn(known, name)) continue;
      const reason = `The read model ${model} has no column "${name}"`;
      throw new EclError('usage.invalid', { reason });
    }
    const values: (string | number | null)[] = [key];
    for (const name of this.#names) values.push(columns[name] ?? null);
    values.push(body);
    return values;
  }

  #rowOf(row: SqliteRow): Row {
    const columns: Record<string, ColumnValue> = {};
    for (const name of this.#names) columns[name] = row[name] as ColumnValue;
    return { key: String(row['key']), columns, body: String(row['body']) };
  }

  /** The entry of this model, unless another process has dropped it. */
  #stored(): SqliteRow | undefined {
    return this.#statement('SELECT checkpoint FROM models WHERE name = ? AND version = ?').get(
      ...this.#key(),
    );
  }

  /** What `read` returns, or `otherwise` as long as a reader finds no such table. */
  #read<T>(otherwise: T, read: () => T): T {
    return this.#store.run(() => {
      const database = this.#store.database();
      if (database === undefined) return otherwise;
      if (!this.#isThere && this.#store.isReadOnly) {
        const known = database
          .prepare('SELECT 1 FROM models WHERE name = ? AND version = ? AND definition = ?')
          .get(...this.#key(), this.#shape);
        if (known === undefined) return otherwise;
        this.#isThere = true;
      }
      return read();
    });
  }

  #write<T>(write: (database: SqliteDatabase) => T): T {
    if (this.#store.isReadOnly) this.#store.refuseWriting();
    const older = this.#older;
    return this.#store.run(() => {
      const database = this.#database();
      database.exec('BEGIN IMMEDIATE');
      try {
        const result = write(database);
        database.exec('COMMIT');
        return result;
      } catch (error) {
        this.#older = older;
        rollback(database);
        throw error;
      }
    });
  }

  #database(): SqliteDatabase {
    return this.#store.database()!;
  }

  #statement(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      if (this.#statements.size >= statementsMax) this.#statements.clear();
      statement = this.#database().prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

const rollback = (database: SqliteDatabase): void => {
  try {
    database.exec('ROLLBACK');
  } catch {
    // SQLite has already rolled back by itself, as it does after some errors.
  }
};

const toBigInt = (value: unknown): bigint | undefined =>
  typeof value === 'string' ? BigInt(value) : undefined;
