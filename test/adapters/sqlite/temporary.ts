/** Folders that are gone after the tests of a file, and the raw database for what the store itself never does. */
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openDatabase, type SqliteDatabase } from '../../../src/adapters/sqlite/driver.ts';

export interface Temporary {
  readonly root: string;
  /** A folder that does not exist yet. */
  readonly folder: () => string;
}

export const temporary = (): Temporary => {
  const root = mkdtempSync(join(tmpdir(), 'ecl-sqlite-'));
  let count = 0;
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  return {
    root,
    folder: () => {
      count += 1;
      return join(root, `store-${count}`);
    },
  };
};

/** Opens a database file beside the store, does something to it and closes it. */
export const withRawDatabase = <T>(path: string, work: (database: SqliteDatabase) => T): T => {
  const database = openDatabase(path, { busyTimeoutMs: 1_000 });
  try {
    return work(database);
  } finally {
    database.close();
  }
};

/** Overwrites a closed database from a byte on, log included: what is there is damaged for good. */
export const damage = (path: string, from: number): void => {
  withRawDatabase(path, (database) => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
  const { size } = statSync(path);
  const bytes = Buffer.alloc(Math.max(size - from, 0), 0xff);
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, from);
  closeSync(file);
};
