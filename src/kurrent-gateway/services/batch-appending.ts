/**
 * `Streams/BatchAppend`: any number of appends on one call, told apart by their correlation ids.
 *
 * 1. A refused append is an answer, not the end of the call; only a message that is too large ends it.
 * 2. The frames of one append are gathered until the last; what is gathered and what is under way is bounded.
 * 3. Appends are handed to the store in the order of their last frames; answers come when they are ready.
 */
import { status, type ServerDuplexStream } from '@grpc/grpc-js';
import { EclError, WrongExpectedRevision } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ExpectedRevision } from '../../ports/event-store.ts';
import { expectedRevision, proposedEvent, streamName } from '../proposals.ts';
import { empty, type In } from '../protocol/protobuf.ts';
import {
  BadRequest,
  BatchAppendReq,
  BatchAppendResp,
  StreamDeleted,
  WrongExpectedVersion,
  type BatchAnswer,
  type BatchFrame,
} from '../protocol/streams-messages.ts';
import { uuidOf } from '../protocol/uuid.ts';
import { InvalidCall, invalid, malformed, messageTooLarge, refusalOf } from '../refusals.ts';
import type { StreamAppend, StreamWriter } from '../stream-writer.ts';
import { messageBytesMax, success } from './appending.ts';
import { isTooLarge, method, type Report, type TooLarge } from './method.ts';

export const batchAppendMethod = method({
  path: '/event_store.client.streams.Streams/BatchAppend',
  request: BatchAppendReq,
  response: BatchAppendResp,
  streams: 'both',
  requestBytesMax: messageBytesMax,
});

type Call = ServerDuplexStream<In<typeof BatchAppendReq> | TooLarge, BatchAnswer>;

const codeAlreadyExists = 6;

const detailsOf = (type: string, value: Buffer): { typeUrl: string; value: Buffer } => ({
  typeUrl: `type.googleapis.com/event_store.client.${type}`,
  value,
});

type BatchError = NonNullable<BatchAnswer['error']>;

const wrongVersion = (error: WrongExpectedRevision): BatchError => {
  const { expected, actual } = error.details as {
    expected: ExpectedRevision;
    actual: number | 'no-stream';
  };
  const value = WrongExpectedVersion.encode({
    ...(actual === 'no-stream' ? { currentNoStream: {} } : { currentStreamRevision: actual }),
    ...(expected === 'any' ? { expectedAny: {} } : {}),
    ...(expected === 'stream-exists' ? { expectedStreamExists: {} } : {}),
    ...(expected === 'no-stream' ? { expectedNoStream: {} } : {}),
    ...(typeof expected === 'number' ? { expectedStreamPosition: expected } : {}),
  });
  return {
    code: codeAlreadyExists,
    message: 'WrongExpectedVersion',
    details: detailsOf('WrongExpectedVersion', value),
  };
};

class DeadlinePassed extends Error {}

const errorOf = (error: unknown): BatchError => {
  if (error instanceof WrongExpectedRevision) return wrongVersion(error);
  if (error instanceof DeadlinePassed) {
    const details = detailsOf('Timeout', empty.encode({}));
    return { code: status.DEADLINE_EXCEEDED, message: 'Timeout', details };
  }
  if (error instanceof EclError && error.code === 'store.stream-deleted') {
    const streamName = Buffer.from(String(error.details['stream']));
    const value = StreamDeleted.encode({ streamIdentifier: { streamName } });
    const details = detailsOf('StreamDeleted', value);
    return { code: status.NOT_FOUND, message: 'StreamDeleted', details };
  }
  if (error instanceof EclError && error.code === 'store.journal-refused') {
    const details = detailsOf('AccessDenied', empty.encode({}));
    return { code: status.PERMISSION_DENIED, message: error.message, details };
  }
  const { code, details } = refusalOf(error);
  const message = error instanceof InvalidCall ? error.reason : details;
  if (code !== status.INVALID_ARGUMENT && !(error instanceof InvalidCall)) {
    return { code, message, details: detailsOf('Unknown', empty.encode({})) };
  }
  const value = BadRequest.encode({ message });
  return {
    code: status.INVALID_ARGUMENT,
    message: 'BadRequest',
    details: detailsOf('BadRequest', value),
  };
};

/** An append of which the last frame has not come. */
interface Gathered {
  readonly first: BatchFrame;
  readonly messages: NonNullable<BatchFrame['proposedMessages']>;
}

const bytesOf = (messages: Gathered['messages']): number => {
  let bytes = 0;
  for (const { data, customMetadata } of messages) {
    bytes += (data?.length ?? 0) + (customMetadata?.length ?? 0);
  }
  return bytes;
};

const millisOf = ({
  seconds = 0n,
  nanos = 0,
}: {
  readonly seconds?: bigint;
  readonly nanos?: number;
}): number => Number(seconds) * 1_000 + nanos / 1_000_000;

export interface BatchParts {
  readonly writer: StreamWriter;
  readonly clock: Clock;
  readonly report: Report;
}

