/** `Streams/Read`: reads and subscriptions. */
import {
  Metadata,
  ServerInterceptingCall,
  status,
  type ServerInterceptor,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import type { AllReader } from '../all-reader.ts';
import type { In } from '../protocol/protobuf.ts';
import { ReadReq, ReadResp, type ReadFrame } from '../protocol/streams-messages.ts';
import { readOptions } from '../read-options.ts';
import { InvalidCall, messageTooLarge, refusalOf } from '../refusals.ts';
import type { StreamReader } from '../stream-reader.ts';
import { isTooLarge, method, type Report, type TooLarge } from './method.ts';

export const readMethod = method({
  path: '/event_store.client.streams.Streams/Read',
  request: ReadReq,
  response: ReadResp,
  streams: 'response',
});

/**
 * Answers with headers as soon as a read begins: the official client sends its request in two small packets and
 * would wait for the acknowledgement of the first, which otherwise comes only after 40 ms.
 */
export const earlyHeaders: ServerInterceptor = (definition, call) => {
  if (definition.path !== readMethod.path) return new ServerInterceptingCall(call);
  return new ServerInterceptingCall(call, {
    start: (next) =>
      next({
        onReceiveMetadata: (metadata, forward) => {
          call.sendMetadata(new Metadata());
          forward(metadata);
        },
      }),
  });
};

type Call = ServerWritableStream<In<typeof ReadReq> | TooLarge, ReadFrame>;

export interface Readers {
  readonly streams: StreamReader;
  readonly all: AllReader;
}

const framesOf = (
  request: In<typeof ReadReq> | TooLarge,
  { streams, all }: Readers,
  signal: AbortSignal,
): AsyncGenerator<ReadFrame> => {
  if (isTooLarge(request)) throw messageTooLarge();
  const options = readOptions(request.options);
  if (options.stream === undefined) {
    return options.isSubscription ? all.subscribe(options, signal) : all.read(options);
  }
  return options.isSubscription ? streams.subscribe(options, signal) : streams.read(options);
};

/** Sends frames as fast as the client takes them, until there are no more or it has gone. */
const send = async (
  call: Call,
  frames: AsyncIterable<ReadFrame>,
  signal: AbortSignal,
): Promise<void> => {
  let resume: (() => void) | undefined;
  const wake = (): void => resume?.();
  call.on('drain', wake);
  signal.addEventListener('abort', wake);
  for await (const frame of frames) {
    if (signal.aborted) return;
    if (call.write(frame)) continue;
    // Nobody can drain or abort between the write and this promise: both come from the event loop.
    await new Promise<void>((resolve) => (resume = resolve));
  }
};

/** @param closing aborts when the gateway closes; subscriptions end with it */
export const handleRead =
  (readers: Readers, closing: AbortSignal, report: Report) =>
  (call: Call): void => {
    const ending = new AbortController();
    const end = (): void => ending.abort();
    call.on('cancelled', end);
    closing.addEventListener('abort', end);
    const run = async (): Promise<void> => {
      try {
        await send(call, framesOf(call.request, readers, ending.signal), ending.signal);
        if (call.cancelled) return;
        if (closing.aborted) throw new InvalidCall(status.UNAVAILABLE, 'The gateway is closing');
        call.end();
      } catch (error) {
        if (call.cancelled) return;
        report(error);
        call.emit('error', refusalOf(error));
      } finally {
        closing.removeEventListener('abort', end);
      }
    };
    void run();
  };
