/** `event_store.client.streams.Streams`: append, batch append, read, delete and tombstone. */
import {
  bool,
  bytes,
  empty,
  field,
  int64,
  map,
  message,
  repeated,
  text,
  uint32,
  uint64,
  type In,
  type Out,
} from './protobuf.ts';
import {
  AllStreamPosition,
  AnyMessage,
  Duration,
  StreamIdentifier,
  Timestamp,
  Uuid,
} from './shared-messages.ts';

/** Expected revisions stand at the same numbers in every request. */
const expectation = {
  streamIdentifier: field(1, StreamIdentifier),
  revision: field(2, uint64),
  noStream: field(3, empty),
  anyRevision: field(4, empty),
  streamExists: field(5, empty),
};

const Options = message(expectation);
export type WireExpectation = In<typeof Options>;

const ProposedMessage = message({
  id: field(1, Uuid),
  metadata: map(2, text),
  customMetadata: field(3, bytes),
  data: field(4, bytes),
});
export type WireProposed = In<typeof ProposedMessage>;

export const AppendReq = message({
  options: field(1, Options),
  proposedMessage: field(2, ProposedMessage),
});

const AppendSuccess = message({
  currentRevision: field(1, uint64),
  noStream: field(2, empty),
  position: field(3, AllStreamPosition),
  noPosition: field(4, empty),
});
export type WireSuccess = Out<typeof AppendSuccess>;

const AppendWrongExpectedVersion = message({
  // Numbers 1 to 5 are the form of version 20.6, which the server still sends beside the newer one.
  currentRevision2060: field(1, uint64),
  noStream2060: field(2, empty),
  expectedRevision2060: field(3, uint64),
  any2060: field(4, empty),
  streamExists2060: field(5, empty),
  currentRevision: field(6, uint64),
  currentNoStream: field(7, empty),
  expectedRevision: field(8, uint64),
  expectedAny: field(9, empty),
  expectedStreamExists: field(10, empty),
  expectedNoStream: field(11, empty),
});

export const AppendResp = message({
  success: field(1, AppendSuccess),
  wrongExpectedVersion: field(2, AppendWrongExpectedVersion),
});

export const BatchAppendReq = message({
  correlationId: field(1, Uuid),
  options: field(
    2,
    message({
      ...expectation,
      deadlineAt: field(6, Timestamp),
      deadline: field(7, Duration),
    }),
  ),
  proposedMessages: repeated(3, ProposedMessage),
  isFinal: field(4, bool),
});
export type BatchFrame = In<typeof BatchAppendReq>;

export const BatchAppendResp = message({
  correlationId: field(1, Uuid),
  error: field(
    2,
    message({ code: field(1, uint32), message: field(2, text), details: field(3, AnyMessage) }),
  ),
  success: field(3, AppendSuccess),
  streamIdentifier: field(4, StreamIdentifier),
});
export type BatchAnswer = Out<typeof BatchAppendResp>;

export const RemovalReq = message({ options: field(1, Options) });
export const RemovalResp = message({
  position: field(1, AllStreamPosition),
  noPosition: field(2, empty),
});

const Expression = message({ regex: field(1, text), prefix: repeated(2, text) });

const FilterOptions = message({
  streamIdentifier: field(1, Expression),
  eventType: field(2, Expression),
  max: field(3, uint32),
  count: field(4, empty),
  checkpointIntervalMultiplier: field(5, uint32),
});
export type WireFilter = In<typeof FilterOptions>;

const ReadOptions = message({
  stream: field(
    1,
    message({
      streamIdentifier: field(1, StreamIdentifier),
      revision: field(2, uint64),
      start: field(3, empty),
      end: field(4, empty),
    }),
  ),
  all: field(
    2,
    message({
      position: field(1, AllStreamPosition),
      start: field(2, empty),
      end: field(3, empty),
    }),
  ),
  readDirection: field(3, uint32),
  resolveLinks: field(4, bool),
  count: field(5, uint64),
  subscription: field(6, empty),
  filter: field(7, FilterOptions),
  noFilter: field(8, empty),
  uuidOption: field(9, message({ structured: field(1, empty), string: field(2, empty) })),
  controlOption: field(10, message({ compatibility: field(1, uint32) })),
});
export type WireReadOptions = In<typeof ReadOptions>;

export const ReadReq = message({ options: field(1, ReadOptions) });

const WireRecordedEvent = message({
  id: field(1, Uuid),
  streamIdentifier: field(2, StreamIdentifier),
  streamRevision: field(3, uint64),
  preparePosition: field(4, uint64),
  commitPosition: field(5, uint64),
  metadata: map(6, text),
  customMetadata: field(7, bytes),
  data: field(8, bytes),
});
export type WireRecorded = Out<typeof WireRecordedEvent>;

const CaughtUp = message({
  timestamp: field(1, Timestamp),
  streamRevision: field(2, int64),
  position: field(3, AllStreamPosition),
});

export const ReadResp = message({
  event: field(
    1,
    message({
      event: field(1, WireRecordedEvent),
      link: field(2, WireRecordedEvent),
      commitPosition: field(3, uint64),
      noPosition: field(4, empty),
    }),
  ),
  confirmation: field(2, message({ subscriptionId: field(1, text) })),
  checkpoint: field(
    3,
    message({
      commitPosition: field(1, uint64),
      preparePosition: field(2, uint64),
      timestamp: field(3, Timestamp),
    }),
  ),
  streamNotFound: field(4, message({ streamIdentifier: field(1, StreamIdentifier) })),
  firstStreamPosition: field(5, uint64),
  lastStreamPosition: field(6, uint64),
  caughtUp: field(8, CaughtUp),
});
export type ReadFrame = Out<typeof ReadResp>;

/** Details of refused appends, which BatchAppend sends inside its answers. */
export const WrongExpectedVersion = message({
  currentStreamRevision: field(1, uint64),
  currentNoStream: field(2, empty),
  expectedStreamPosition: field(3, uint64),
  expectedAny: field(4, empty),
  expectedStreamExists: field(5, empty),
  expectedNoStream: field(6, empty),
});
export const StreamDeleted = message({ streamIdentifier: field(1, StreamIdentifier) });
export const BadRequest = message({ message: field(1, text) });