class BatchCall {
  readonly #call: Call;
  readonly #writer: StreamWriter;
  readonly #clock: Clock;
  readonly #report: Report;
  readonly #gathered = new Map<string, Gathered>();
  #gatheredBytes = 0;
  #underWay = 0;
  #isFinished = false;
  /** What ends the call, once it is to end. */
  #finish: (() => void) | undefined;

  constructor(call: Call, { writer, clock, report }: BatchParts) {
    this.#call = call;
    this.#writer = writer;
    this.#clock = clock;
    this.#report = report;
    call.on('data', (frame: BatchFrame | TooLarge) => {
      if (isTooLarge(frame)) this.#call.emit('error', refusalOf(messageTooLarge()));
      else this.#take(frame);
    });
    call.on('end', () => this.#end(() => call.end()));
  }

  /** Takes nothing more, and breaks off when what was taken is answered, so that the client asks for the rest elsewhere. */
  breakOff(): void {
    const gone = new InvalidCall(status.UNAVAILABLE, 'The gateway is closing');
    this.#end(() => this.#call.emit('error', refusalOf(gone)));
  }

  #end(finish: () => void): void {
    this.#finish ??= finish;
    this.#finishIfDone();
  }

  #take(frame: BatchFrame): void {
    if (this.#finish !== undefined) return;
    const key = uuidOf(frame.correlationId) ?? '';
    const known = this.#gathered.get(key);
    // Frames of an append without a beginning are passed over.
    if (known === undefined && frame.options === undefined) return;
    const messages = frame.proposedMessages ?? [];
    if (known === undefined && frame.isFinal === true) {
      this.#append({ first: frame, messages });
      return;
    }
    const append = known ?? { first: frame, messages: [] };
    append.messages.push(...messages);
    this.#gatheredBytes += bytesOf(messages);
    if (frame.isFinal === true) {
      this.#gathered.delete(key);
      this.#gatheredBytes -= bytesOf(append.messages);
      this.#append(append);
      return;
    }
    this.#gathered.set(key, append);
    const isTooMuch =
      this.#gatheredBytes > limits.gatewayAppendBytesMax ||
      this.#gathered.size > limits.gatewayAppendsMax;
    if (isTooMuch) this.#call.emit('error', refusalOf(messageTooLarge()));
  }

  #append({ first, messages }: Gathered): void {
    this.#underWay += 1;
    if (this.#underWay >= limits.gatewayAppendsMax) this.#call.pause();
    this.#start(first, messages).then(
      (appended) => this.#answer(first, { success: success(appended) }),
      (error: unknown) => {
        if (!(error instanceof WrongExpectedRevision)) this.#report(error);
        this.#answer(first, { error: errorOf(error) });
      },
    );
  }

  async #start(
    { correlationId, options }: BatchFrame,
    messages: Gathered['messages'],
  ): ReturnType<StreamWriter['append']> {
    if (uuidOf(correlationId) === undefined) throw malformed('A correlation id is missing');
    const stream = streamName(options!);
    const { deadline, deadlineAt } = options!;
    const isLate =
      (deadlineAt !== undefined && millisOf(deadlineAt) < this.#clock.now()) ||
      (deadline !== undefined && millisOf(deadline) <= 0);
    if (isLate) throw new DeadlinePassed();
    if (bytesOf(messages) > limits.gatewayAppendBytesMax) {
      throw invalid(`An append has at most ${limits.gatewayAppendBytesMax} bytes`);
    }
    const append: StreamAppend = {
      stream,
      expected: expectedRevision(
        options!,
        'BatchAppendReq+Types+Options+ExpectedStreamPositionOneofCase',
      ),
      events: messages.map(proposedEvent),
    };
    return this.#writer.append(append);
  }

  #answer({ correlationId, options }: BatchFrame, answer: BatchAnswer): void {
    this.#underWay -= 1;
    if (this.#call.isPaused() && this.#underWay < limits.gatewayAppendsMax / 2) this.#call.resume();
    const streamIdentifier = options?.streamIdentifier;
    if (!this.#call.cancelled) {
      this.#call.write({
        ...(correlationId === undefined ? {} : { correlationId }),
        ...answer,
        ...(streamIdentifier === undefined
          ? {}
          : { streamIdentifier: { streamName: streamIdentifier.streamName ?? Buffer.alloc(0) } }),
      });
    }
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (this.#finish === undefined || this.#underWay > 0 || this.#isFinished) return;
    this.#isFinished = true;
    if (!this.#call.cancelled) this.#finish();
  }
}

/** @param closing aborts when the gateway closes */
export const handleBatchAppend =
  (parts: BatchParts, closing: AbortSignal) =>
  (call: Call): void => {
    const batch = new BatchCall(call, parts);
    const end = (): void => batch.breakOff();
    closing.addEventListener('abort', end);
    const forget = (): void => closing.removeEventListener('abort', end);
    call.on('cancelled', forget);
    call.on('end', forget);
  };
