/** Errors as answers: the only place that knows which kind and code of error has which status. */
import { STATUS_CODES } from 'node:http';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { EclError, isEclError, type ErrorCode, type ErrorKind } from '../core/errors.ts';
import { problemMediaType, type Problem } from './contract/problem.ts';

const ofKind: Readonly<Record<ErrorKind, ContentfulStatusCode>> = {
  usage: 400,
  'not-found': 404,
  conflict: 409,
  unavailable: 503,
  failed: 500,
};

/** Where HTTP has a status of its own for what happened. */
const ofCode: Partial<Record<ErrorCode, ContentfulStatusCode>> = {
  'input.too-large': 413,
  // The client asked for more than there is yet; nothing of the server is away.
  'read-model.behind': 409,
  'access.unauthenticated': 401,
  'access.forbidden': 403,
  'access.rate-limited': 429,
  'http.media-type': 415,
  'run.moved-on': 412,
};

export const statusOf = (error: EclError): ContentfulStatusCode =>
  ofCode[error.code] ?? ofKind[error.kind];

/** What hono itself throws: a body or a parameter that cannot be read. */
const fromException = (error: HTTPException): EclError =>
  new EclError('usage.invalid', { reason: error.message || 'The request cannot be read' });

const problemOf = (error: unknown, requestId: string | undefined): Problem => {
  const known = error instanceof HTTPException ? fromException(error) : error;
  const id = requestId === undefined ? {} : { requestId };
  if (!isEclError(known)) {
    // A fault of ours: what it says may hold anything, so it stands in the log only.
    return {
      type: 'urn:ecl:problem:unexpected',
      title: STATUS_CODES[500]!,
      status: 500,
      detail: 'The server failed; its log says why',
      code: 'unexpected',
      ...id,
    };
  }
  const status = statusOf(known);
  return {
    type: `urn:ecl:problem:${known.code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: known.message,
    code: known.code,
    details: { ...known.details },
    ...id,
  };
};

const headersOf = ({ status, details }: Problem): Record<string, string> => {
  if (status === 401) return { 'WWW-Authenticate': 'Bearer' };
  const retryAfterMs = details?.['retryAfterMs'];
  if (typeof retryAfterMs === 'number') {
    return { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) };
  }
  return status === 503 ? { 'Retry-After': '1' } : {};
};

export const errorResponse = (
  context: Context,
  error: unknown,
  requestId: string | undefined,
): Response => {
  const problem = problemOf(error, requestId);
  return context.body(JSON.stringify(problem), problem.status as ContentfulStatusCode, {
    'Content-Type': problemMediaType,
    ...headersOf(problem),
  });
};
