/** `kurrentdb.protocol.v2.streams.StreamsService`: appends to several streams, with checks, and their errors. */
import {
  bool,
  bytes,
  double,
  field,
  lazyMessage,
  map,
  message,
  repeated,
  sint64,
  text,
  uint32,
  type In,
  type Message,
} from './protobuf.ts';
import { AnyMessage } from './shared-messages.ts';

/** `google.protobuf.Value`; exactly one field is set. */
export interface WireValue {
  readonly nullValue?: number;
  readonly numberValue?: number;
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly structValue?: { readonly fields?: Map<string, WireValue> };
  readonly listValue?: { readonly values?: WireValue[] };
}

const Value: Message<WireValue, never> = lazyMessage(() => ({
  nullValue: field(1, uint32),
  numberValue: field(2, double),
  stringValue: field(3, text),
  boolValue: field(4, bool),
  structValue: field(5, message({ fields: map(1, Value) })),
  listValue: field(6, message({ values: repeated(1, Value) })),
}));

const AppendRecord = message({
  recordId: field(1, text),
  properties: map(2, Value),
  schema: field(3, message({ format: field(1, uint32), name: field(2, text), id: field(3, text) })),
  data: field(4, bytes),
  stream: field(5, text),
});
export type WireRecord = In<typeof AppendRecord>;

export const AppendRequest = message({
  stream: field(1, text),
  records: repeated(2, AppendRecord),
  expectedRevision: field(3, sint64),
});
export type SessionRequest = In<typeof AppendRequest>;

export const AppendSessionResponse = message({
  output: repeated(1, message({ stream: field(1, text), streamRevision: field(2, sint64) })),
  position: field(2, sint64),
});

const ConsistencyCheck = message({
  streamState: field(1, message({ stream: field(1, text), expectedState: field(2, sint64) })),
});
export type WireCheck = In<typeof ConsistencyCheck>;

export const AppendRecordsRequest = message({
  records: repeated(1, AppendRecord),
  checks: repeated(2, ConsistencyCheck),
});
export type RecordsRequest = In<typeof AppendRecordsRequest>;

export const AppendRecordsResponse = message({
  revisions: repeated(1, message({ stream: field(1, text), revision: field(2, sint64) })),
  position: field(2, sint64),
});

/** `google.rpc.Status`, which travels in the trailer `grpc-status-details-bin`. */
export const Status = message({
  code: field(1, uint32),
  message: field(2, text),
  details: repeated(3, AnyMessage),
});

export const ErrorInfo = message({ reason: field(1, text), domain: field(2, text) });

export const FieldViolations = message({
  violations: repeated(1, message({ field: field(1, text), description: field(2, text) })),
});

/** Of every detail that names nothing but a stream. */
export const StreamDetails = message({ stream: field(1, text) });

export const RevisionConflictDetails = message({
  stream: field(1, text),
  expectedRevision: field(2, sint64),
  actualRevision: field(3, sint64),
});

export const RecordSizeExceededDetails = message({
  stream: field(1, text),
  recordId: field(2, text),
  size: field(3, uint32),
  maxSize: field(4, uint32),
});

export const ConsistencyViolationDetails = message({
  violations: repeated(
    1,
    message({
      checkIndex: field(1, uint32),
      streamState: field(
        2,
        message({
          stream: field(1, text),
          expectedState: field(2, sint64),
          actualState: field(3, sint64),
        }),
      ),
    }),
  ),
});
