/** `Streams/Delete` and `Streams/Tombstone`. */
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { expectedRevision, streamName } from '../proposals.ts';
import type { In, Out } from '../protocol/protobuf.ts';
import { RemovalReq, RemovalResp } from '../protocol/streams-messages.ts';
import { malformed, messageTooLarge, removalRefusal } from '../refusals.ts';
import type { StreamWriter } from '../stream-writer.ts';
import { isTooLarge, method, type Report, type TooLarge } from './method.ts';

const removal = (name: string): ReturnType<typeof method<In<typeof RemovalReq>, Answer>> =>
  method({
    path: `/event_store.client.streams.Streams/${name}`,
    request: RemovalReq,
    response: RemovalResp,
  });

type Answer = Out<typeof RemovalResp>;

export const deleteMethod = removal('Delete');
export const tombstoneMethod = removal('Tombstone');

export const handleRemoval =
  (writer: StreamWriter, forGood: boolean, report: Report) =>
  (
    call: ServerUnaryCall<In<typeof RemovalReq> | TooLarge, Answer>,
    answer: sendUnaryData<Answer>,
  ): void => {
    const remove = async (): Promise<Answer> => {
      if (isTooLarge(call.request)) throw messageTooLarge();
      const { options } = call.request;
      if (options === undefined) throw malformed('A deletion has options');
      const request = `${forGood ? 'Tombstone' : 'Delete'}Req+Types+Options+ExpectedStreamRevisionOneofCase`;
      const expected = expectedRevision(options, request);
      const position = await writer.remove(streamName(options), expected, forGood);
      return { position: { commitPosition: position, preparePosition: position } };
    };
    remove().then(
      (removed) => answer(null, removed),
      (error: unknown) => {
        report(error);
        answer(removalRefusal(error));
      },
    );
  };
