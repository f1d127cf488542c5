/**
 * The metadata of a stream: what it hides of itself. It is the newest event of `$$<stream>`.
 *
 * 1. Metadata is whatever is JSON there and fits; anything else counts as none, as on the real server.
 * 2. What is hidden is still in the store and in `$all`.
 */
import type { RecordedEvent } from '../ports/event-store.ts';
import { fromStored } from './stored-event.ts';

/** `$tb` of a stream that was deleted and may come back: the greatest revision there can be. */
export const deletedMarker = 9_223_372_036_854_775_807n;

export interface StreamMetadata {
  /** The stream shows only its newest n events. */
  readonly maxCount?: number;
  /** Events older than this are not shown. */
  readonly maxAgeMs?: number;
  /** Events below this revision are not shown; `Infinity` for a deleted stream. */
  readonly truncateBefore: number;
}

export const noMetadata: StreamMetadata = { truncateBefore: 0 };

export const metadataStreamOf = (stream: string): string => `$$${stream}`;

/** The stream whose metadata a stream holds, or undefined for one that holds events of its own. */
export const describedStream = (stream: string): string | undefined =>
  stream.startsWith('$$') ? stream.slice(2) : undefined;

/** The stream at the bottom of metadata of metadata. */
export const baseStreamOf = (stream: string): string => {
  let base = stream;
  while (base.length > 2 && base.startsWith('$$')) base = base.slice(2);
  return base;
};

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0;

const fieldsOf = (text: string): Record<string, unknown> | undefined => {
  try {
    const parsed: unknown = JSON.parse(text);
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    return isObject ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
};

/** The metadata in an event, or undefined where it holds none that can be read. */
export const parseMetadata = (event: RecordedEvent): StreamMetadata | undefined => {
  const { isJson, data } = fromStored(event);
  return isJson ? metadataOf(data.toString('utf8')) : undefined;
};

export const metadataOf = (text: string): StreamMetadata | undefined => {
  const fields = fieldsOf(text);
  if (fields === undefined) return undefined;
  const { $maxCount: maxCount, $maxAge: maxAge, $tb: truncateBefore = 0 } = fields;
  const given = [maxCount, maxAge, truncateBefore].filter((value) => value !== undefined);
  if (!given.every(isCount)) return undefined;
  return {
    ...(isCount(maxCount) && maxCount > 0 ? { maxCount } : {}),
    ...(isCount(maxAge) && maxAge > 0 ? { maxAgeMs: maxAge * 1_000 } : {}),
    truncateBefore:
      Number(truncateBefore) >= Number(deletedMarker) ? Infinity : Number(truncateBefore),
  };
};

/** JSON of the same metadata with another `$tb`. */
export const withTruncateBefore = (text: string, truncateBefore: number): string =>
  JSON.stringify({ ...fieldsOf(text), $tb: truncateBefore });

/** JSON of the metadata of a deleted stream; written by hand, since the number is beyond those of JavaScript. */
export const deletedMetadata = `{"$tb":${deletedMarker}}`;

export const isDeleted = ({ truncateBefore }: StreamMetadata): boolean =>
  truncateBefore === Infinity;
