/**
 * The two calls that matter for speed, over the client's own connection but with messages of our own.
 *
 * 1. The client builds its messages at three times the cost of all the rest, reads JSON and writes it again, and its native
 *    reads stall. Connections, discovery, credentials, redirection and errors stay its own.
 * 2. It uses what the client hands down to its subclasses, so the version of the client is pinned to its minor.
 */
import { Client as Caller, type ClientReadableStream, type Metadata } from '@grpc/grpc-js';
import { convertToCommandError, type KurrentDBClient } from '@kurrent/kurrentdb-client';
import type { In, Out } from '../../kurrent-gateway/protocol/protobuf.ts';
import { AppendRecordsRequest, AppendRecordsResponse, ReadReq, ReadResp } from './wire-messages.ts';

export type ReadOptions = NonNullable<Out<typeof ReadReq>['options']>;
export type Frame = In<typeof ReadResp>;
export type FrameStream = ClientReadableStream<Frame>;

type CallArguments = [Metadata, object];

/** What a subclass of the client may use. */
interface Inherited {
  execute<T>(
    caller: typeof Caller,
    name: string,
    action: (caller: Caller) => Promise<T>,
  ): Promise<T>;
  GRPCStreamCreator<T>(
    caller: typeof Caller,
    name: string,
    creator: (caller: Caller) => T,
  ): () => Promise<T>;
  callArguments(options: { readonly requiresLeader: boolean }, call?: object): CallArguments;
}

const inherited = (client: KurrentDBClient): Inherited => client as unknown as Inherited;

/** The client's own error; it throws while it makes one where a server leaves out what it reads. */
export const commandError = (error: Error): Error => {
  try {
    return convertToCommandError(error);
  } catch {
    return error;
  }
};

const appendRecordsPath = '/kurrentdb.protocol.v2.streams.StreamsService/AppendRecords';
const readPath = '/event_store.client.streams.Streams/Read';

/** @throws what the client throws */
export const appendRecords = (
  client: KurrentDBClient,
  request: Out<typeof AppendRecordsRequest>,
): Promise<In<typeof AppendRecordsResponse>> => {
  const parent = inherited(client);
  const [metadata, options] = parent.callArguments({ requiresLeader: false });
  return parent.execute(
    Caller,
    'appendRecords',
    (caller) =>
      new Promise((resolve, reject) => {
        caller.makeUnaryRequest(
          appendRecordsPath,
          AppendRecordsRequest.encode,
          AppendRecordsResponse.decode,
          request,
          metadata,
          options,
          (error, answer) => {
            if (error !== null) reject(commandError(error));
            else resolve(answer ?? {});
          },
        );
      }),
  );
};

/**
 * Opens a read or a subscription, from the leader, so that what this process was told to be stored is seen.
 *
 * @param listen called with the stream before anything can come of it
 */
export const openRead = async <T>(
  client: KurrentDBClient,
  options: ReadOptions,
  listen: (stream: FrameStream) => T,
): Promise<T> => {
  const parent = inherited(client);
  const [metadata, call] = parent.callArguments({ requiresLeader: true }, { deadline: Infinity });
  const listening: T[] = [];
  const open = parent.GRPCStreamCreator(Caller, 'read', (caller) => {
    const stream = caller.makeServerStreamRequest(
      readPath,
      ReadReq.encode,
      ReadResp.decode,
      { options: { resolveLinks: false, uuidOption: { string: {} }, ...options } },
      metadata,
      call,
    );
    listening.push(listen(stream));
    return stream;
  });
  await open();
  return listening[0]!;
};

/** Ends a call for good; errors that come later go nowhere. */
export const endRead = (stream: FrameStream): void => {
  stream.removeAllListeners('data');
  stream.on('error', () => {});
  stream.cancel();
  stream.resume();
};
