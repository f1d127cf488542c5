/**
 * Files and folders that only their owner can read, whatever the umask.
 *
 * 1. A file of SQLite is never opened and closed here while it exists: closing any descriptor of a file drops all
 *    locks that this process holds on it, those of SQLite too.
 * 2. SQLite gives its -wal and -shm files the mode of the database, so the database must have its mode first.
 * 3. Of folders only those made here are changed: one that a person chose keeps its mode.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { EclError } from '../../core/errors.ts';

const folderMode = 0o700;
const fileMode = 0o600;

const syncFolder = (path: string): void => {
  // Windows opens no folders; it has no need to.
  if (process.platform === 'win32') return;
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
};

/** @throws EclError `store.unavailable` for what is there and is no folder */
export const refuseFile = (folder: string): void => {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== false) return;
  throw new EclError('store.unavailable', {
    store: folder,
    reason: 'it is a file, not a folder; name a folder, for instance sqlite:.ecl',
  });
};

const makeOne = (folder: string): void => {
  try {
    mkdirSync(folder, { mode: folderMode });
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw error;
  }
  chmodSync(folder, folderMode);
  syncFolder(dirname(folder));
};

/**
 * Makes a folder and those above it, and makes their names durable; one that exists is left as it is. One after the other:
 * where a file system says of a new folder that it is not there (/proc), Node's own way would try for ever.
 */
export const makePrivateFolder = (folder: string): void => {
  const missing: string[] = [];
  for (let each = resolve(folder); !existsSync(each); each = dirname(each)) missing.unshift(each);
  for (const each of missing) makeOne(each);
};

const restrict = (path: string): void => {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats !== undefined && (stats.mode & 0o777) !== fileMode) chmodSync(path, fileMode);
};

/** Makes an empty file for a database, or restricts the one that is there with its companions. */
export const makePrivateDatabaseFile = (path: string): void => {
  try {
    closeSync(openSync(path, 'wx', fileMode));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  for (const suffix of ['', '-wal', '-shm', '-journal']) restrict(path + suffix);
};
