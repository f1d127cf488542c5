// The wire: the official client's generated stubs, requests built from plain objects, answers turned into plain objects.
import { createRequire } from 'node:module';

const require = createRequire(createRequire(import.meta.url).resolve('@kurrent/kurrentdb-client'));
const stub = (path) => require(`@kurrent/kurrentdb-client/generated/kurrentdb/protocols/${path}`);
const { BinaryReader } = require('google-protobuf');
const { Timestamp } = require('google-protobuf/google/protobuf/timestamp_pb');
const { Duration } = require('google-protobuf/google/protobuf/duration_pb');
const { Value } = require('google-protobuf/google/protobuf/struct_pb');

export const grpc = require('@grpc/grpc-js');
const streams = stub('v1/streams_pb');
const persistent = stub('v1/persistentsubscriptions_pb');
const v2 = stub('v2/streams/streams_pb');
const shared = stub('v1/shared_pb');
const detailTypes = { ...stub('v2/errors_pb'), ...stub('v2/streams/errors_pb'), ...shared };

/** Opens one raw grpc-js client per service on one channel. */
export function openRaw(address) {
  const credentials = grpc.credentials.createInsecure();
  const options = { 'grpc.max_send_message_length': -1, 'grpc.max_receive_message_length': -1 };
  const open = (Client) => new Client(address, credentials, options);
  return {
    streams: open(stub('v1/streams_grpc_pb').StreamsClient),
    persistent: open(stub('v1/persistentsubscriptions_grpc_pb').PersistentSubscriptionsClient),
    v2: open(stub('v2/streams/streams_grpc_pb').StreamsServiceClient),
    features: open(stub('v1/serverfeatures_grpc_pb').ServerFeaturesClient),
    gossip: open(stub('v1/gossip_grpc_pb').GossipClient),
    generic: new grpc.Client(address, credentials, options),
  };
}

// ---- requests ----------------------------------------------------------------------------------------------------------

/** Builds a generated message: `{ field }` calls `setField`, `{ fieldMap }` fills the map; undefined leaves it unset. */
function make(Type, fields = {}) {
  const message = new Type();
  for (const [field, value] of Object.entries(fields)) {
    if (value === undefined || value === null) continue;
    const name = field[0].toUpperCase() + field.slice(1);
    if (!field.endsWith('Map')) message[`set${name}`](value);
    else for (const [key, item] of Object.entries(value)) message[`get${name}`]().set(key, item);
  }
  return message;
}

const bytes = (value) => Buffer.from(value).toString('base64');
export const empty = () => new shared.Empty();
const streamIdentifier = (name) =>
  name === undefined ? undefined : make(shared.StreamIdentifier, { streamName: bytes(name) });

/** A UUID in string form, or with `structured` as two signed big-endian halves. */
function uuid(id, structured = false) {
  if (id === undefined || id === null) return undefined;
  if (!structured) return make(shared.UUID, { string: id });
  const half = (from) =>
    BigInt.asIntN(64, BigInt(`0x${id.replaceAll('-', '').slice(from, from + 16)}`)).toString();
  return make(shared.UUID, {
    structured: make(shared.UUID.Structured, {
      mostSignificantBits: half(0),
      leastSignificantBits: half(16),
    }),
  });
}

/** `'no_stream' | 'any' | 'stream_exists' | number | undefined` as the fields of the expectation oneof. */
function expectation(expect, revisionField = 'revision') {
  const word = { no_stream: 'noStream', any: 'any', stream_exists: 'streamExists' }[expect];
  return word
    ? { [word]: empty() }
    : { [revisionField]: expect === undefined ? undefined : String(expect) };
}

const proposed = (
  Type,
  { id, type = 't', contentType = 'application/json', data = '{}', metadata, headers, structured },
) =>
  make(Type, {
    id: uuid(id, structured),
    metadataMap: headers ?? { type, 'content-type': contentType },
    data: bytes(data),
    customMetadata: metadata === undefined ? undefined : bytes(metadata),
  });

export const appendOptions = ({ stream, expect }) =>
  make(streams.AppendReq, {
    options: make(streams.AppendReq.Options, {
      streamIdentifier: streamIdentifier(stream),
      ...expectation(expect),
    }),
  });
export const appendMessage = (event) =>
  make(streams.AppendReq, { proposedMessage: proposed(streams.AppendReq.ProposedMessage, event) });

