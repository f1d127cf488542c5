/** Stored events and the other things that a reader is told, as frames of the wire. */
import type { RecordedEvent } from '../ports/event-store.ts';
import type { ReadFrame, WireRecorded } from './protocol/streams-messages.ts';
import { structuredUuid } from './protocol/uuid.ts';
import { fromStored, tombstonedStream } from './stored-event.ts';
import { deletedMarker } from './stream-metadata.ts';

export type UuidForm = 'string' | 'structured';

const octets = 'application/octet-stream';
const ticksPerMs = 10_000n;

/** The stream that a reader sees an event in: a tombstone is kept in the metadata, but ends the stream itself. */
export const shownStream = (event: RecordedEvent): string =>
  tombstonedStream(event) ?? event.stream;

export const wireRecorded = (event: RecordedEvent, uuids: UuidForm): WireRecorded => {
  const { position } = event;
  const { id, type, isJson, created, data, metadata } = fromStored(event);
  const ended = tombstonedStream(event);
  return {
    id: uuids === 'string' ? { string: id } : structuredUuid(id),
    streamIdentifier: { streamName: Buffer.from(ended ?? event.stream) },
    streamRevision: ended === undefined ? event.revision : deletedMarker,
    preparePosition: position,
    commitPosition: position,
    metadata: {
      type,
      'content-type': isJson ? 'application/json' : octets,
      created: String(BigInt(created) * ticksPerMs),
    },
    customMetadata: metadata,
    data,
  };
};

export const eventFrame = (event: RecordedEvent, uuids: UuidForm): ReadFrame => ({
  event: { event: wireRecorded(event, uuids), commitPosition: event.position },
});

export const linkFrame = (
  link: RecordedEvent,
  event: RecordedEvent | undefined,
  uuids: UuidForm,
): ReadFrame => ({
  event: {
    ...(event === undefined ? {} : { event: wireRecorded(event, uuids) }),
    link: wireRecorded(link, uuids),
    commitPosition: link.position,
  },
});

export interface Position {
  readonly commit: bigint;
  readonly prepare: bigint;
}

export const wireTimestamp = (
  ms: number,
): { readonly seconds: number; readonly nanos: number } => ({
  seconds: Math.floor(ms / 1_000),
  nanos: (ms % 1_000) * 1_000_000,
});

export const checkpointFrame = ({ commit, prepare }: Position, nowMs: number): ReadFrame => ({
  checkpoint: {
    commitPosition: commit,
    preparePosition: prepare,
    timestamp: wireTimestamp(nowMs),
  },
});
