/** What the adapter writes itself: an append over several streams, whose properties are texts. */
import {
  field,
  map,
  message,
  repeated,
  sint64,
  text,
  uint32,
} from '../../kurrent-gateway/protocol/protobuf.ts';

export { AppendRecordsResponse } from '../../kurrent-gateway/protocol/records-messages.ts';
export { ReadReq, ReadResp } from '../../kurrent-gateway/protocol/streams-messages.ts';

/** `google.protobuf.Value` that is a text. */
const TextValue = message({ stringValue: field(3, text) });

export const AppendRecordsRequest = message({
  records: repeated(
    1,
    message({
      recordId: field(1, text),
      properties: map(2, TextValue),
      schema: field(3, message({ format: field(1, uint32), name: field(2, text) })),
      // Bytes, which are the text's in UTF-8.
      data: field(4, text),
      stream: field(5, text),
    }),
  ),
  checks: repeated(
    2,
    message({
      streamState: field(1, message({ stream: field(1, text), expectedState: field(2, sint64) })),
    }),
  ),
});

export const schemaFormats = { json: 1, bytes: 4 } as const;
export const states = { noStream: -1, streamExists: -4 } as const;
