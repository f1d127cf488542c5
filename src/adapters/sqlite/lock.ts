/**
 * One writer a folder: a lock for the life of the process, which the kernel frees however the process ends.
 *
 * 1. The lock is SQLite's exclusive lock on a database of its own, `lock.db`. It conflicts between processes and
 *    between two opens in one process.
 * 2. `lock.pid` is for messages only: it may be stale, the lock never is.
 * 3. Nothing else may open `lock.db` in this process: closing a descriptor of it would free the lock.
 * Not for network file systems whose locks are not locks.
 */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EclError } from '../../core/errors.ts';
import type { OpenDatabase, SqliteDatabase } from './driver.ts';
import { resultCodeOf, resultCodes } from './errors.ts';
import { isAlive } from './is-alive.ts';
import { makePrivateDatabaseFile } from './private-files.ts';

export interface WriterLock {
  release(): void;
}

const pidFileOf = (folder: string): string => join(folder, 'lock.pid');

/** The process that probably holds the folder; for messages, like the file it is read from. */
export const lockHolder = (folder: string): number | undefined => holderOf(pidFileOf(folder));

const holderOf = (pidFile: string): number | undefined => {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 && isAlive(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
};

const locked = (store: string, pid: number | undefined): EclError =>
  new EclError('store.locked', {
    store,
    holder: pid === undefined ? '' : ` (pid ${pid})`,
    ...(pid === undefined ? {} : { pid }),
  });

/** @throws EclError `store.locked` at once when another writer holds the folder */
export const acquireWriterLock = (folder: string, open: OpenDatabase): WriterLock => {
  const path = join(folder, 'lock.db');
  const pidFile = pidFileOf(folder);
  makePrivateDatabaseFile(path);
  let database: SqliteDatabase | undefined;
  try {
    database = open(path, { busyTimeoutMs: 0 });
    // Without it the lock would come with a journal file that a killed process leaves behind.
    database.exec('PRAGMA journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    if (resultCodeOf(error) === resultCodes.busy) throw locked(folder, holderOf(pidFile));
    throw error;
  }
  writeFileSync(pidFile, String(process.pid), { mode: 0o600 });
  chmodSync(pidFile, 0o600);
  const held = database;
  return {
    release: () => {
      rmSync(pidFile, { force: true });
      held.close();
    },
  };
};
