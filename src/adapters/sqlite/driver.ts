/**
 * SQLite by the API of `node:sqlite`: Node's own where it has one, else the add-on with the same API.
 *
 * 1. The driver is loaded at the first open, not at import: a command that needs no store does not pay for it.
 * 2. Nothing is printed: the warning that Node 22 gives about its module being young is held back.
 * 3. Nothing of a driver but these interfaces is used elsewhere.
 * 4. The add-on frees a closed database only once its statements are collected, so a writer that closes has its log
 *    written back first, by itself, and nothing waits for the file to be let go.
 */
import { createRequire } from 'node:module';
import { EclError } from '../../core/errors.ts';

export type SqliteValue = string | number | bigint | null | Uint8Array;
export type SqliteRow = Readonly<Record<string, SqliteValue>>;

export interface SqliteStatement {
  run(...parameters: SqliteValue[]): { changes: number | bigint };
  get(...parameters: SqliteValue[]): SqliteRow | undefined;
  all(...parameters: SqliteValue[]): SqliteRow[];
}

export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

interface OpenDatabaseOptions {
  /** @default false */
  readonly readOnly?: boolean;
  /** How long a statement waits for a lock that another connection holds. */
  readonly busyTimeoutMs: number;
}

export type OpenDatabase = (path: string, options: OpenDatabaseOptions) => SqliteDatabase;

type DatabaseClass = new (path: string, options: { readOnly: boolean }) => SqliteDatabase;

interface SqliteModule {
  readonly Database?: DatabaseClass;
  readonly DatabaseSync?: DatabaseClass;
}

interface Driver {
  readonly name: string;
  readonly Database: DatabaseClass;
}

const moduleNames = ['node:sqlite', '@photostructure/sqlite'];

/** `require` that holds back the warning about an experimental module, and no other. */
const requireQuietly = (name: string): SqliteModule => {
  const emitWarning = process.emitWarning.bind(process);
  const original = Object.getOwnPropertyDescriptor(process, 'emitWarning');
  process.emitWarning = (warning: string | Error, ...rest: never[]) => {
    if (!String(warning).includes('SQLite is an experimental')) emitWarning(warning, ...rest);
  };
  try {
    return createRequire(import.meta.url)(name) as SqliteModule;
  } finally {
    if (original === undefined) Reflect.deleteProperty(process, 'emitWarning');
    else Object.defineProperty(process, 'emitWarning', original);
  }
};

/** @throws EclError `store.unavailable` when none of the modules is there */
export const loadDriver = (names: readonly string[] = moduleNames): Driver => {
  const reasons: unknown[] = [];
  for (const name of names) {
    try {
      const module = requireQuietly(name);
      const Database = module.Database ?? module.DatabaseSync;
      if (Database !== undefined) return { name, Database };
    } catch (error) {
      reasons.push(error);
    }
  }
  const reason =
    `Node ${process.versions.node} has no SQLite: use Node 22.13 or newer, ` +
    'or install it with `npm install @photostructure/sqlite`';
  throw new EclError(
    'store.unavailable',
    { store: 'sqlite', reason },
    { cause: new AggregateError(reasons) },
  );
};

let loaded: Driver | undefined;

const driver = (): Driver => (loaded ??= loadDriver());

/** The name of the module that databases are opened with. */
export const driverName = (): string => driver().name;

/** Opens a database file with the driver that this Node has. */
export const openDatabase: OpenDatabase = (path, { readOnly = false, busyTimeoutMs }) => {
  const { Database } = driver();
  const database = new Database(path, { readOnly });
  database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  return database;
};

/** Closes a database that was written, with its write-ahead log written back as far as readers allow. */
export const closeWritten = (database: SqliteDatabase): void => {
  try {
    database.exec('PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // What is not written back now is at the next opening.
  }
  database.close();
};
