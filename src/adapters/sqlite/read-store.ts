/**
 * Read models in SQLite: `read-models.db`, a table for each projection and version.
 *
 * 1. It is a cache. What cannot be used (a damaged file, another format, another definition) is thrown away, and the
 *    projections fold the events again.
 * 2. Rows and checkpoint are one transaction, so synchronous=NORMAL is enough: a power cut may take both back, not one.
 * 3. A reader writes nothing; a model that no writer has made yet is empty to it.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EclError } from '../../core/errors.ts';
import type { ReadModel, ReadModelDefinition, ReadStore } from '../../ports/read-store.ts';
import { closeWritten, openDatabase, type OpenDatabase, type SqliteDatabase } from './driver.ts';
import { resultCodeOf, resultCodes, unavailable } from './errors.ts';
import { makePrivateDatabaseFile, makePrivateFolder } from './private-files.ts';
import { SqliteReadModel, type ModelDatabase } from './read-model.ts';
import { modelShape, modelTable } from './read-model-sql.ts';
import { integerOf } from './schema.ts';

export interface SqliteReadStoreOptions {
  /** Holds `read-models.db`; a writer makes it. */
  readonly folder: string;
  /** @default 'write' */
  readonly access?: 'write' | 'read';
  /** @default the driver that this Node has */
  readonly openDatabase?: OpenDatabase;
}

const formatVersion = 1;
const busyTimeoutMs = 5_000;

const isDamage = (error: unknown): boolean => {
  const code = resultCodeOf(error);
  return code === resultCodes.corrupt || code === resultCodes.notADatabase;
};

const schema = `
CREATE TABLE models (
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  definition TEXT NOT NULL,
  checkpoint TEXT,
  PRIMARY KEY (name, version)
) STRICT;
PRAGMA user_version = ${formatVersion};
`;

/** Looks once more and makes it in one transaction: another process may be about to make it too. */
const makeSchema = (database: SqliteDatabase): void => {
  database.exec('BEGIN IMMEDIATE');
  const format = integerOf(database, 'PRAGMA user_version');
  const tables = integerOf(database, 'SELECT COUNT(*) FROM sqlite_schema');
  if (format === 0 && tables === 0) database.exec(schema);
  else if (format !== formatVersion) throw new UnknownFormat();
  database.exec('COMMIT');
};

class SqliteReadStore implements ReadStore, ModelDatabase {
  readonly isReadOnly: boolean;
  readonly #folder: string;
  readonly #path: string;
  readonly #open: OpenDatabase;
  readonly #models = new Map<string, SqliteReadModel>();
  #database: SqliteDatabase | undefined;
  #isClosed = false;

  constructor(options: SqliteReadStoreOptions) {
    this.#folder = options.folder;
    this.#path = join(options.folder, 'read-models.db');
    this.#open = options.openDatabase ?? openDatabase;
    this.isReadOnly = options.access === 'read';
  }

  open(definition: ReadModelDefinition): ReadModel {
    this.#checkOpen();
    const table = modelTable(definition);
    let model = this.#models.get(table);
    if (model === undefined) {
      model = this.run(() => new SqliteReadModel(this, definition));
      this.#models.set(table, model);
    }
    return model;
  }

  older(definition: ReadModelDefinition): ReadModel | undefined {
    this.#checkOpen();
    const found = this.run(() =>
      this.database()
        ?.prepare(
          `SELECT MAX(version) AS version FROM models
           WHERE name = ? AND version < ? AND definition = ?`,
        )
        .get(definition.name, definition.version, modelShape(definition)),
    );
    if (found?.['version'] == null) return undefined;
    const reading: ModelDatabase = {
      isReadOnly: true,
      database: () => this.database(),
      run: (work) => this.run(work),
      refuseWriting: () => this.refuseWriting(),
    };
    return new SqliteReadModel(reading, { ...definition, version: Number(found['version']) });
  }

  close(): void {
    this.#isClosed = true;
    this.#models.clear();
    if (this.#database === undefined) return;
    if (this.isReadOnly) this.#database.close();
    else closeWritten(this.#database);
    this.#database = undefined;
  }

  /** The database, or undefined to a reader as long as no writer has made it. */
  database(): SqliteDatabase | undefined {
    this.#checkOpen();
    this.#database ??= this.isReadOnly ? this.#openForReading() : this.#openForWriting();
    return this.#database;
  }

  /** Runs `work` with the errors of SQLite translated; a damaged file is removed for the next start. */
  run<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (isDamage(error) && !this.isReadOnly) this.#remove();
      throw unavailable(this.#folder, error);
    }
  }

  refuseWriting(): never {
    throw new EclError('store.read-only', { store: this.#folder });
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new EclError('store.closed', { store: this.#folder });
  }

  #openForWriting(): SqliteDatabase {
    makePrivateFolder(this.#folder);
    try {
      return this.#openFile();
    } catch (error) {
      if (!isDamage(error) && !(error instanceof UnknownFormat)) throw error;
      this.#remove();
      return this.#openFile();
    }
  }

  #openFile(): SqliteDatabase {
    makePrivateDatabaseFile(this.#path);
    const database = this.#open(this.#path, { busyTimeoutMs });
    try {
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
      if (integerOf(database, 'PRAGMA user_version') !== formatVersion) makeSchema(database);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  #openForReading(): SqliteDatabase | undefined {
    if (!existsSync(this.#path)) return undefined;
    const database = this.#open(this.#path, { readOnly: true, busyTimeoutMs });
    if (integerOf(database, 'PRAGMA user_version') === formatVersion) return database;
    database.close();
    return undefined;
  }

  #remove(): void {
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.#path + suffix, { force: true });
  }
}

class UnknownFormat extends Error {}

/** Opens the read models of a folder. @throws EclError `store.unavailable` */
export const openSqliteReadStore = async (options: SqliteReadStoreOptions): Promise<ReadStore> => {
  const store = new SqliteReadStore(options);
  store.run(() => store.database());
  return store;
};