/** One BatchAppend frame. `deadlineMs` is an absolute offset from now, `durationMs` the newer relative deadline. */
export function batchFrame({
  correlation,
  structured,
  stream,
  expect,
  events = [],
  final = true,
  options = true,
  deadlineMs,
  durationMs,
}) {
  const { BatchAppendReq } = streams;
  const at =
    deadlineMs === undefined ? undefined : Timestamp.fromDate(new Date(Date.now() + deadlineMs));
  const within =
    durationMs === undefined
      ? undefined
      : make(Duration, {
          seconds: Math.floor(durationMs / 1000),
          nanos: (durationMs % 1000) * 1e6,
        });
  return make(BatchAppendReq, {
    correlationId: uuid(correlation, structured),
    isFinal: final,
    proposedMessagesList: events.map((event) => proposed(BatchAppendReq.ProposedMessage, event)),
    options: options
      ? make(BatchAppendReq.Options, {
          streamIdentifier: streamIdentifier(stream),
          ...expectation(expect, 'streamPosition'),
          deadline21100: at,
          deadline: within,
        })
      : undefined,
  });
}

/** Delete and Tombstone share their shape: `kind` is DeleteReq or TombstoneReq. */
export const removal = (kind, { stream, expect }) =>
  make(streams[kind], {
    options: make(streams[kind].Options, {
      streamIdentifier: streamIdentifier(stream),
      ...expectation(expect),
    }),
  });

const state = (expect) =>
  ({ no_stream: '-1', any: '-2', stream_exists: '-4' })[expect] ??
  (expect === undefined ? undefined : String(expect));

function record({
  id,
  stream,
  type = 't',
  format = 1,
  data = '{}',
  properties = {},
  schema = true,
}) {
  const propertiesMap = Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [key, Value.fromJavaScript(value)]),
  );
  return make(v2.AppendRecord, {
    recordId: id,
    stream,
    propertiesMap,
    data: bytes(data),
    schema: schema ? make(v2.SchemaInfo, { format, name: type }) : undefined,
  });
}

export const sessionRequest = ({ stream, expect, records = [] }) =>
  make(v2.AppendRequest, {
    stream,
    expectedRevision: state(expect),
    recordsList: records.map(record),
  });
export const recordsRequest = ({ records = [], checks = [] }) =>
  make(v2.AppendRecordsRequest, {
    recordsList: records.map(record),
    checksList: checks.map(({ stream, expect, bare }) =>
      make(v2.ConsistencyCheck, {
        streamState: bare
          ? undefined
          : make(v2.ConsistencyCheck.StreamStateCheck, { stream, expectedState: state(expect) }),
      }),
    ),
  });

const fromFields = (Position, from, revisionField) => {
  if (from === undefined) return {};
  if (from === 'start' || from === 'end') return { [from]: empty() };
  if (typeof from !== 'object') return { [revisionField]: String(from) };
  return {
    position: make(Position, {
      commitPosition: String(from.commit),
      preparePosition: String(from.prepare),
    }),
  };
};

/** A Read request. `omit` leaves out the named options, for the malformed cases. */
export function readRequest({
  stream,
  all,
  from,
  direction = 'forwards',
  count,
  subscription,
  filter,
  compatibility,
  resolveLinks = false,
  uuids = 'string',
  omit = [],
}) {
  const { Options } = streams.ReadReq;
  const { FilterOptions } = Options;
  const expression =
    filter && make(FilterOptions.Expression, { regex: filter.regex, prefixList: filter.prefixes });
  const fields = {
    stream:
      stream === undefined
        ? undefined
        : make(Options.StreamOptions, {
            streamIdentifier: streamIdentifier(stream),
            ...fromFields(null, from, 'revision'),
          }),
    all: all ? make(Options.AllOptions, fromFields(Options.Position, from)) : undefined,
    readDirection: direction === 'backwards' ? 1 : 0,
    resolveLinks,
    count: count === undefined ? undefined : String(count),
    subscription: subscription ? new Options.SubscriptionOptions() : undefined,
    filter:
      filter &&
      make(FilterOptions, {
        [filter.on === 'type' ? 'eventType' : 'streamIdentifier']: expression,
        max: filter.max,
        count: filter.max === undefined ? empty() : undefined,
        checkpointintervalmultiplier: filter.multiplier ?? 1,
      }),
    noFilter: filter ? undefined : empty(),
    uuidOption: uuids ? make(Options.UUIDOption, { [uuids]: empty() }) : undefined,
    controlOption:
      compatibility === undefined ? undefined : make(Options.ControlOption, { compatibility }),
  };
  for (const field of omit) delete fields[field];
  return make(streams.ReadReq, {
    options: omit.includes('options') ? undefined : make(Options, fields),
  });
}

export const persistentOpen = ({ stream, group, bufferSize = 10, uuids = 'string' }) => {
  const { Options } = persistent.ReadReq;
  return make(persistent.ReadReq, {
    options: make(Options, {
      streamIdentifier: streamIdentifier(stream),
      all: stream === undefined ? empty() : undefined,
      groupName: group,
      bufferSize,
      uuidOption: make(Options.UUIDOption, { [uuids]: empty() }),
    }),
  });
};
export const persistentAck = (ids) =>
  make(persistent.ReadReq, {
    ack: make(persistent.ReadReq.Ack, { idsList: ids.map((id) => uuid(id)) }),
  });
