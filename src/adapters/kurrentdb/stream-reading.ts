/**
 * Reads of one stream, over catch-up subscriptions in either direction.
 *
 * 1. A read that breaks off goes on behind the last event that it gave, without a gap or a repetition.
 * 2. Backwards it reads forwards in pieces: only the client's native reads, which stall, go backwards.
 */
import { BACKWARDS, END, START, StreamNotFoundError } from '@kurrent/kurrentdb-client';
import type { ReadStreamOptions, RecordedEvent } from '../../ports/event-store.ts';
import { catchUp, subscribeToStream } from './catch-up.ts';
import type { Connection } from './connection.ts';
import { fromClientEvent } from './event-codec.ts';

const piece = 256;

/** Events of a stream as the port has them. @throws what the client throws */
export const readStream = (
  connection: Connection,
  stream: string,
  { direction = 'forwards', ...options }: ReadStreamOptions,
): AsyncGenerator<RecordedEvent> =>
  direction === 'forwards'
    ? forwards(connection, stream, options)
    : backwards(connection, stream, options);

async function* forwards(
  connection: Connection,
  stream: string,
  { from = 0, limit = Infinity }: Pick<ReadStreamOptions, 'from' | 'limit'>,
): AsyncGenerator<RecordedEvent> {
  if (limit <= 0) return;
  let next = from;
  const items = connection.persistentItems(() =>
    catchUp(connection, (client) =>
      subscribeToStream(client, stream, next === 0 ? START : BigInt(next - 1)),
    ),
  );
  let left = limit;
  for await (const item of items) {
    if ('caughtUp' in item) return;
    next = item.revision + 1;
    left -= 1;
    yield item;
    if (left <= 0) return;
  }
}

async function* backwards(
  connection: Connection,
  stream: string,
  { from = Infinity, limit = Infinity }: Pick<ReadStreamOptions, 'from' | 'limit'>,
): AsyncGenerator<RecordedEvent> {
  if (limit <= 0) return;
  const last = await endOf(connection, stream);
  if (last === undefined) return;
  let left = limit;
  for (let to = Math.min(from, last); to >= 0 && left > 0;) {
    const size = Math.min(piece, left, to + 1);
    const begin = to - size + 1;
    const events: RecordedEvent[] = [];
    for await (const event of forwards(connection, stream, { from: begin })) {
      if (event.revision > to) break;
      events.push(event);
      if (event.revision === to) break;
    }
    for (const event of events.toReversed()) yield event;
    left -= events.length;
    // What a stream no longer keeps lies at its beginning.
    if (events[0]?.revision !== begin) return;
    to = begin - 1;
  }
}

/** Revision of the last event that a stream ever had, or undefined where it has none now. */
const endOf = async (connection: Connection, stream: string): Promise<number | undefined> => {
  const items = connection.persistentItems(() =>
    catchUp(connection, (client) => subscribeToStream(client, stream, END)),
  );
  for await (const item of items) {
    if (!('caughtUp' in item)) continue;
    const { revision, ...place } = item.caughtUp;
    if (revision !== undefined) return Number(revision);
    // Servers before 25 say nothing of the place, not even the date.
    return 'date' in place ? undefined : readEnd(connection, stream);
  }
  return undefined;
};

const readEnd = (connection: Connection, stream: string): Promise<number | undefined> =>
  connection.persistently(() =>
    connection.use('a read', async (client) => {
      try {
        const events = client.readStream(stream, {
          direction: BACKWARDS,
          fromRevision: END,
          maxCount: 1,
        });
        for await (const { event } of events) {
          if (event !== undefined) return fromClientEvent(event).revision;
        }
      } catch (error) {
        if (!(error instanceof StreamNotFoundError)) throw error;
      }
      return undefined;
    }),
  );

/** Revision of the last event that a stream has. */
export const lastRevision = async (
  connection: Connection,
  stream: string,
): Promise<number | undefined> => {
  for await (const { revision } of backwards(connection, stream, { limit: 1 })) return revision;
  return undefined;
};
