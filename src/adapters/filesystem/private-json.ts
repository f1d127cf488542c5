/**
 * Small JSON files that only their owner may read. One is replaced as a whole or not at all, and is on the disk when
 * writing it returns.
 */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { EclError } from '../../core/errors.ts';
import { errorCodeOf } from './folders.ts';

const unavailable = (path: string, error: unknown): EclError =>
  new EclError(
    'store.unavailable',
    { store: path, reason: errorCodeOf(error) || String(error) },
    { cause: error },
  );

/** @throws EclError `store.unavailable` */
export const writePrivateJson = (path: string, value: unknown): void => {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    rmSync(temporary, { force: true });
    const file = openSync(temporary, 'wx', 0o600);
    try {
      // Whatever the umask.
      chmodSync(temporary, 0o600);
      writeSync(file, `${JSON.stringify(value, null, 2)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    throw unavailable(path, error);
  }
};

/**
 * The value, or undefined when there is no such file.
 *
 * @param damaged the reason of the error when it is not JSON, with what to do
 * @throws EclError `store.unavailable`
 */
export const readPrivateJson = (path: string, damaged = 'it is not JSON'): unknown => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined;
    throw unavailable(path, error);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new EclError('store.unavailable', { store: path, reason: damaged }, { cause: error });
  }
};
