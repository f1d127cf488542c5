/**
 * Reads of all streams, in pages.
 *
 * 1. Every read is bounded, and one that breaks off goes on behind the last event that it gave.
 * 2. Pages meet at an event, read twice and given once: a position that is no event's place cannot be read from.
 * 3. The server filters by one thing only, streams or types; the rest is filtered here. Events of the system are left
 *    out, as in the other stores.
 */
import { EclError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { EventFilter, ReadAllOptions, RecordedEvent } from '../../ports/event-store.ts';
import type { Connection } from './connection.ts';
import { reasonOf } from './errors.ts';
import { fromWire } from './event-codec.ts';
import { frames } from './reading.ts';
import { events } from './stream-reading.ts';
import type { ReadOptions } from './wire.ts';

/** A place in the log: behind an event where both are its position. */
export interface Place {
  readonly commit: bigint;
  readonly prepare: bigint;
}
export type Start = Place | 'start' | 'end';

const isOfSystem = ({ stream, type }: RecordedEvent): boolean =>
  stream.startsWith('$') || type.startsWith('$');

export const matches = (event: RecordedEvent, { streamPrefixes, types }: EventFilter): boolean =>
  !isOfSystem(event) &&
  (streamPrefixes?.some((prefix) => event.stream.startsWith(prefix)) ?? true) &&
  (types?.includes(event.type) ?? true);

/** Whether a filter lets nothing through at all. */
export const isNothing = ({ streamPrefixes, types }: EventFilter): boolean =>
  streamPrefixes?.length === 0 || types?.length === 0;

type Filter = NonNullable<ReadOptions['filter']>;

/** What the server can do of a filter. */
const expressionOf = ({ streamPrefixes, types }: EventFilter): Filter => {
  if (streamPrefixes !== undefined && !streamPrefixes.includes('')) {
    return { streamIdentifier: { prefix: [...streamPrefixes] } };
  }
  if (types !== undefined) return { eventType: { prefix: [...types] } };
  return { eventType: { regex: String.raw`^[^\$]` } };
};

export const placeOf = (position: bigint): Place => ({ commit: position, prepare: position });

/** How many events that do not match a subscription passes over before it says how far it is. */
const checkpointWindow = 1_000;

/** What is asked of the log; without a filter everything, events of the system too. */
export const allOptions = (from: Start, filter: EventFilter | undefined): ReadOptions => ({
  all:
    typeof from === 'string'
      ? { [from]: {} }
      : { position: { commitPosition: from.commit, preparePosition: from.prepare } },
  ...(filter === undefined
    ? { noFilter: {} }
    : {
        filter: {
          ...expressionOf(filter),
          max: checkpointWindow,
          checkpointIntervalMultiplier: 1,
        },
      }),
});

const searchMsMax = 60_000;

interface Page {
  readonly events: readonly RecordedEvent[];
  readonly isLast: boolean;
}

interface PageRequest {
  /** @default long: in a log full of other things it takes a while to find something */
  readonly answerMs?: number;
  readonly from: Start;
  readonly direction: 'forwards' | 'backwards';
  readonly count: number;
  readonly filter: EventFilter;
}

/** One page; its events are filtered by the server only. @throws what the client throws */
export const readPage = async (
  connection: Connection,
  { from, direction, count, filter, answerMs = searchMsMax }: PageRequest,
): Promise<Page> => {
  const readDirection = direction === 'forwards' ? 0 : 1;
  const page: RecordedEvent[] = [];
  try {
    const options = { ...allOptions(from, filter), readDirection, count };
    for await (const event of events(connection, options, answerMs)) page.push(event);
    return { events: page, isLast: page.length < count };
  } catch (error) {
    if (!/InvalidPosition/.test(reasonOf(error))) throw error;
    const place = typeof from === 'string' ? from : String(from.commit);
    const reason = `No event of this store stands at the position ${place}`;
    throw new EclError('usage.invalid', { reason });
  }
};

interface FromPlace {
  readonly place: bigint | undefined;
  /** Whether an event that stands at the place itself is given too. */
  readonly isIncluded: boolean;
}

/** Events from a place on, with as few reads as there are pages. */
async function* readForwards(
  connection: Connection,
  { place: first, isIncluded }: FromPlace,
  { filter = {}, limit = Infinity }: Pick<ReadAllOptions, 'filter' | 'limit'>,
): AsyncGenerator<RecordedEvent> {
  let place = first;
  let known = isIncluded ? undefined : first;
  for (;;) {
    const from = place === undefined ? 'start' : placeOf(place);
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
    const page = await connection.persistently(() => readPage(connection, request));
    for (const event of page.events) {
      if (event.position === before && matches(event, filter)) yield event;
    }
  }
  let place = before;
  for (;;) {
    const from = place === undefined ? 'end' : placeOf(place);
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
  const found =
    direction === 'backwards'
      ? readBackwards(connection, from, options)
      : readForwards(connection, { place: from, isIncluded: true }, options);
  for await (const event of found) {
    yield event;
    left -= 1;
    if (left <= 0) return;
  }
}

/** Position of the last event of the log, whoever wrote it. */
export const lastPosition = async (connection: Connection): Promise<bigint | undefined> => {
  const options = { ...allOptions('end', undefined), readDirection: 1, count: 1 };
  for await (const { position } of connection.persistentItems(() => events(connection, options))) {
    return position;
  }
  return undefined;
};

export type CatchUpItem = RecordedEvent | 'caughtUp';

/** What is stored behind a place, then a word for it. */
export async function* catchUp(
  connection: Connection,
  from: Start,
  filter: EventFilter,
): AsyncGenerator<CatchUpItem> {
  const options = { ...allOptions(from, filter), subscription: {} };
  for await (const { event, caughtUp } of frames(connection, options)) {
    if (event?.event !== undefined) yield fromWire(event.event);
    if (caughtUp === undefined) continue;
    yield 'caughtUp';
    return;
  }
}
