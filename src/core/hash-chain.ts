/**
 * The hash chain of a stream, so that nobody changes, reorders or drops a recorded event unnoticed.
 *
 * 1. An event's hash covers the hash before it, its place, its metadata and the text of its data as stored, so it can
 *    be recomputed from any copy of the stream without a canonical form.
 * 2. An event's id is derived from its hash: the retry of an append carries the same ids, and two processes that
 *    decide at the same revision never do.
 * 3. A cut tail leaves a valid chain; it is found against a head that was kept elsewhere.
 */
import { sha256 } from './sha256.ts';

/** What stands before revision 0. */
export const chainStart = '0'.repeat(64);

export interface ChainedEvent {
  readonly prev: string;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly schema: number;
  readonly at: string;
  readonly writer: string;
  readonly correlation: string;
  /** Empty for an event without a recorded cause. */
  readonly causation: string;
  /** JSON text, as stored. */
  readonly data: string;
}

/** sha-256 over the fields, each on a line, in the order of `ChainedEvent`. */
export const chainHash = (event: ChainedEvent): string =>
  sha256(
    `${event.prev}\n${event.stream}\n${event.revision}\n${event.type}\n${event.schema}\n${event.at}\n${event.writer}\n${event.correlation}\n${event.causation}\n${event.data}`,
  );

/** The first 16 bytes of a hash as a uuid v8 (RFC 9562, section 5.8). */
export const eventIdOfHash = (hash: string): string => {
  const variant = '89ab'[Number.parseInt(hash[16]!, 16) & 3];
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-${variant}${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
};
