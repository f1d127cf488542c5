/** Calls of a gRPC service as handlers over decoded messages. */
import type { MethodDefinition } from '@grpc/grpc-js';

/** A request that is not decoded, since it is larger than its service takes. */
export interface TooLarge {
  readonly tooLargeBytes: number;
}

export const isTooLarge = (request: unknown): request is TooLarge =>
  typeof request === 'object' && request !== null && 'tooLargeBytes' in request;

/** Is told of every call that failed, beside the client. */
export type Report = (error: unknown) => void;

interface Call<In, Out> {
  /** `/<service>/<method>` */
  readonly path: string;
  readonly request: { decode(this: void, bytes: Buffer): In };
  readonly response: { encode(this: void, message: Out): Buffer };
  /** What is sent in several messages. @default neither */
  readonly streams?: 'request' | 'response' | 'both';
  /** @default no limit but that of the server */
  readonly requestBytesMax?: number;
}

const unused = (): Buffer => Buffer.alloc(0);

/** The definition of a call, of which a server uses one half. */
export const method = <In, Out>({
  path,
  request,
  response,
  streams,
  requestBytesMax = Infinity,
}: Call<In, Out>): MethodDefinition<In | TooLarge, Out> => ({
  path,
  requestStream: streams === 'request' || streams === 'both',
  responseStream: streams === 'response' || streams === 'both',
  requestDeserialize: (bytes) =>
    bytes.length > requestBytesMax ? { tooLargeBytes: bytes.length } : request.decode(bytes),
  responseSerialize: response.encode,
  requestSerialize: unused,
  responseDeserialize: () => {
    throw new TypeError(`${path} is only served here`);
  },
});
