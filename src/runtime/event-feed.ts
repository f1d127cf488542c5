/** Journal events as subscribers get them: payloads in place, positions as strings, resumable. */
import { EclError } from '../core/errors.ts';
import { journalEventSchemas, type JournalEventType } from '../core/journal-events.ts';
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

/**
 * @throws EclError `usage.invalid` for an unknown type or position
 */
export async function* readEvents(
  { store, artifacts }: Pick<Services, 'store' | 'artifacts'>,
  query: EventQuery & { prefix: string; stream?: string },
): AsyncIterable<PublicEvent> {
  const { types, live = false, signal, stream, prefix } = query;
  const unknown = types?.find((type) => !Object.hasOwn(journalEventSchemas, type));
  if (unknown !== undefined) {
    throw new EclError('usage.invalid', { reason: `"${unknown}" is not a type of journal event` });
  }
  const blobs = new BlobTexts(artifacts);
  const from = positionOf(query.from);
  const filter = {
    streamPrefixes: [stream ?? prefix],
    ...(types === undefined ? {} : { types }),
  };
  const wanted = (event: RecordedEvent): boolean => stream === undefined || event.stream === stream;
  if (!live && stream !== undefined) {
    for await (const event of store.readStream(stream)) {
      const isLater = typeof from !== 'bigint' || event.position > from;
      const isWanted = types === undefined || types.includes(event.type as JournalEventType);
      if (isLater && isWanted && from !== 'end') yield await publicEvent(event, blobs);
    }
    return;
  }
  const options = { from, filter, ...(signal === undefined ? {} : { signal }) };
  for await (const item of store.subscribe(options)) {
    if (item.kind === 'event') {
      if (wanted(item.event)) yield await publicEvent(item.event, blobs);
    } else if (!live) return;
  }
}
