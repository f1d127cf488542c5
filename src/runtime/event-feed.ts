/** Journal events as subscribers get them: payloads in place, positions as strings, resumable. */
import { EclError } from '../core/errors.ts';
import { journalEventSchemas, type JournalEventType } from '../core/journal-events.ts';
import { nearestNames } from '../core/nearest.ts';
import { open } from '../core/payload.ts';
import type { EventMetadata, RecordedEvent } from '../ports/event-store.ts';
import { BlobTexts } from './blobs.ts';
import type { Services } from './services.ts';

export interface EventQuery {
  /** Position after which to begin, or `start` or `end`. @default 'start' */
  readonly from?: string | bigint;
  readonly run?: string;
  readonly workflow?: string;
  readonly tenant?: string;
  readonly types?: readonly JournalEventType[];
  /** Goes on with what comes, until `signal` or the loop ends it. @default false */
  readonly live?: boolean;
  readonly signal?: AbortSignal;
}

export interface PublicEvent {
  readonly stream: string;
  readonly revision: number;
  /** A decimal number, as text: it may be beyond 2^53. */
  readonly position: string;
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: EventMetadata;
}

const positionOf = (from: EventQuery['from']): bigint | 'start' | 'end' => {
  if (from === undefined || from === 'start') return 'start';
  if (from === 'end' || typeof from === 'bigint') return from;
  if (/^\d+$/.test(from)) return BigInt(from);
  throw new EclError('usage.invalid', { reason: `"${from}" is not a position of an event` });
};

const publicEvent = async (event: RecordedEvent, blobs: BlobTexts): Promise<PublicEvent> => {
  let opened = open(event.data, blobs.get);
  if ('missing' in opened) {
    await blobs.fetch(opened.missing);
    opened = open(event.data, blobs.get);
    blobs.clear();
  }
  const { stream, revision, id, type, metadata, position } = event;
  const data = 'data' in opened ? opened.data : null;
  return { stream, revision, position: position.toString(), id, type, data, metadata };
};

type Source = Pick<Services, 'store' | 'artifacts'>;

/** A query with what its streams are called. */
type StreamQuery = EventQuery & { readonly prefix: string; readonly stream?: string };

const checkTypes = ({ types }: EventQuery): void => {
  const unknown = types?.find((type) => !Object.hasOwn(journalEventSchemas, type));
  if (unknown === undefined) return;
  const known = Object.keys(journalEventSchemas);
  const nearest = nearestNames(unknown, known);
  const which =
    nearest.length > 0 ? `; did you mean ${nearest.join(', ')}?` : `: ${known.join(', ')}`;
  const reason = `"${unknown}" is not a type of journal event${which}`;
  throw new EclError('usage.invalid', { reason, nearest });
};

const isOneOf = ({ types }: EventQuery, { type }: RecordedEvent): boolean =>
  types === undefined || types.includes(type as JournalEventType);

/**
 * @throws EclError `usage.invalid` for an unknown type or position
 */
export async function* readEvents(source: Source, query: StreamQuery): AsyncIterable<PublicEvent> {
  checkTypes(query);
  yield* query.stream === undefined ? readAll(source, query) : readRun(source, query, query.stream);
}

async function* readAll(source: Source, query: StreamQuery): AsyncIterable<PublicEvent> {
  const { types, live = false, signal, prefix } = query;
  const blobs = new BlobTexts(source.artifacts);
  const items = source.store.subscribe({
    from: positionOf(query.from),
    filter: { streamPrefixes: [prefix], ...(types === undefined ? {} : { types }) },
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const item of items) {
    if (item.kind === 'event') yield await publicEvent(item.event, blobs);
    else if (!live) return;
  }
}

/**
 * The journal of one run: what is stored from its own stream, then what comes. A run lies anywhere in the store, so the
 * all-stream is followed only from where it ended before the journal was read.
 */
async function* readRun(
  { store, artifacts }: Source,
  query: StreamQuery,
  stream: string,
): AsyncIterable<PublicEvent> {
  const { live = false, signal } = query;
  const blobs = new BlobTexts(artifacts);
  const from = positionOf(query.from);
  const end = live && from !== 'end' ? await store.lastPosition() : undefined;
  let revision = -1;
  const isLater = ({ position }: RecordedEvent): boolean =>
    typeof from !== 'bigint' || position > from;
  for await (const event of from === 'end' ? [] : store.readStream(stream)) {
    if (signal?.aborted === true) return;
    revision = event.revision;
    if (isLater(event) && isOneOf(query, event)) yield await publicEvent(event, blobs);
  }
  if (!live) return;
  const items = store.subscribe({
    from: from === 'end' ? 'end' : (end ?? 'start'),
    filter: { streamPrefixes: [stream] },
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const item of items) {
    if (item.kind !== 'event' || item.event.stream !== stream) continue;
    const { event } = item;
    if (event.revision <= revision || !isLater(event) || !isOneOf(query, event)) continue;
    yield await publicEvent(event, blobs);
  }
}

export interface EventPageQuery extends Omit<EventQuery, 'live' | 'signal'> {
  /** At least 1. */
  readonly limit: number;
  /** From an earlier page. */
  readonly cursor?: string;
}

export interface EventPage {
  readonly items: readonly PublicEvent[];
  readonly nextCursor?: string;
}

/** A place in one journal, or in the whole store. */
const cursorPattern = /^(revision|position)-(\d{1,19})$/;

const placeOf = (cursor: string | undefined, kind: 'revision' | 'position'): bigint | undefined => {
  if (cursor === undefined) return undefined;
  const [, of, place] = cursorPattern.exec(cursor) ?? [];
  if (of === kind) return BigInt(place!);
  throw new EclError('usage.invalid', { reason: `"${cursor}" is no cursor of this list` });
};

/**
 * One page of what is recorded.
 *
 * @throws EclError `usage.invalid` for an unknown type, position or cursor
 */
export const readEventPage = async (
  source: Source,
  query: EventPageQuery & { prefix: string; stream?: string },
): Promise<EventPage> => {
  checkTypes(query);
  const { limit, cursor, stream } = query;
  const kind = stream === undefined ? 'position' : 'revision';
  const after = placeOf(cursor, kind);
  const items: PublicEvent[] = [];
  const events =
    stream === undefined
      ? readAll(source, { ...query, from: after ?? query.from ?? 'start' })
      : readPageOfRun(source, query, { stream, from: Number(after ?? -1n) + 1 });
  for await (const event of events) {
    if (items.length === limit) {
      return { items, nextCursor: `${kind}-${items.at(-1)![kind]}` };
    }
    items.push(event);
  }
  return { items };
};

async function* readPageOfRun(
  { store, artifacts }: Source,
  query: EventQuery,
  { stream, from }: { stream: string; from: number },
): AsyncIterable<PublicEvent> {
  const blobs = new BlobTexts(artifacts);
  const after = positionOf(query.from);
  if (after === 'end') return;
  for await (const event of store.readStream(stream, { from })) {
    const isLater = after === 'start' || event.position > after;
    if (isLater && isOneOf(query, event)) yield await publicEvent(event, blobs);
  }
}