export const persistentNack = (ids, action, reason) => {
  const { Nack } = persistent.ReadReq;
  return make(persistent.ReadReq, {
    nack: make(Nack, {
      idsList: ids.map((id) => uuid(id)),
      action: Nack.Action[action.toUpperCase()],
      reason,
    }),
  });
};

// ---- answers -----------------------------------------------------------------------------------------------------------

/** Bytes as text where they are text, by length where they are long. */
export function text(value) {
  const buffer = Buffer.from(value);
  if (buffer.length > 400) return `<${buffer.length} bytes>`;
  const string = buffer.toString('utf8');
  return Buffer.from(string).equals(buffer) && !/[\x00-\x08\x0e-\x1f]/.test(string)
    ? string
    : `hex:${buffer.toString('hex')}`;
}

function uuidText(message) {
  if (message.hasString()) return message.getString();
  if (!message.hasStructured()) return 'unset';
  const half = (bits) => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0');
  const hex =
    half(message.getStructured().getMostSignificantBits()) +
    half(message.getStructured().getLeastSignificantBits());
  return `structured ${hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}`;
}

/** A generated message as a plain object. Fields that the wire can leave unset appear only when they were set. */
export function plain(message) {
  if (message instanceof shared.StreamIdentifier) return text(message.getStreamName_asU8());
  if (message instanceof shared.UUID) return uuidText(message);
  if (message instanceof Timestamp) return '<timestamp>';
  if (typeof message.getTypeUrl === 'function')
    return detail(message.getTypeUrl(), message.getValue_asU8());
  const out = {};
  for (const getter of Object.getOwnPropertyNames(Object.getPrototypeOf(message))) {
    if (!/^get[A-Z]/.test(getter) || /(_as\w+|Case)$/.test(getter)) continue;
    const name = getter.slice(3);
    if (message[`has${name}`] && !message[`has${name}`]()) continue;
    const value = message[`${getter}_asU8`] ? text(message[`${getter}_asU8`]()) : message[getter]();
    const field = name[0].toLowerCase() + name.slice(1).replace(/(List|Map)$/, '');
    if (name.endsWith('Map')) out[field] = Object.fromEntries([...value.entries()].sort());
    else if (Array.isArray(value))
      out[field] = value.map((item) => (typeof item === 'object' ? plain(item) : item));
    else if (value !== '') out[field] = typeof value === 'object' ? plain(value) : value;
  }
  return out;
}

function* fieldsOf(buffer) {
  const reader = new BinaryReader(buffer);
  while (reader.nextField())
    yield [
      reader.getFieldNumber(),
      reader.getWireType() === 2 ? reader.readBytes() : reader.readUint64String(),
    ];
}
const field = (buffer, number) =>
  [...fieldsOf(buffer)].filter(([n]) => n === number).map(([, value]) => value);

function detail(typeUrl, value) {
  const type = typeUrl.replace('type.googleapis.com/', '');
  if (type === 'google.rpc.ErrorInfo')
    return { type, reason: text(field(value, 1)[0] ?? ''), domain: text(field(value, 2)[0] ?? '') };
  if (type === 'google.rpc.BadRequest') {
    return {
      type,
      violations: field(value, 1).map((one) => ({
        field: text(field(one, 1)[0] ?? ''),
        description: text(field(one, 2)[0] ?? ''),
      })),
    };
  }
  const Type = detailTypes[type.split('.').at(-1)];
  return { type, ...(Type ? plain(Type.deserializeBinary(value)) : { base64: bytes(value) }) };
}

/** google.rpc.Status with its repeated details (the client's own stub knows only one). */
const statusDetails = (buffer) =>
  field(buffer, 3).map((any) =>
    detail(text(field(any, 1)[0] ?? ''), field(any, 2)[0] ?? new Uint8Array()),
  );

const TRANSPORT = new Set([
  'content-type',
  'date',
  'server',
  'grpc-encoding',
  'grpc-accept-encoding',
  'content-length',
  'grpc-status-details-bin',
]);
const KNOWN = new Set(['_raw', 'code', 'type', 'message', 'details', 'metadata', 'stack']);

/** An error of the raw client, the official client or its native bridge, as data. */
export function describe(error) {
  const source = error._raw ?? error;
  const all = source.metadata?.getMap?.() ?? source.metadata ?? {};
  const trailers = Object.fromEntries(
    Object.entries(all)
      .filter(([key]) => !TRANSPORT.has(key))
      .sort(),
  );
  const name = error.constructor.name === 'Error' ? undefined : error.constructor.name;
  const binary = all['grpc-status-details-bin'];
  return {
    name,
    type: error.type,
    code: error.code,
    status: grpc.status[error.code],
    message: source.details ?? error.message,
    ...Object.fromEntries(Object.entries(error).filter(([key]) => !KNOWN.has(key))),
    trailers: Object.keys(trailers).length ? trailers : undefined,
    details: Buffer.isBuffer(binary) ? statusDetails(binary) : undefined,
  };
}
