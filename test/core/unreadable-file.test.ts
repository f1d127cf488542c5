import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { unreadableFile } from '../../src/core/unreadable-file.ts';

const failureOf = (path: string): unknown => {
  try {
    return readFileSync(path);
  } catch (error) {
    return error;
  }
};

test.each([
  ['there is no such file (ENOENT)', '/no/such/file'],
  ['it is a folder (EISDIR)', import.meta.dirname],
  ['a part of its path is a file, not a folder (ENOTDIR)', `${import.meta.filename}/x`],
])('a file that cannot be read says why in words: %s', (reason, path) => {
  expect(unreadableFile(path, failureOf(path))).toMatchObject({
    code: 'input.file-missing',
    message: `The file ${path} cannot be read: ${reason}`,
    details: { path, reason },
  });
});

test('a reason without words of its own keeps its code', () => {
  const error = Object.assign(new Error('i/o'), { code: 'EIO' });
  expect(unreadableFile('a.md', error).message).toBe('The file a.md cannot be read: EIO');
});
