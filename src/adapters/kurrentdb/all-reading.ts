/**
 * Reads of all streams, in pages over the client's native reads: ten times as fast as a subscription over many events.
 *
 * 1. Every read is bounded, and so is their number in flight.
 * 2. Pages meet at an event, read twice and given once: a position that is no event's place cannot be read from.
 * 3. The server filters by one thing only, streams or types; the rest is filtered here. Events of the system are left
 *    out, as in the other stores.
 */
import {
  BACKWARDS,
  END,
  eventTypeFilter,
  FORWARDS,
  START,
  streamNameFilter,
  type Filter,
} from '@kurrent/kurrentdb-client';
import { EclError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { EventFilter, ReadAllOptions, RecordedEvent } from '../../ports/event-store.ts';
import { catchUp, subscribeToAll, type Start } from './catch-up.ts';
import type { Connection } from './connection.ts';
import { isUnavailable, reasonOf } from './errors.ts';
import { fromClientEvent } from './event-codec.ts';
import { NoAnswer } from './timing.ts';

const isOfSystem = ({ stream, type }: RecordedEvent): boolean =>
  stream.startsWith('$') || type.startsWith('$');

export const matches = (event: RecordedEvent, { streamPrefixes, types }: EventFilter): boolean =>
  !isOfSystem(event) &&
  (streamPrefixes?.some((prefix) => event.stream.startsWith(prefix)) ?? true) &&
  (types?.includes(event.type) ?? true);

/** Whether a filter lets nothing through at all. */
export const isNothing = ({ streamPrefixes, types }: EventFilter): boolean =>
  streamPrefixes?.length === 0 || types?.length === 0;

/** What the server can do of a filter. */
export const serverFilter = ({ streamPrefixes, types }: EventFilter): Filter => {
  if (streamPrefixes !== undefined && !streamPrefixes.includes('')) {
    return streamNameFilter({ prefixes: [...streamPrefixes] });
  }
  if (types !== undefined) return eventTypeFilter({ prefixes: [...types] });
  return eventTypeFilter({ regex: String.raw`^[^\$]` });
};

export const placeOf = (position: bigint): Start => ({ commit: position, prepare: position });

interface Page {
  readonly events: readonly RecordedEvent[];
  readonly isLast: boolean;
}

interface PageRequest {
  readonly from: Start;
  readonly direction: 'forwards' | 'backwards';
  readonly count: number;
  readonly filter: EventFilter;
}

/** One page; its events are filtered by the server only. @throws what the client throws */
export const readPage = async (
  connection: Connection,
  { from, direction, count, filter }: PageRequest,
): Promise<Page> => {
  const release = await connection.pageSlots.take();
  const { client } = connection;
  try {
    return await connection.use('a read', async () => {
      const events: RecordedEvent[] = [];
      const stored = client.readAll({
        fromPosition: from,
        direction: direction === 'forwards' ? FORWARDS : BACKWARDS,
        maxCount: count,
        requiresLeader: true,
        filter: serverFilter(filter),
      });
      for await (const { event, commitPosition } of stored) {
        if (event !== undefined) events.push(fromClientEvent(event, commitPosition));
      }
      return { events, isLast: events.length < count };
    });
  } catch (error) {
    // The native part does not find its server again once it has failed to.
    if (isUnavailable(error) || error instanceof NoAnswer) connection.renew(client);
    if (/InvalidPosition/.test(reasonOf(error))) {
      throw new EclError('usage.invalid', {
        reason: `No event of this store stands at the position ${String(from === START || from === END ? from : from.commit)}`,
      });
    }
    throw error;
  } finally {
    release();
  }
};

interface FromPlace {
  readonly place: bigint | undefined;
  /** Whether an event that stands at the place itself is given too. */
  readonly isIncluded: boolean;
}

/** Events from a place on, with as few reads as there are pages. */
export async function* readForwards(
  connection: Connection,
  { place: first, isIncluded }: FromPlace,
  { filter = {}, limit = Infinity }: Pick<ReadAllOptions, 'filter' | 'limit'>,
): AsyncGenerator<RecordedEvent> {
  let place = first;
  let known = isIncluded ? undefined : first;
  for (;;) {
    const from = place === undefined ? START : placeOf(place);
    const count = Math.min(limits.readBatchMax, limit) + 1;
    const request = { from, direction: 'forwards', count, filter } as const;
    const page = await connection.persistently(() => readPage(connection, request));
    for (const event of page.events) {
      if (known !== undefined && event.position <= known) continue;
      place = event.position;
      known = place;
      if (matches(event, filter)) yield event;
    }
    if (page.isLast) return;
  }
}

/** The server begins before a position when it reads backwards, so the event that stands there is read apart. */
async function* readBackwards(
  connection: Connection,
  before: bigint | undefined,
  { filter = {}, limit = Infinity }: ReadAllOptions,
): AsyncGenerator<RecordedEvent> {
  if (before !== undefined) {
    const request = { from: placeOf(before), direction: 'forwards', count: 1, filter } as const;
    const { events } = await connection.persistently(() => readPage(connection, request));
    for (const event of events) {
      if (event.position === before && matches(event, filter)) yield event;
    }
  }
  let place = before;
  for (;;) {
    const from = place === undefined ? END : placeOf(place);
    const count = Math.min(limits.readBatchMax, limit);
    const request = { from, direction: 'backwards', count, filter } as const;
    const page = await connection.persistently(() => readPage(connection, request));
    for (const event of page.events) {
      place = event.position;
      if (matches(event, filter)) yield event;
    }
    if (page.isLast) return;
  }
}

/** Events of all streams as the port has them. @throws what the client throws */
export async function* readAll(
  connection: Connection,
  options: ReadAllOptions,
): AsyncGenerator<RecordedEvent> {
  const { from, direction, filter = {}, limit = Infinity } = options;
  let left = limit;
  if (left <= 0 || isNothing(filter)) return;
  const events =
    direction === 'backwards'
      ? readBackwards(connection, from, options)
      : readForwards(connection, { place: from, isIncluded: true }, options);
  for await (const event of events) {
    yield event;
    left -= 1;
    if (left <= 0) return;
  }
}

/** Position of the last event of the log, whoever wrote it. */
export const lastPosition = async (connection: Connection): Promise<bigint | undefined> => {
  const items = connection.persistentItems(() =>
    catchUp(connection, (client) => subscribeToAll(client, END, undefined)),
  );
  for await (const item of items) {
    if (!('caughtUp' in item)) continue;
    const { position, ...place } = item.caughtUp;
    if (position !== undefined) return position.commit;
    // Servers before 25 say nothing of the place, not even the date.
    return 'date' in place ? undefined : readEnd(connection);
  }
  return undefined;
};

const readEnd = async (connection: Connection): Promise<bigint | undefined> => {
  const request = { from: END, direction: 'backwards', count: 1, filter: {} } as const;
  const page = await connection.persistently(() => readPage(connection, request));
  return page.events[0]?.position;
};
