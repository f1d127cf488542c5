/** `Streams/Append`: one append a call, its events one message each. */
import type { sendUnaryData, ServerReadableStream } from '@grpc/grpc-js';
import { WrongExpectedRevision } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { ExpectedRevision } from '../../ports/event-store.ts';
import { expectedRevision, proposedEvent, streamName } from '../proposals.ts';
import type { In, Out } from '../protocol/protobuf.ts';
import { AppendReq, AppendResp, type WireSuccess } from '../protocol/streams-messages.ts';
import { invalid, malformed, messageTooLarge, refusalOf } from '../refusals.ts';
import type { ProposedEvent } from '../stored-event.ts';
import type { Appended, StreamAppend, StreamWriter } from '../stream-writer.ts';
import { isTooLarge, method, type Report, type TooLarge } from './method.ts';

/** Larger messages end their call, as on the real server: 16 MiB less what a record needs besides its data. */
export const messageBytesMax = 16 * 1024 * 1024 - 10_000;

export const appendMethod = method({
  path: '/event_store.client.streams.Streams/Append',
  request: AppendReq,
  response: AppendResp,
  streams: 'request',
  requestBytesMax: messageBytesMax,
});

/** How an append that succeeded is told. */
export const success = ({ revision, position }: Appended): WireSuccess => ({
  ...(revision === undefined ? { noStream: {} } : { currentRevision: revision }),
  ...(position === undefined
    ? { noPosition: {} }
    : { position: { commitPosition: position, preparePosition: position } }),
});

const noStream2060 = 0xffff_ffff_ffff_ffffn;

const wrongVersion = (error: WrongExpectedRevision): Out<typeof AppendResp> => {
  const { expected, actual } = error.details as {
    expected: ExpectedRevision;
    actual: number | 'no-stream';
  };
  const found =
    actual === 'no-stream'
      ? { noStream2060: {}, currentNoStream: {} }
      : { currentRevision2060: actual, currentRevision: actual };
  return { wrongExpectedVersion: { ...found, ...wanted(expected) } };
};

const wanted = (expected: ExpectedRevision): object => {
  if (expected === 'any') return { any2060: {}, expectedAny: {} };
  if (expected === 'stream-exists') return { streamExists2060: {}, expectedStreamExists: {} };
  if (expected === 'no-stream') {
    return { expectedRevision2060: noStream2060, expectedNoStream: {} };
  }
  return { expectedRevision2060: expected, expectedRevision: expected };
};

const request = 'AppendReq+Types+Options+ExpectedStreamRevisionOneofCase';

/** What a call has sent so far. */
class Incoming {
  #options: Omit<StreamAppend, 'events'> | undefined;
  readonly #events: ProposedEvent[] = [];
  #bytes = 0;

  /** @throws InvalidCall */
  take({ options, proposedMessage }: In<typeof AppendReq>): void {
    if (options !== undefined) {
      if (this.#options !== undefined) throw malformed('Options come once');
      this.#options = { stream: streamName(options), expected: expectedRevision(options, request) };
    } else if (this.#options === undefined) throw malformed('Options come before events');
    else if (proposedMessage !== undefined) this.#add(proposedEvent(proposedMessage));
  }

  /** @throws InvalidCall */
  whole(): StreamAppend {
    if (this.#options === undefined) throw malformed('An append has options');
    return { ...this.#options, events: this.#events };
  }

  #add(event: ProposedEvent): void {
    this.#bytes += event.data.length + event.metadata.length;
    if (this.#bytes > limits.gatewayAppendBytesMax) {
      throw invalid(`An append has at most ${limits.gatewayAppendBytesMax} bytes`);
    }
    this.#events.push(event);
  }
}

export const handleAppend =
  (writer: StreamWriter, report: Report) =>
  (
    call: ServerReadableStream<In<typeof AppendReq> | TooLarge, Out<typeof AppendResp>>,
    answer: sendUnaryData<Out<typeof AppendResp>>,
  ): void => {
    const incoming = new Incoming();
    let isOver = false;
    const fail = (error: unknown): void => {
      if (isOver) return;
      isOver = true;
      if (error instanceof WrongExpectedRevision) answer(null, wrongVersion(error));
      else {
        report(error);
        answer(refusalOf(error));
      }
    };
    call.on('data', (request: In<typeof AppendReq> | TooLarge) => {
      if (isOver) return;
      try {
        if (isTooLarge(request)) throw messageTooLarge();
        incoming.take(request);
      } catch (error) {
        fail(error);
      }
    });
    call.on('end', () => {
      if (isOver) return;
      try {
        writer
          .append(incoming.whole())
          .then((appended) => answer(null, { success: success(appended) }), fail);
      } catch (error) {
        fail(error);
      }
    });
  };
