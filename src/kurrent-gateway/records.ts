/** What a client of the second version proposes, read from its records. */
import { status } from '@grpc/grpc-js';
import { limits } from '../core/limits.ts';
import type { ExpectedRevision } from '../ports/event-store.ts';
import type { Check, CheckedState } from './many-writer.ts';
import type {
  SessionRequest,
  WireCheck,
  WireRecord,
  WireValue,
} from './protocol/records-messages.ts';
import { uuidText } from './protocol/uuid.ts';
import { invalidRequest, recordTooLarge, type FieldViolation } from './record-refusals.ts';
import { InvalidCall, malformed } from './refusals.ts';
import type { ProposedEvent } from './stored-event.ts';

/** Largest record: its data, and what belongs to it. */
const recordBytesMax = 16 * 1024 * 1024;
const recordOverheadBytes = 26;

const formats = ['Unspecified', 'Json', 'Protobuf', 'Avro', 'Bytes'];
const namePattern = /^[\p{L}\p{N}_.:$-]+$/u;

const plain = (value: WireValue): unknown => {
  if (value.numberValue !== undefined) return value.numberValue;
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.listValue !== undefined) return (value.listValue.values ?? []).map(plain);
  if (value.structValue === undefined) return null;
  const fields = [...(value.structValue.fields ?? [])];
  return Object.fromEntries(fields.map(([name, field]) => [name, plain(field)]));
};

const violationsOf = ({ recordId, schema }: WireRecord): FieldViolation[] => {
  const { name = '', format = 0 } = schema ?? {};
  const found: FieldViolation[] = [];
  if (recordId !== undefined && recordId !== '' && uuidText(recordId) === undefined) {
    found.push({
      field: 'RecordId.Record ID',
      description: 'Record ID must be a valid and non-empty UUID.',
    });
  }
  if (name === '') {
    found.push({ field: 'Schema.Name.Schema name', description: 'Schema name must not be empty.' });
  }
  if (!namePattern.test(name)) {
    const allowed =
      'alphanumeric characters, underscores, dashes, periods, colons, and dollar signs';
    const description = `Schema name can only contain ${allowed}. Attempted Value: ${name}`;
    found.push({ field: 'Schema.Name.Schema name', description });
  }
  if (format === 0) {
    const description = 'Schema format must not be Unspecified.';
    found.push({ field: 'Schema.Format.Schema format', description });
  }
  return found;
};

export interface RecordContext {
  /** Name of the message that a refusal names. */
  readonly request: string;
  readonly stream: string;
  /** For a record without an id. */
  readonly newId: () => string;
}

/** @throws RecordsRefused, InvalidCall */
export const recordEvent = (record: WireRecord, context: RecordContext): ProposedEvent => {
  const { request, stream, newId } = context;
  if (record.schema === undefined) throw malformed('A record has a schema');
  const violations = violationsOf(record);
  if (violations.length > 0) throw invalidRequest(request, violations);
  const { name: type = '', format = 0 } = record.schema;
  const data = record.data ?? Buffer.alloc(0);
  const properties = [...(record.properties ?? [])].map(([name, value]) => [name, plain(value)]);
  const described = {
    ...(Object.fromEntries(properties) as Record<string, unknown>),
    '$schema.name': type,
    '$schema.format': formats[format] ?? 'Bytes',
  };
  const id = record.recordId === undefined || record.recordId === '' ? newId() : record.recordId;
  const size = data.length + 2 * Buffer.byteLength(type) + recordOverheadBytes;
  if (size > recordBytesMax)
    throw recordTooLarge({ stream, recordId: id, size, maxSize: recordBytesMax });
  const metadata = Buffer.from(JSON.stringify(described));
  return { id: id.toLowerCase(), type, isJson: format === 1, data, metadata };
};

const request = 'AppendRequest';

/** @throws RecordsRefused for an append of a session without a stream, without records or with another expectation */
export const checkSessionRequest = ({
  stream,
  records,
  expectedRevision,
}: SessionRequest): void => {
  const found: FieldViolation[] = [];
  if (stream === undefined || stream === '') {
    found.push({ field: 'Stream.Stream', description: 'Stream must not be empty.' });
  }
  if (records === undefined) {
    const description = 'Stream append request must contain at least one record';
    found.push({ field: 'Records', description });
  }
  if (expectedRevision !== undefined && sessionExpectation(expectedRevision) === undefined) {
    const description =
      'Expected revision must be positive or one of the allowed constants: NoStream (-1), Any (-2) or Exists (-4).';
    found.push({ field: 'ExpectedRevision', description });
  }
  if (found.length > 0) throw invalidRequest(request, found);
};

export const sessionExpectation = (expected: bigint): ExpectedRevision | undefined => {
  if (expected >= 0n) return Number(expected);
  const words: Readonly<Record<string, ExpectedRevision>> = {
    '-1': 'no-stream',
    '-2': 'any',
    '-4': 'stream-exists',
  };
  return words[String(expected)];
};

const states: Readonly<Record<string, CheckedState>> = {
  '-1': 'no-stream',
  '-4': 'stream-exists',
  '-5': 'deleted',
  '-6': 'tombstoned',
};

const checkViolation = (
  { streamState }: WireCheck,
  index: number,
  earlier: ReadonlySet<string>,
): FieldViolation | undefined => {
  const field = `Checks[${index}]`;
  if (streamState === undefined) {
    const description = 'Each consistency check must specify a type.';
    return { field: `${field}.TypeCase`, description };
  }
  const { stream = '', expectedState = 0n } = streamState;
  if (stream === '') {
    const description = 'Stream must not be empty.';
    return { field: `${field}.StreamState.Stream.Stream`, description };
  }
  if (expectedState < 0n && states[String(expectedState)] === undefined) {
    const allowed = 'NoStream (-1), Exists (-4), Deleted (-5), or Tombstoned (-6)';
    return {
      field: `${field}.StreamState.ExpectedState`,
      description: `Expected state must be positive or one of the allowed constants: ${allowed}. Any (-2) is not allowed.`,
    };
  }
  if (!earlier.has(stream)) return undefined;
  return {
    field: 'Checks',
    description: 'Each stream can only appear once in consistency checks.',
  };
};

/** @throws RecordsRefused */
export const readChecks = (wire: readonly WireCheck[]): Check[] => {
  const violations: FieldViolation[] = [];
  const seen = new Set<string>();
  for (const [index, check] of wire.entries()) {
    const violation = checkViolation(check, index, seen);
    if (violation !== undefined) violations.push(violation);
    seen.add(check.streamState?.stream ?? '');
  }
  if (violations.length > 0) throw invalidRequest('AppendRecordsRequest', violations);
  return wire.map(({ streamState }) => {
    const { stream = '', expectedState = 0n } = streamState!;
    const expected = expectedState < 0n ? states[String(expectedState)]! : Number(expectedState);
    return { stream, expected };
  });
};

/** @throws InvalidCall for more bytes than one append may have */
export const checkSize = (events: readonly ProposedEvent[]): void => {
  let bytes = 0;
  for (const { data, metadata } of events) bytes += data.length + metadata.length;
  const limit = limits.gatewayAppendBytesMax;
  if (bytes <= limit) return;
  throw new InvalidCall(status.ABORTED, `The append has ${bytes} bytes; the limit is ${limit}`);
};
