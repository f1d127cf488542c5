/**
 * Events of the port as the client takes and gives them.
 *
 * 1. Data is kept to the byte. The client writes JSON through `JSON`, so a text is stored as JSON where that gives the
 *    same text again, as ECL's own always does, and as octets where it does not.
 * 2. Metadata of a journal is stored as texts, since an append over several streams can hold nothing else; then it looks
 *    the same to a subscriber however it was appended. Any other metadata goes as it is, or folded into one text.
 */
import type { BinaryEventData, JSONEventData, JSONType } from '@kurrent/kurrentdb-client';
import { storedMetadata } from '../../ports/event-metadata.ts';
import type { EventData, EventMetadata, RecordedEvent } from '../../ports/event-store.ts';
import type { Frame } from './wire.ts';

export type ClientEvent = JSONEventData | BinaryEventData;
type WireRecorded = NonNullable<NonNullable<Frame['event']>['event']>;

/** Holds the JSON text of metadata that is more than texts by name. */
const foldedName = 'ecl.metadata';
const schemaOfServer = ['$schema.name', '$schema.format'];
const hashForm = /^[0-9a-f]{64}$/;

const isJournal = (metadata: EventMetadata): boolean =>
  hashForm.test(String(metadata.hash)) && hashForm.test(String(metadata.prev));

const withTexts = (type: string, metadata: EventMetadata): Record<string, unknown> => {
  const copy = storedMetadata(type, metadata);
  if (!isJournal(copy) || !Number.isSafeInteger(copy.schema)) return copy;
  return { ...copy, schema: String(copy.schema) };
};

const isFlat = (metadata: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(metadata).every(
    ([name, value]) =>
      typeof value === 'string' && name !== foldedName && !schemaOfServer.includes(name),
  );

const withData = (
  data: string,
): Pick<JSONEventData, 'contentType' | 'data'> | Pick<BinaryEventData, 'contentType' | 'data'> => {
  try {
    const value = JSON.parse(data) as JSONType;
    if (JSON.stringify(value) === data) return { contentType: 'application/json', data: value };
  } catch {
    // Text that is no JSON is none of ours, and is kept all the same.
  }
  return { contentType: 'application/octet-stream', data: Buffer.from(data, 'utf8') };
};

/** An event for an append to one stream. @throws EclError `input.not-json` */
export const toClientEvent = ({ id, type, data, metadata }: EventData): ClientEvent => ({
  id,
  type,
  ...withData(data),
  metadata: withTexts(type, metadata),
});

/** Its metadata for an append over several streams, where it is texts by name. */
export const textsOf = ({ metadata }: ClientEvent): Readonly<Record<string, string>> => {
  const fields = metadata as Readonly<Record<string, unknown>>;
  if (isFlat(fields)) return fields as Readonly<Record<string, string>>;
  return { [foldedName]: JSON.stringify(fields) };
};

/** Whether an append over several streams may have an event of this type. */
export const isRecordType = (type: string): boolean => /^[\p{L}\p{N}_.$:-]+$/u.test(type);

const metadataOf = (stored: unknown): EventMetadata => {
  if (typeof stored !== 'object' || stored === null || Array.isArray(stored)) return {};
  const { [foldedName]: folded, ...others } = stored as Record<string, unknown>;
  if (typeof folded === 'string') {
    try {
      return JSON.parse(folded) as EventMetadata;
    } catch {
      return { [foldedName]: folded, ...others };
    }
  }
  const metadata = folded === undefined ? others : { [foldedName]: folded, ...others };
  for (const name of schemaOfServer) delete metadata[name];
  const { schema } = metadata;
  if (typeof schema === 'string' && /^\d{1,15}$/.test(schema) && isJournal(metadata)) {
    return { ...metadata, schema: Number(schema) };
  }
  return metadata;
};

const parsedMetadata = (bytes: Buffer | undefined): unknown => {
  if (bytes === undefined || bytes.length === 0) return {};
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return {};
  }
};

/** An event as the wire gives it: the text of its data is that of the store, to the byte. */
export const fromWire = (recorded: WireRecorded): RecordedEvent => ({
  id: recorded.id?.string ?? '',
  type: recorded.metadata?.get('type') ?? '',
  data: recorded.data?.toString('utf8') ?? '',
  metadata: metadataOf(parsedMetadata(recorded.customMetadata)),
  stream: recorded.streamIdentifier?.streamName?.toString('utf8') ?? '',
  revision: Number(recorded.streamRevision ?? 0n),
  position: recorded.commitPosition ?? 0n,
});
