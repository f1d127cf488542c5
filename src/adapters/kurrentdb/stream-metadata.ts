/**
 * Metadata and deletion of streams.
 *
 * 1. Metadata is the newest event of the stream's own metadata stream. A change keeps what others set there, and is made
 *    at an exact revision: of two changes at once the second sees the first.
 * 2. A deletion is a mark there too; a stream goes on at its next revision when it is written again.
 */
import { ANY, jsonEvent, metastreamOf, NO_STREAM } from '@kurrent/kurrentdb-client';
import { EclError, isEclError, WrongExpectedRevision } from '../../core/errors.ts';
import type { ExpectedRevision, StreamMetadata } from '../../ports/event-store.ts';
import type { Connection } from './connection.ts';
import { appendFailure, failureOf, refusalOf } from './errors.ts';
import { lastRevision, readStream } from './stream-reading.ts';

interface StoredMetadata {
  /** Of the metadata stream. */
  readonly revision: number | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
}

const read = async (connection: Connection, stream: string): Promise<StoredMetadata> => {
  const events = readStream(connection, metastreamOf(stream), { direction: 'backwards', limit: 1 });
  for await (const { revision, data } of events) {
    try {
      return { revision, fields: JSON.parse(data) as Record<string, unknown> };
    } catch {
      return { revision, fields: {} };
    }
  }
  return { revision: undefined, fields: {} };
};

export const readMetadata = async (
  connection: Connection,
  stream: string,
): Promise<StreamMetadata> => {
  const { $maxCount: maxCount } = (await read(connection, stream)).fields;
  return typeof maxCount === 'number' ? { maxCount } : {};
};

/** What hides all events of a stream that was deleted: beyond the numbers that JSON keeps whole. */
const isDeletion = ($tb: unknown): boolean => typeof $tb === 'number' && !Number.isSafeInteger($tb);

const attemptsMax = 10;

/** @throws EclError `store.unavailable`, `store.wrong-expected-revision` when others change it again and again */
export const writeMetadata = async (
  connection: Connection,
  stream: string,
  { maxCount }: StreamMetadata,
): Promise<void> => {
  const metastream = metastreamOf(stream);
  for (let attempt = 1; ; attempt += 1) {
    const { revision, fields } = await read(connection, stream);
    const { $maxCount: _, $tb, ...others } = fields;
    const data = {
      ...others,
      ...($tb === undefined || isDeletion($tb) ? {} : { $tb }),
      ...(maxCount === undefined ? {} : { $maxCount: maxCount }),
    };
    if (isDeletion($tb)) throw new EclError('store.stream-deleted', { stream });
    const streamState = revision === undefined ? NO_STREAM : BigInt(revision);
    const event = jsonEvent({ type: '$metadata', data });
    try {
      await connection.persistently(
        () =>
          connection.use('a change of metadata', (client) =>
            client.appendToStream(metastream, event, { streamState }),
          ),
        (error) =>
          refusalOf(error, { stream, expectedRevision: 'any' }) === undefined &&
          failureOf(error).kind !== 'refused',
      );
      return;
    } catch (error) {
      const expectedRevision = revision ?? 'no-stream';
      const refused = refusalOf(error, { stream: metastream, expectedRevision });
      if (refused === undefined) throw appendFailure(connection.shown, metastream, error);
      if (attempt >= attemptsMax || !(refused instanceof WrongExpectedRevision)) throw refused;
    }
  }
};

/** @throws WrongExpectedRevision, OutcomeUnknown, EclError `store.stream-deleted`, `store.unavailable` */
export const deleteStream = async (
  connection: Connection,
  stream: string,
  expected: ExpectedRevision,
): Promise<void> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await deleteAt(connection, stream, expected);
    } catch (error) {
      const isMoved =
        expected === 'stream-exists' && isEclError(error, 'store.wrong-expected-revision');
      if (!isMoved || error.details.actual === 'no-stream' || attempt >= attemptsMax) throw error;
    }
  }
};

const deleteAt = async (
  connection: Connection,
  stream: string,
  expected: ExpectedRevision,
): Promise<void> => {
  let exact: number | 'any' | 'no-stream';
  if (expected === 'stream-exists') {
    // The client sends this expectation as a number that is none.
    const last = await lastRevision(connection, stream);
    if (last === undefined)
      throw new WrongExpectedRevision({ stream, expected, actual: 'no-stream' });
    exact = last;
  } else {
    exact = expected;
  }
  const expectedRevision =
    exact === 'any' ? ANY : exact === 'no-stream' ? NO_STREAM : BigInt(exact);
  try {
    await connection.persistently(
      () =>
        connection.use('a deletion', (client) => client.deleteStream(stream, { expectedRevision })),
      (error) => ['not-reached', 'not-leader'].includes(failureOf(error).kind),
    );
  } catch (error) {
    throw (
      refusalOf(error, { stream, expectedRevision: expected }) ??
      appendFailure(connection.shown, stream, error)
    );
  }
};
