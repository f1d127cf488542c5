/** Refusals of the protocol's second version: a status with typed details in one trailer, the most specific one last. */
import { Metadata, status } from '@grpc/grpc-js';
import { EclError, WrongExpectedRevision } from '../core/errors.ts';
import type { ExpectedRevision } from '../ports/event-store.ts';
import { ChecksViolated, type Violation } from './many-writer.ts';
import {
  ConsistencyViolationDetails,
  ErrorInfo,
  FieldViolations,
  RecordSizeExceededDetails,
  RevisionConflictDetails,
  Status,
  StreamDetails,
} from './protocol/records-messages.ts';
import { expectationNumber, refusalOf, type Refusal } from './refusals.ts';

interface Detail {
  readonly type: string;
  readonly value: Buffer;
}

interface Described {
  readonly code: status;
  readonly message: string;
  readonly reason: string;
  /** @default 'streams' */
  readonly domain?: string;
  readonly detail?: Detail;
}

/** A refusal of this version that is known before anything is looked up. */
export class RecordsRefused extends Error {
  readonly isExpected = true;
  override readonly name = 'RecordsRefused';
  readonly described: Described;

  constructor(described: Described) {
    super(described.message);
    this.described = described;
  }
}

const streamDetail = (name: string, stream: string): Detail => ({
  type: `kurrentdb.protocol.v2.streams.errors.${name}`,
  value: StreamDetails.encode({ stream }),
});

export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** @param request name of the message that is not as it should be */
export const invalidRequest = (
  request: string,
  violations: readonly FieldViolation[],
): RecordsRefused => {
  const [first] = violations;
  const reasons =
    violations.length === 1
      ? ` ${first!.description}`
      : `\n${violations.map(({ description }) => ` -- ${description}\n`).join('')}`;
  return new RecordsRefused({
    code: status.INVALID_ARGUMENT,
    message: `The '${request}' is invalid:${reasons}`,
    reason: 'BAD_REQUEST',
    domain: 'server',
    detail: { type: 'google.rpc.BadRequest', value: FieldViolations.encode({ violations }) },
  });
};

export const noRequests = (): RecordsRefused =>
  new RecordsRefused({
    code: status.FAILED_PRECONDITION,
    message: 'Append session started, but no append requests were sent before ending the session.',
    reason: 'APPEND_SESSION_NO_REQUESTS',
  });

export const streamTwice = (stream: string): RecordsRefused =>
  new RecordsRefused({
    code: status.ABORTED,
    message: `Stream '${stream}' already has a different group of messages in this session. Appends for the same stream must currently be grouped together and not interleaved with appends for other streams.`,
    reason: 'STREAM_ALREADY_IN_APPEND_SESSION',
    detail: streamDetail('StreamAlreadyInAppendSessionErrorDetails', stream),
  });

export const recordTooLarge = (details: {
  readonly stream: string;
  readonly recordId: string;
  readonly size: number;
  readonly maxSize: number;
}): RecordsRefused =>
  new RecordsRefused({
    code: status.INVALID_ARGUMENT,
    message: `The record ${details.recordId} has ${details.size} bytes; the limit is ${details.maxSize}`,
    reason: 'APPEND_RECORD_SIZE_EXCEEDED',
    detail: {
      type: 'kurrentdb.protocol.v2.streams.errors.AppendRecordSizeExceededErrorDetails',
      value: RecordSizeExceededDetails.encode(details),
    },
  });

const tombstoned = (stream: string): Described => ({
  code: status.FAILED_PRECONDITION,
  message: `Stream '${stream}' has been tombstoned. It has been permanently removed from the system and cannot be restored.`,
  reason: 'STREAM_TOMBSTONED',
  detail: streamDetail('StreamTombstonedErrorDetails', stream),
});

const conflict = (error: WrongExpectedRevision): Described => {
  const { stream, expected, actual } = error.details as {
    stream: string;
    expected: ExpectedRevision;
    actual: number | 'no-stream';
  };
  const [expectedRevision, actualRevision] = [
    expectationNumber(expected),
    expectationNumber(actual),
  ];
  return {
    code: status.FAILED_PRECONDITION,
    message: `Append failed due to a revision conflict on stream '${stream}'. Expected revision: ${expectedRevision}. Actual revision: ${actualRevision}.`,
    reason: 'STREAM_REVISION_CONFLICT',
    detail: {
      type: 'kurrentdb.protocol.v2.streams.errors.StreamRevisionConflictErrorDetails',
      value: RevisionConflictDetails.encode({ stream, expectedRevision, actualRevision }),
    },
  };
};

const words: Readonly<Record<string, string>> = {
  'no-stream': 'does not exist',
  deleted: 'is deleted',
  tombstoned: 'is tombstoned',
};

const violationText = ({ stream, expected, actual }: Violation): string => {
  const isNumber = typeof actual === 'number';
  if (isNumber && (expected === 'tombstoned' || expected === 'any')) {
    const wanted = expectationNumber(expected);
    return `Stream '${stream}': expected state ${wanted}, actual state ${actual}.`;
  }
  if (isNumber && expected === 'no-stream') {
    return `Stream '${stream}' already exists at revision ${actual}.`;
  }
  const found = isNumber ? `is at revision ${actual}` : words[actual];
  if (typeof expected === 'number') {
    return `Stream '${stream}' ${found}, expected revision ${expected}.`;
  }
  const isState = expected === 'deleted' || expected === 'tombstoned';
  return `Stream '${stream}' ${found}${isState ? `, explicitly expected ${expected}` : ''}.`;
};

const violated = ({ violations }: ChecksViolated): Described => ({
  code: status.FAILED_PRECONDITION,
  message: `Append failed due to consistency violations.\n\n${violations.map((one) => ` - ${violationText(one)}`).join('\n')}`,
  reason: 'APPEND_CONSISTENCY_VIOLATION',
  detail: {
    type: 'kurrentdb.protocol.v2.streams.errors.AppendConsistencyViolationErrorDetails',
    value: ConsistencyViolationDetails.encode({
      violations: violations.map(({ index, stream, expected, actual }) => ({
        checkIndex: index,
        streamState: {
          stream,
          expectedState: expectationNumber(expected),
          actualState: expectationNumber(actual),
        },
      })),
    }),
  },
});

const describe = (error: unknown): Described | undefined => {
  if (error instanceof RecordsRefused) return error.described;
  if (error instanceof ChecksViolated) return violated(error);
  if (error instanceof WrongExpectedRevision) return conflict(error);
  if (!(error instanceof EclError)) return undefined;
  if (error.code === 'store.stream-deleted') return tombstoned(String(error.details['stream']));
  if (error.code === 'store.journal-refused') {
    return {
      code: status.PERMISSION_DENIED,
      message: error.message,
      reason: 'ACCESS_DENIED',
      domain: 'server',
    };
  }
  return undefined;
};

/** The status that an error is told as. */
export const recordsRefusal = (error: unknown): Refusal => {
  const described = describe(error);
  if (described === undefined) return refusalOf(error);
  const { code, message, reason, domain = 'streams', detail } = described;
  const info = { type: 'google.rpc.ErrorInfo', value: ErrorInfo.encode({ reason, domain }) };
  const details = detail === undefined ? [info] : [info, detail];
  const binary = Status.encode({
    code,
    message,
    details: details.map(({ type, value }) => ({ typeUrl: `type.googleapis.com/${type}`, value })),
  });
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', binary);
  return { code, details: message, metadata };
};
