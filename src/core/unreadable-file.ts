/** Why a file that somebody named cannot be read, in words; system errors keep their code as what they are known by. */
import { EclError } from './errors.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is a file, not a folder',
  EACCES: 'its permissions do not allow it',
  EPERM: 'its permissions do not allow it',
  ELOOP: 'its links go round in a circle',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'too many files are open',
  ERR_FS_FILE_TOO_LARGE: 'it is too large',
};

/** @param path as it was given */
export const unreadableFile = (path: string, error: unknown): EclError => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  const words = reasons[code];
  const reason = words === undefined ? code : `${words} (${code})`;
  return new EclError('input.file-missing', { path, reason }, { cause: error });
};
