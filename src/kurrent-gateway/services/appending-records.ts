/** `StreamsService/AppendSession` and `/AppendRecords`: appends to several streams, all or none. */
import type { sendUnaryData, ServerReadableStream, ServerUnaryCall } from '@grpc/grpc-js';
import { limits } from '../../core/limits.ts';
import type { IdGenerator } from '../../ports/id-generator.ts';
import type { ManyAppended, ManyWriter } from '../many-writer.ts';
import type { Out } from '../protocol/protobuf.ts';
import {
  AppendRecordsRequest,
  AppendRecordsResponse,
  AppendRequest,
  AppendSessionResponse,
  type RecordsRequest,
  type SessionRequest,
} from '../protocol/records-messages.ts';
import { invalidRequest, noRequests, recordsRefusal, streamTwice } from '../record-refusals.ts';
import {
  checkSessionRequest,
  checkSize,
  readChecks,
  recordEvent,
  sessionExpectation,
} from '../records.ts';
import { malformed, messageTooLarge } from '../refusals.ts';
import type { ProposedEvent } from '../stored-event.ts';
import type { StreamAppend } from '../stream-writer.ts';
import { isTooLarge, method, type Report, type TooLarge } from './method.ts';

const service = '/kurrentdb.protocol.v2.streams.StreamsService';

export const appendSessionMethod = method({
  path: `${service}/AppendSession`,
  request: AppendRequest,
  response: AppendSessionResponse,
  streams: 'request',
});

export const appendRecordsMethod = method({
  path: `${service}/AppendRecords`,
  request: AppendRecordsRequest,
  response: AppendRecordsResponse,
});

type SessionAnswer = Out<typeof AppendSessionResponse>;
type RecordsAnswer = Out<typeof AppendRecordsResponse>;

/** The appends of a session as they come. */
class Session {
  readonly #newId: () => string;
  readonly #appends: StreamAppend[] = [];
  /** The real server tells names apart without regard to case here. */
  readonly #streams = new Set<string>();
  #bytes = 0;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  /** @throws RecordsRefused, InvalidCall */
  take(request: SessionRequest): void {
    checkSessionRequest(request);
    const { stream = '', records = [], expectedRevision = -2n } = request;
    if (this.#streams.has(stream.toLowerCase())) throw streamTwice(stream);
    this.#streams.add(stream.toLowerCase());
    const context = { request: 'AppendRequest', stream, newId: this.#newId };
    const events = records.map((record) => recordEvent(record, context));
    for (const { data, metadata } of events) this.#bytes += data.length + metadata.length;
    if (this.#bytes > limits.gatewayAppendBytesMax) throw messageTooLarge();
    this.#appends.push({ stream, expected: sessionExpectation(expectedRevision)!, events });
  }

  /** @throws RecordsRefused */
  whole(): readonly StreamAppend[] {
    if (this.#appends.length === 0) throw noRequests();
    return this.#appends;
  }
}

export const handleAppendSession =
  (writer: ManyWriter, ids: IdGenerator, report: Report) =>
  (
    call: ServerReadableStream<SessionRequest | TooLarge, SessionAnswer>,
    answer: sendUnaryData<SessionAnswer>,
  ): void => {
    const session = new Session(() => ids.uuid());
    let isOver = false;
    const fail = (error: unknown): void => {
      if (isOver) return;
      isOver = true;
      report(error);
      answer(recordsRefusal(error));
    };
    const attempt = (work: () => void): void => {
      try {
        if (!isOver) work();
      } catch (error) {
        fail(error);
      }
    };
    call.on('data', (request: SessionRequest | TooLarge) =>
      attempt(() => {
        if (isTooLarge(request)) throw messageTooLarge();
        session.take(request);
      }),
    );
    call.on('end', () =>
      attempt(() => {
        writer
          .appendSession(session.whole())
          .then((appended) => answer(null, sessionAnswer(appended)), fail);
      }),
    );
  };

const sessionAnswer = ({ revisions, position }: ManyAppended): SessionAnswer => ({
  output: revisions.map(({ stream, revision }) => ({ stream, streamRevision: revision })),
  position,
});

/** Records by stream, the stream of the last record last: its position is that of the whole append. */
const byStream = (events: readonly (readonly [string, ProposedEvent])[]): StreamAppend[] => {
  const groups = new Map<string, ProposedEvent[]>();
  for (const [stream, event] of events) {
    const group = groups.get(stream) ?? [];
    groups.delete(stream);
    groups.set(stream, group);
    group.push(event);
  }
  return [...groups].map(([stream, group]) => ({ stream, expected: 'any', events: group }));
};

const appendRecords = async (
  request: RecordsRequest | TooLarge,
  writer: ManyWriter,
  newId: () => string,
): Promise<RecordsAnswer> => {
  if (isTooLarge(request)) throw messageTooLarge();
  const name = 'AppendRecordsRequest';
  const { records = [], checks = [] } = request;
  if (records.length === 0) {
    const description = 'Append records request must contain at least one record.';
    throw invalidRequest(name, [{ field: 'Records', description }]);
  }
  const events = records.map((record) => {
    const { stream = '' } = record;
    if (stream === '') throw malformed('A record names its stream');
    return [stream, recordEvent(record, { request: name, stream, newId })] as const;
  });
  checkSize(events.map(([, event]) => event));
  const { revisions, position } = await writer.appendChecked(byStream(events), readChecks(checks));
  // Told in the order in which the streams first appear.
  const order = [...new Set(events.map(([stream]) => stream))];
  const place = ({ stream }: { readonly stream: string }): number => order.indexOf(stream);
  return { revisions: revisions.toSorted((one, other) => place(one) - place(other)), position };
};

export const handleAppendRecords =
  (writer: ManyWriter, ids: IdGenerator, report: Report) =>
  (
    call: ServerUnaryCall<RecordsRequest | TooLarge, RecordsAnswer>,
    answer: sendUnaryData<RecordsAnswer>,
  ): void => {
    appendRecords(call.request, writer, () => ids.uuid()).then(
      (appended) => answer(null, appended),
      (error: unknown) => {
        report(error);
        answer(recordsRefusal(error));
      },
    );
  };
