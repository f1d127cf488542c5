/** Reads a file that enters a run's input. */
import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { EclError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { unreadableFile } from '../../core/unreadable-file.ts';

const mediaTypes: Readonly<Record<string, string>> = {
  '.csv': 'text/csv',
  '.html': 'text/html',
  '.json': 'application/json',
  '.md': 'text/markdown',
  '.pdf': 'application/pdf',
  '.txt': 'text/plain',
  '.xml': 'application/xml',
  '.yaml': 'application/yaml',
  '.yml': 'application/yaml',
};

/** @throws EclError `input.file-missing`, `input.too-large` */
export const readInputFile = async (
  path: string,
): Promise<{ name: string; content: Uint8Array; mediaType: string }> => {
  let content: Uint8Array;
  try {
    content = await readFile(path);
  } catch (error) {
    throw unreadableFile(path, error);
  }
  if (content.length > limits.payloadBytesMax) {
    const details = { what: path, bytes: content.length, limit: limits.payloadBytesMax };
    throw new EclError('input.too-large', details);
  }
  const mediaType = mediaTypes[extname(path).toLowerCase()] ?? 'application/octet-stream';
  return { name: basename(path), content, mediaType };
};
