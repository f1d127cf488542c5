/**
 * Opening `events.db`, for writing or for reading, and proving that it is as durable as promised.
 *
 * 1. WAL and synchronous=FULL are set and read back after a write; a store that does not show both is not opened.
 * 2. A database of a newer format is refused before anything could change a byte of it.
 * 3. A reader writes nothing. A store that is not there yet is empty to it, and is looked for again at each read.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EclError } from '../../core/errors.ts';
import type { OpenDatabase, SqliteDatabase } from './driver.ts';
import { resultCodeOf, resultCodes, openFailure } from './errors.ts';
import { makePrivateDatabaseFile } from './private-files.ts';
import { checkFormat, createSchema, integerOf } from './schema.ts';

const busyTimeoutMs = 5_000;
const synchronousFull = 2;

/**
 * The log is written back every 4,000 pages (16 MiB): a page that many appends touch is then written once, and a start
 * after a crash still reads that much in some 20 ms. The fullfsync settings matter only where fsync alone does not
 * reach the disk.
 */
const pragmas = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA fullfsync = ON;
PRAGMA checkpoint_fullfsync = ON;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA journal_size_limit = 67108864;
`;

export const eventDatabasePath = (folder: string): string => join(folder, 'events.db');

/** What the engine says about its durability, for instance `WAL, synchronous=FULL`. */
export const readDurability = (database: SqliteDatabase): string => {
  const mode = Object.values(database.prepare('PRAGMA journal_mode').get() ?? {})[0];
  const level = integerOf(database, 'PRAGMA synchronous');
  const names = ['OFF', 'NORMAL', 'FULL', 'EXTRA'];
  return `${String(mode).toUpperCase()}, synchronous=${names[level] ?? level}`;
};

const checkDurability = (database: SqliteDatabase, store: string): void => {
  const durability = readDurability(database);
  const level = integerOf(database, 'PRAGMA synchronous');
  if (durability.startsWith('WAL,') && level >= synchronousFull) return;
  const reason = `it was asked for WAL, synchronous=FULL and has ${durability}`;
  throw new EclError('store.not-durable', { store, reason });
};

/** Opens, looks at the format and closes again, without a chance to write. */
const checkFormatReadOnly = (folder: string, open: OpenDatabase): void => {
  const database = open(eventDatabasePath(folder), { readOnly: true, busyTimeoutMs });
  try {
    checkFormat(database, folder);
  } finally {
    database.close();
  }
};

/**
 * Opens the event database of a folder whose lock is held.
 *
 * @throws EclError `store.not-durable`, `store.newer-format`, `store.damaged`, `store.unavailable`
 */
export const openForWriting = (folder: string, open: OpenDatabase): SqliteDatabase => {
  const path = eventDatabasePath(folder);
  let database: SqliteDatabase | undefined;
  try {
    if (existsSync(path)) checkFormatReadOnly(folder, open);
    makePrivateDatabaseFile(path);
    database = open(path, { busyTimeoutMs });
    database.exec(pragmas);
    if (checkFormat(database, folder) === 0) createSchema(database);
    checkDurability(database, folder);
    return database;
  } catch (error) {
    database?.close();
    throw openFailure(folder, error);
  }
};

/** The event database of a reader: undefined as long as no writer has made it. */
export class ReadConnection {
  readonly #folder: string;
  readonly #open: OpenDatabase;
  #database: SqliteDatabase | undefined;

  constructor(folder: string, open: OpenDatabase) {
    this.#folder = folder;
    this.#open = open;
  }

  /** @throws EclError `store.newer-format`, `store.damaged`, `store.unavailable` */
  get(): SqliteDatabase | undefined {
    if (this.#database !== undefined) return this.#database;
    const path = eventDatabasePath(this.#folder);
    if (!existsSync(path)) return undefined;
    let database: SqliteDatabase | undefined;
    try {
      database = this.#open(path, { readOnly: true, busyTimeoutMs });
      if (checkFormat(database, this.#folder) > 0) return (this.#database = database);
      database.close();
      return undefined;
    } catch (error) {
      database?.close();
      if (resultCodeOf(error) === resultCodes.cannotOpen && !existsSync(path)) return undefined;
      throw openFailure(this.#folder, error);
    }
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }
}
