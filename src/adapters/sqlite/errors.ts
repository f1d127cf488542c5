/**
 * What SQLite throws, in the words of the catalogue.
 *
 * 1. An error of the catalogue passes through unchanged; any other becomes one, with the original as its cause.
 * 2. A failed COMMIT is called refused only where SQLite cannot have written its commit record.
 */
import { EclError, OutcomeUnknown, isEclError } from '../../core/errors.ts';

export const resultCodes = {
  busy: 5,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;

/** What SQLite calls these results, for errors of the add-on that carry no code. */
const messages: readonly (readonly [string, number])[] = [
  ['database is locked', resultCodes.busy],
  ['database disk image is malformed', resultCodes.corrupt],
  ['database or disk is full', resultCodes.full],
  ['unable to open database file', resultCodes.cannotOpen],
  ['file is not a database', resultCodes.notADatabase],
];

/** The primary result code of SQLite, or undefined for an error that is not SQLite's. */
export const resultCodeOf = (error: unknown): number | undefined => {
  if (!(error instanceof Error)) return undefined;
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode & 0xff;
  return messages.find(([message]) => error.message.includes(message))?.[1];
};

const isDamage = (error: unknown): boolean => {
  const code = resultCodeOf(error);
  return code === resultCodes.corrupt || code === resultCodes.notADatabase;
};

const reasonOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error);
  const code = resultCodeOf(error);
  return code === undefined ? message : `${message} (SQLite result code ${code})`;
};

/** The error that says the store cannot be used now. */
export const unavailable = (store: string, error: unknown): EclError =>
  isEclError(error)
    ? error
    : new EclError('store.unavailable', { store, reason: reasonOf(error) }, { cause: error });

/** The error of opening a store: what is no database is damage, and no repetition mends it. */
export const openFailure = (store: string, error: unknown): EclError => {
  if (isEclError(error) || !isDamage(error)) return unavailable(store, error);
  return new EclError('store.damaged', { store, reason: reasonOf(error) }, { cause: error });
};

/** The error of an append whose COMMIT failed with `error`. */
export const commitFailure = (store: string, stream: string, error: unknown): EclError => {
  // A full disk stops the write of the frames before the commit record, the last of them, is whole. After an I/O
  // error, of fsync above all, that record may be on the disk already and count after a crash.
  if (resultCodeOf(error) === resultCodes.full) return unavailable(store, error);
  return new OutcomeUnknown({ stream, reason: reasonOf(error) }, { cause: error });
};

/** The error of a read: damaged pages name the stream and the revision that was to be read next. */
export const readFailure = (
  store: string,
  at: { stream: string; revision: number | string },
  error: unknown,
): EclError => {
  if (!isDamage(error)) return unavailable(store, error);
  return new EclError('store.corrupt', { ...at, reason: reasonOf(error) }, { cause: error });
};
