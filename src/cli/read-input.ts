/** The input of a run, from whichever of the three ways it was given. */
import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import type { z } from 'zod';
import { EclError } from '../core/errors.ts';
import { assertJson } from '../core/json-value.ts';
import { limits } from '../core/limits.ts';
import { unreadableFile } from '../core/unreadable-file.ts';
import { readKeyValues } from './key-values.ts';

export interface InputOptions {
  /** JSON text. */
  readonly input?: string;
  /** A path, or `-` for standard input. */
  readonly inputFile?: string;
}

/**
 * JSON that a person gave, within the limits of what may enter a run.
 *
 * @param what names it in an error: `--input`
 * @throws EclError `usage.invalid`, `input.not-json`, `input.too-large`
 */
export const parseJson = (text: string, what: string): unknown => {
  const size = Buffer.byteLength(text);
  if (size > limits.payloadBytesMax) {
    throw new EclError('input.too-large', { what, bytes: size, limit: limits.payloadBytesMax });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EclError('usage.invalid', { reason: `${what} is not JSON: ${reason}` });
  }
  assertJson(value, what);
  return value;
};

/** @throws EclError `input.file-missing` */
const readText = async (path: string): Promise<string> => {
  try {
    return path === '-' ? await readAll(process.stdin) : await readFile(path, 'utf8');
  } catch (error) {
    throw unreadableFile(path, error);
  }
};

/** @throws EclError `usage.invalid`, `input.not-json`, `input.too-large`, `input.file-missing` */
export const readInput = async (
  schema: z.ZodType | undefined,
  pairs: readonly string[],
  { input, inputFile }: InputOptions,
): Promise<unknown> => {
  const ways = [input !== undefined, inputFile !== undefined, pairs.length > 0];
  if (ways.filter(Boolean).length > 1) {
    const reason = 'Give the input in one way: key=value, --input or --input-file';
    throw new EclError('usage.invalid', { reason });
  }
  if (input !== undefined) return parseJson(input, '--input');
  if (inputFile !== undefined) return parseJson(await readText(inputFile), inputFile);
  if (pairs.length === 0) return undefined;
  const value = readKeyValues(schema, pairs);
  assertJson(value, 'The input');
  return value;
};
