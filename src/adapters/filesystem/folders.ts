/**
 * Folders that only their owner may enter, and their durability. It knows nothing of artifacts.
 *
 * 1. Modes are set, not asked for: a umask takes bits away from what is asked for.
 * 2. A folder's entry is durable only after its parent was synced.
 */
import { constants } from 'node:fs';
import { chmod, lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EclError } from '../../core/errors.ts';

/** A put takes seconds at most: what is older was left by a process that died. */
const leftoverAgeMs = 60 * 60 * 1000;

/** The code of a system error, or the name of any other. */
export const errorCodeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
};

/** Makes the entries of a folder durable. */
export const syncFolder = async (path: string): Promise<void> => {
  // Windows cannot open a folder, and makes its entries durable by itself.
  if (process.platform === 'win32') return;
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
};

/** Makes a folder with mode 0700 where there is none; what stands there must be one and no link to one. */
export const makePrivateFolder = async (
  path: string,
  options: { recursive?: boolean } = {},
): Promise<void> => {
  if (options.recursive === true) {
    const first = await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
    if (first === undefined) return;
    for (let made = path; made.length >= first.length; made = dirname(made)) {
      await syncFolder(dirname(made));
    }
    return;
  }
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') throw error;
  }
  if (!(await lstat(path)).isDirectory()) {
    throw new EclError('store.unavailable', { store: path, reason: 'it is not a folder' });
  }
  await chmod(path, 0o700);
};

/** Removes what processes that died have left; files of living ones are younger, and are kept. */
export const removeLeftovers = async (folder: string): Promise<void> => {
  const oldest = Date.now() - leftoverAgeMs;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    try {
      if ((await lstat(path)).mtimeMs < oldest) await rm(path, { force: true });
    } catch (error) {
      // Another process cleans at the same time, or a folder stands there: neither is in the way.
      if (!['ENOENT', 'ERR_FS_EISDIR'].includes(errorCodeOf(error))) throw error;
    }
  }
};
