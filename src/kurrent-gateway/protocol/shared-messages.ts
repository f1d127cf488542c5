/** Messages that several services of the protocol share. The numbers are those of KurrentDB's wire format. */
import { bytes, field, int64, message, text, uint32, uint64, type Out } from './protobuf.ts';

export const Structured = message({
  mostSignificantBits: field(1, int64),
  leastSignificantBits: field(2, int64),
});

export const Uuid = message({ structured: field(1, Structured), string: field(2, text) });
export type WireUuid = Out<typeof Uuid>;

/** The name in UTF-8. */
export const StreamIdentifier = message({ streamName: field(3, bytes) });

export const AllStreamPosition = message({
  commitPosition: field(1, uint64),
  preparePosition: field(2, uint64),
});

export const Timestamp = message({ seconds: field(1, int64), nanos: field(2, uint32) });
export const Duration = message({ seconds: field(1, int64), nanos: field(2, uint32) });
export const AnyMessage = message({ typeUrl: field(1, text), value: field(2, bytes) });
