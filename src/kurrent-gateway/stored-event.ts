/**
 * Between events as the protocol has them and as the store keeps them.
 *
 * 1. What the store cannot say itself stands in the event's metadata under names that begin with `$`: when it was
 *    recorded, content that is not JSON, metadata that is not an object. Whoever reads the store directly sees JSON.
 * 2. Data comes back to the byte; so does metadata, but for the order of its names.
 * 3. An event of a journal gets nothing added, so that it is the same whether ECL wrote it to the store or sent it here.
 */
import { isUtf8 } from 'node:buffer';
import type { EventData, EventMetadata, RecordedEvent } from '../ports/event-store.ts';

/** An event that a client proposes. */
export interface ProposedEvent {
  readonly id: string;
  readonly type: string;
  /** Whether the client says that it is JSON; nobody checks. */
  readonly isJson: boolean;
  readonly data: Buffer;
  /** Empty where there is none. */
  readonly metadata: Buffer;
}

/** An event as it goes over the wire. */
export interface WireEvent {
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly data: Buffer;
  readonly metadata: Buffer;
}

const names = {
  created: '$created',
  contentType: '$contentType',
  dataEncoding: '$dataEncoding',
  metadata: '$metadata',
  metadataEncoding: '$metadataEncoding',
  /** The stream that this event ends for good; see `tombstoneEvent`. */
  tombstone: '$tombstone',
} as const;
const reserved: ReadonlySet<string> = new Set(Object.values(names));

const nothing = Buffer.alloc(0);
const octets = 'application/octet-stream';

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

/** Bytes as a text and the encoding that it is in. */
const encode = (bytes: Buffer): readonly [text: string, encoding: 'text' | 'base64'] =>
  isUtf8(bytes) ? [bytes.toString('utf8'), 'text'] : [bytes.toString('base64'), 'base64'];

const decode = (text: string, encoding: unknown): Buffer =>
  Buffer.from(text, encoding === 'base64' ? 'base64' : 'utf8');

const isStorableObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !Object.hasOwn(value, '__proto__') &&
  !Object.keys(value).some((name) => reserved.has(name));

const metadataFields = (bytes: Buffer): Record<string, unknown> => {
  if (bytes.length === 0) return {};
  const [text, encoding] = encode(bytes);
  const parsed = encoding === 'text' ? parse(text) : undefined;
  // Numbers beyond 2^53 and other texts that JSON.parse does not keep stay as they are.
  if (isStorableObject(parsed) && JSON.stringify(parsed) === text) return parsed;
  return encoding === 'text'
    ? { [names.metadata]: text }
    : { [names.metadata]: text, [names.metadataEncoding]: encoding };
};

/** @param created ISO 8601, or undefined for an event that says itself when it was recorded */
export const toStored = (event: ProposedEvent, created: string | undefined): EventData => {
  const metadata = metadataFields(event.metadata);
  if (created !== undefined) metadata[names.created] = created;
  if (!event.isJson) metadata[names.contentType] = octets;
  const { id, type } = event;
  const [text, encoding] = encode(event.data);
  if (event.isJson && encoding === 'text' && !text.includes('\0') && parse(text) !== undefined) {
    return { id, type, data: text, metadata };
  }
  metadata[names.dataEncoding] = encoding;
  return { id, type, data: JSON.stringify(text), metadata };
};

const isPlain = (metadata: EventMetadata): boolean => {
  for (const name of reserved) if (metadata[name] !== undefined) return false;
  return true;
};

const metadataBytes = (metadata: EventMetadata): Buffer => {
  const raw = metadata[names.metadata];
  if (typeof raw === 'string') return decode(raw, metadata[names.metadataEncoding]);
  let given: Record<string, unknown> = metadata;
  if (!isPlain(metadata)) {
    given = {};
    for (const name of Object.keys(metadata)) {
      if (!reserved.has(name)) given[name] = metadata[name];
    }
  }
  if (given[schemaFormat] !== undefined) return Buffer.from(recordMetadata(given));
  const text = JSON.stringify(given);
  return text === '{}' ? nothing : Buffer.from(text);
};

const schemaName = '$schema.name';
const schemaFormat = '$schema.format';

/** JSON with blanks inside brackets, as the real server writes the properties of records. */
const spaced = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value))
    return value.length === 0 ? '[ ]' : `[ ${value.map(spaced).join(', ')} ]`;
  const entries = Object.entries(value).map(
    ([name, one]) => `${JSON.stringify(name)}: ${spaced(one)}`,
  );
  return entries.length === 0 ? '{ }' : `{ ${entries.join(', ')} }`;
};

/** Properties of a record, and behind them its schema. */
const recordMetadata = (fields: Record<string, unknown>): string => {
  const { [schemaName]: name, [schemaFormat]: format, ...properties } = fields;
  const schema =
    format === 'Json'
      ? { [schemaName]: name, [schemaFormat]: format }
      : { [schemaFormat]: format, [schemaName]: name };
  return spaced({ ...properties, ...schema });
};

const createdOf = (metadata: EventMetadata): number => {
  const created = metadata[names.created] ?? metadata.at;
  const instant = typeof created === 'string' ? Date.parse(created) : Number.NaN;
  return Number.isNaN(instant) ? 0 : instant;
};

const dataOf = (text: string, encoding: unknown): Buffer => {
  if (encoding === undefined) return Buffer.from(text);
  const inner = parse(text);
  return typeof inner === 'string' ? decode(inner, encoding) : Buffer.from(text);
};

export const fromStored = ({ id, type, data, metadata }: RecordedEvent): WireEvent => ({
  id,
  type,
  isJson: metadata[names.contentType] === undefined,
  created: createdOf(metadata),
  data: dataOf(data, metadata[names.dataEncoding]),
  metadata: metadataBytes(metadata),
});

/** When an event was recorded, in milliseconds since 1970; 0 where nobody wrote it down. */
export const recordedAt = (event: RecordedEvent): number => createdOf(event.metadata);

const tombstoneType = '$streamDeleted';

/** What stands at the end of the metadata of a stream that is gone for good; on the wire it is the stream's own end. */
export const tombstoneEvent = (stream: string, id: string, created: string): EventData => ({
  id,
  type: tombstoneType,
  data: '""',
  metadata: {
    [names.created]: created,
    [names.contentType]: octets,
    [names.dataEncoding]: 'text',
    [names.tombstone]: stream,
  },
});

/** The stream that an event ends for good, or undefined for any other event. */
export const tombstonedStream = (event: RecordedEvent): string | undefined => {
  if (event.type !== tombstoneType) return undefined;
  const stream = event.metadata[names.tombstone];
  return typeof stream === 'string' ? stream : undefined;
};
