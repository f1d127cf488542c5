/** The body of a request: bounded in size, and as JSON in depth and without names that pollute prototypes. */
import type { Context } from 'hono';
import { EclError } from '../core/errors.ts';
import { assertJson } from '../core/json-value.ts';
import type { ApiEnv } from './api.ts';

const tooLarge = (bytes: number, limit: number): EclError =>
  new EclError('input.too-large', { what: 'The body', bytes, limit });

/** Counts while it reads: a client that does not say how much it sends may send anything. */
const readCounted = async (
  body: ReadableStream<Uint8Array> | null,
  limit: number,
): Promise<Uint8Array> => {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.byteLength;
    if (bytes > limit) throw tooLarge(bytes, limit);
    parts.push(part);
  }
  return Buffer.concat(parts);
};

/** @throws EclError `input.too-large`, before more than the limit is kept */
export const readBody = async ({ req }: Context<ApiEnv>, bytesMax: number): Promise<Uint8Array> => {
  const length = req.header('content-length');
  if (length === undefined) return readCounted(req.raw.body, bytesMax);
  if (Number(length) > bytesMax) throw tooLarge(Number(length), bytesMax);
  // Node reads no more than the header says.
  return new Uint8Array(await req.arrayBuffer());
};

const decoder = new TextDecoder('utf-8', { fatal: true });

const parse = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(decoder.decode(bytes)) as unknown;
  } catch (error) {
    const why = error instanceof SyntaxError ? `: ${error.message}` : '';
    throw new EclError('usage.invalid', { reason: `The body is not JSON${why}` });
  }
};

/**
 * @param options.optional whether no body stands for `{}`
 * @throws EclError `http.media-type`, `input.too-large`, `input.not-json`, `usage.invalid`
 */
export const readJson = async (
  context: Context<ApiEnv>,
  options: { optional: boolean; bytesMax: number },
): Promise<unknown> => {
  const header = context.req.header('content-type');
  const given = header?.split(';', 1)[0]!.trim().toLowerCase();
  const isJson = given === 'application/json';
  if (!isJson && !(options.optional && given === undefined)) {
    throw new EclError('http.media-type', {
      expected: 'application/json',
      given: given ?? 'without a Content-Type',
    });
  }
  const bytes = await readBody(context, options.bytesMax);
  if (bytes.byteLength === 0 && options.optional) return {};
  const value = parse(bytes);
  assertJson(value, 'The body');
  return value;
};
