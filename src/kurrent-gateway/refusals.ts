/** What clients are told when a call is refused: gRPC statuses with the trailers by which they recognise them. */
import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import { EclError, WrongExpectedRevision } from '../core/errors.ts';
import type { ExpectedRevision } from '../ports/event-store.ts';

export type Refusal = Pick<StatusObject, 'code' | 'details' | 'metadata'>;

/** A call that is refused for what it is, not for what is stored. */
export class InvalidCall extends Error {
  override readonly name = 'InvalidCall';
  readonly code: status;
  /** What the log says, where clients are told less. */
  readonly reason: string;
  readonly trailers: Readonly<Record<string, string>>;

  constructor(
    code: status,
    message: string,
    { reason = message, trailers = {} }: Partial<Pick<InvalidCall, 'reason' | 'trailers'>> = {},
  ) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.trailers = trailers;
  }
}

/** A request that no client sends; the real server says no more about it, so the log has to. */
export const malformed = (reason: string): InvalidCall =>
  new InvalidCall(status.UNKNOWN, 'Exception was thrown by handler.', { reason });

/** A request that clients do send, but that cannot be served. */
export const unreadable = (message: string): InvalidCall =>
  new InvalidCall(status.UNKNOWN, message);

export const invalid = (message: string): InvalidCall =>
  new InvalidCall(status.INVALID_ARGUMENT, message);

export const missingProperty = (name: string): InvalidCall =>
  new InvalidCall(status.INVALID_ARGUMENT, `Required Metadata Property '${name}' is missing`, {
    trailers: {
      exception: 'missing-required-metadata-property',
      'required-metadata-properties': 'type,content-type',
    },
  });

export const messageTooLarge = (): InvalidCall =>
  new InvalidCall(
    status.RESOURCE_EXHAUSTED,
    'Received message exceeds the maximum configured message size.',
  );

const refusal = (
  code: status,
  details: string,
  trailers: Readonly<Record<string, string>> = {},
): Refusal => {
  const metadata = new Metadata();
  // Trailers hold ASCII; names beyond it are sent as they would stand in a URL.
  for (const [key, value] of Object.entries(trailers)) {
    metadata.set(key, /^[ -~]*$/.test(value) ? value : encodeURIComponent(value));
  }
  return { code, details, metadata };
};

const codesOf: Readonly<Record<EclError['kind'], status>> = {
  usage: status.INVALID_ARGUMENT,
  'not-found': status.NOT_FOUND,
  conflict: status.FAILED_PRECONDITION,
  unavailable: status.UNAVAILABLE,
  failed: status.UNKNOWN,
};

/** The status that an error is told as. */
export const refusalOf = (error: unknown): Refusal => {
  if (error instanceof InvalidCall) return refusal(error.code, error.message, error.trailers);
  if (!(error instanceof EclError)) return refusal(status.UNKNOWN, String(error));
  const { stream = '' } = error.details as { stream?: string };
  if (error.code === 'store.stream-deleted') {
    return refusal(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
      exception: 'stream-deleted',
      'stream-name': stream,
    });
  }
  if (error.code === 'store.journal-refused') {
    return refusal(status.PERMISSION_DENIED, error.message, { exception: 'access-denied' });
  }
  return refusal(codesOf[error.kind], error.message);
};

const numbers: ReadonlyMap<string, number> = new Map([
  ['no-stream', -1],
  ['any', -2],
  ['stream-exists', -4],
  ['deleted', -5],
  ['tombstoned', -6],
]);

/** Expectations as numbers, as the protocol has them in texts and in its second version. */
export const expectationNumber = (expected: number | string): number => {
  if (typeof expected === 'number') return expected;
  return numbers.get(expected)!;
};

/** A deletion that met another revision. */
export const removalRefusal = (error: unknown): Refusal => {
  if (!(error instanceof WrongExpectedRevision)) return refusalOf(error);
  const { stream, expected, actual } = error.details as {
    stream: string;
    expected: ExpectedRevision;
    actual: number | 'no-stream';
  };
  const [wanted, found] = [expectationNumber(expected), expectationNumber(actual)];
  return refusal(
    status.FAILED_PRECONDITION,
    `Delete failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${wanted}, Actual version: ${found}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String(wanted),
      'actual-version': String(found),
    },
  );
};

/** An error that says itself that it is an answer, not a fault of the gateway. */
export interface ExpectedError {
  readonly isExpected: true;
}

/** What the log is told of a call that failed. */
export const logged = (
  error: unknown,
): { readonly isExpected: boolean; readonly reason: string } => {
  if (error instanceof InvalidCall) return { isExpected: true, reason: error.reason };
  const isKnown = error instanceof EclError && error.kind !== 'failed';
  const isExpected = isKnown || (error as Partial<ExpectedError>).isExpected === true;
  return { isExpected, reason: error instanceof Error ? error.message : String(error) };
};
