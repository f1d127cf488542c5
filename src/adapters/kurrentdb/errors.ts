/**
 * What the client throws, in the words of the catalogue.
 *
 * 1. An append is called not written only where the server said so or was never reached; anything else is in doubt.
 * 2. No error quotes a connection string: only the shown form of it, and messages without what looks like credentials.
 */
import {
  AccessDeniedError,
  AppendConsistencyViolationError,
  AppendRecordSizeExceededError,
  InvalidTransactionError,
  MaxAppendSizeExceededError,
  NotLeaderError,
  RequiredMetadataPropertyMissingError,
  StreamDeletedError,
  StreamTombstonedError,
  TransactionMaxSizeExceededError,
  UnsupportedError,
  WrongExpectedVersionError,
} from '@kurrent/kurrentdb-client';
import { CheckFailed, EclError, OutcomeUnknown, WrongExpectedRevision } from '../../core/errors.ts';
import type { Append, ExpectedRevision, StreamCheck } from '../../ports/event-store.ts';
import { redacted } from './connection-string.ts';

/** What is known of a call that failed. */
export type Failure =
  /** The server was not reached, or could not take it yet: it was not written, and may be tried again. */
  | { readonly kind: 'not-reached'; readonly reason: string }
  /** As before; another node leads. */
  | { readonly kind: 'not-leader'; readonly reason: string }
  /** The server has decided against it. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'credentials'; readonly reason: string }
  /** It may have been written. */
  | { readonly kind: 'in-doubt'; readonly reason: string };

export const reasonOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return redacted(message);
};

/** Of grpc-js and of the server, where a request has not left or was turned away at the door. */
const notReached =
  /No connection established|ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|Name resolution failed|Server Is Not Ready|Failed to discover|failed to connect|Failed after \d+ attempts/i;

interface RawError {
  readonly code?: unknown;
  readonly metadata?: { get?(name: string): unknown[] };
}

/** The second protocol tells in the details of its status that another node leads; the client does not read it. */
const saysNotLeader = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const raw = (('_raw' in error ? error['_raw'] : undefined) ?? error) as RawError;
  const [details] = raw?.metadata?.get?.('grpc-status-details-bin') ?? [];
  return details instanceof Uint8Array && Buffer.from(details).includes('NOT_LEADER_NODE');
};

const codeOf = (error: unknown): unknown => (error as RawError | undefined)?.code;
/** INVALID_ARGUMENT, FAILED_PRECONDITION and OUT_OF_RANGE: the server looked at it and said no. */
const refusals: readonly unknown[] = [3, 9, 11];

export const failureOf = (error: unknown): Failure => {
  const reason = reasonOf(error);
  if (error instanceof NotLeaderError || saysNotLeader(error))
    return { kind: 'not-leader', reason };
  if (error instanceof AccessDeniedError) {
    return {
      kind: 'credentials',
      reason: reason === 'AccessDeniedError' ? 'access denied' : reason,
    };
  }
  if (notReached.test(reason)) return { kind: 'not-reached', reason };
  const isRefused =
    error instanceof AppendRecordSizeExceededError ||
    error instanceof MaxAppendSizeExceededError ||
    error instanceof TransactionMaxSizeExceededError ||
    error instanceof RequiredMetadataPropertyMissingError ||
    error instanceof InvalidTransactionError ||
    error instanceof UnsupportedError ||
    refusals.includes(codeOf(error));
  return { kind: isRefused ? 'refused' : 'in-doubt', reason };
};

const actualOf = (actual: unknown): number | 'no-stream' =>
  typeof actual === 'bigint' && actual >= 0n ? Number(actual) : 'no-stream';

/** The error of the port where the server refused an append to one stream by its revision, else undefined. */
export const refusalOf = (
  error: unknown,
  { stream, expectedRevision: expected }: Pick<Append, 'stream' | 'expectedRevision'>,
): EclError | undefined => {
  if (error instanceof WrongExpectedVersionError) {
    return new WrongExpectedRevision({ stream, expected, actual: actualOf(error.actualState) });
  }
  if (error instanceof StreamDeletedError || error instanceof StreamTombstonedError) {
    return new EclError('store.stream-deleted', { stream }, { cause: error });
  }
  return undefined;
};

const deletedStates: readonly unknown[] = [-5n, -6n];

/** The same for an append over several streams: what is written is judged before what is only checked. */
export const violationOf = (
  error: unknown,
  appends: readonly Append[],
  checks: readonly StreamCheck[],
): EclError | undefined => {
  if (error instanceof WrongExpectedVersionError || error instanceof StreamTombstonedError) {
    const name = error instanceof StreamTombstonedError ? error.stream : error.streamName;
    const append = appends.find(({ stream }) => stream === name) ?? appends[0]!;
    return refusalOf(error, append);
  }
  if (!(error instanceof AppendConsistencyViolationError)) return undefined;
  const { violations } = error;
  for (const { stream, expectedRevision: expected } of appends) {
    const violation = violations.find(({ streamName }) => streamName === stream);
    if (violation === undefined) continue;
    return wrongOrDeleted(stream, expected, violation.actualState);
  }
  for (const { stream, revision } of checks) {
    const violation = violations.find(({ streamName }) => streamName === stream);
    if (violation === undefined) continue;
    return new CheckFailed({ stream, expected: revision, actual: actualOf(violation.actualState) });
  }
  return undefined;
};

const wrongOrDeleted = (stream: string, expected: ExpectedRevision, actual: unknown): EclError =>
  deletedStates.includes(actual)
    ? new EclError('store.stream-deleted', { stream })
    : new WrongExpectedRevision({ stream, expected, actual: actualOf(actual) });

/** The error of an append that failed otherwise. */
export const appendFailure = (store: string, stream: string, error: unknown): EclError => {
  const failure = failureOf(error);
  if (failure.kind === 'in-doubt') {
    return new OutcomeUnknown({ stream, reason: failure.reason }, { cause: error });
  }
  return failed(store, failure, error);
};

/** The error of a read, or of anything else that writes nothing. */
export const readFailure = (store: string, stream: string, error: unknown): EclError => {
  if (error instanceof EclError) return error;
  if (error instanceof StreamDeletedError) {
    return new EclError('store.stream-deleted', { stream }, { cause: error });
  }
  return failed(store, failureOf(error), error);
};

const failed = (store: string, { kind, reason }: Failure, cause: unknown): EclError => {
  if (cause instanceof EclError) return cause;
  if (kind === 'credentials') return new EclError('store.credentials', { store, reason });
  if (kind === 'refused')
    return new EclError('usage.invalid', { reason: `The store refused: ${reason}` });
  return new EclError('store.unavailable', { store, reason }, { cause });
};
