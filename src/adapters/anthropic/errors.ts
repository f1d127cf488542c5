/**
 * Every error of the SDK as an error of the catalogue.
 *
 * 1. The caller's abort and the deadline are told apart by who asked, not by the error that came of it.
 * 2. A spend limit is not a rate limit: waiting does not help, a person does.
 * 3. Neither the key nor the prompt stands in a message or in details; the SDK's error is kept as the cause.
 */
import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AnthropicError,
} from '@anthropic-ai/sdk';
import { EclError, isEclError, type ErrorCode } from '../../core/errors.ts';
import { safeReason } from '../../core/safe-reason.ts';
import type { ModelRequest } from '../../ports/model.ts';
import type { Deadline } from '../model-calls/deadline.ts';
import { AnswerTooLarge } from './guarded-fetch.ts';
import type { AnthropicSettings } from './model.ts';
import { textsOf } from './request.ts';

/** What surrounded a call when it failed. */
export interface CallSituation {
  readonly settings: AnthropicSettings;
  readonly request: ModelRequest;
  readonly deadline: Deadline;
}

/** Codes that name a matter of money or of the account, whatever the status. */
const accountCodes: ReadonlySet<string> = new Set([
  'contract_spend_limit_reached',
  'enforced_spend_limit_reached',
  'linked_organization_billing_unavailable',
  'linked_organization_spend_limit_reached',
  'organization_on_hold',
  'user_profile_billing_not_authorized',
  'user_profile_not_billable',
]);

const codeByType: Readonly<Record<string, ErrorCode>> = {
  authentication_error: 'model.credentials',
  permission_error: 'model.credentials',
  billing_error: 'model.credentials',
  rate_limit_error: 'model.overloaded',
  overloaded_error: 'model.overloaded',
  timeout_error: 'model.timeout',
  invalid_request_error: 'model.rejected',
  not_found_error: 'model.rejected',
};

const codeByStatus: Readonly<Record<number, ErrorCode>> = {
  401: 'model.credentials',
  402: 'model.credentials',
  403: 'model.credentials',
  408: 'model.timeout',
  409: 'model.unavailable',
  429: 'model.overloaded',
  499: 'model.unavailable',
  501: 'model.rejected',
  504: 'model.timeout',
  529: 'model.overloaded',
};

const codeOf = (error: APIError): ErrorCode => {
  const { status, type, errorCode } = error;
  if (errorCode !== null && accountCodes.has(errorCode)) return 'model.credentials';
  // Older accounts get an exhausted credit as an invalid request, told only by its words.
  if (type === 'billing_error' || /credit balance is too low/i.test(error.apiMessage ?? '')) {
    return 'model.credentials';
  }
  if (typeof status !== 'number') return codeByType[type ?? ''] ?? 'model.unavailable';
  const byStatus = codeByStatus[status];
  if (byStatus !== undefined) return byStatus;
  // A redirect is not followed: the key would go along to whoever it names.
  return status < 500 ? 'model.rejected' : 'model.unavailable';
};

const retryAfterMsOf = (headers: Headers | undefined): number | undefined => {
  const milliseconds = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (Number.isFinite(milliseconds)) return Math.max(0, milliseconds);
  const value = headers?.get('retry-after') ?? '';
  const seconds = Number(value);
  if (value !== '' && Number.isFinite(seconds)) return Math.max(0, Math.ceil(seconds * 1000));
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
};

const fromApiError = (error: APIError, { settings, request }: CallSituation): EclError => {
  const hidden = { secrets: [settings.apiKey], prompts: textsOf(request) };
  const said = error.apiMessage === null ? undefined : safeReason(error.apiMessage, hidden);
  const { status, type, errorCode, requestID } = error;
  const known = [status === undefined ? '' : `status ${status}`, type ?? '', errorCode ?? ''];
  const head = known.filter((part) => part !== '').join(' ') || 'an error without a status';
  const retryAfterMs = retryAfterMsOf(error.headers);
  const details = {
    model: settings.id,
    reason: said === undefined ? head : `${head}: ${said}`,
    ...(status === undefined ? {} : { status }),
    ...(type === null ? {} : { type }),
    ...(typeof requestID === 'string' ? { requestId: requestID } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  return new EclError(codeOf(error), details, { cause: error });
};

/** The code of the system error below, `ECONNREFUSED` or so: the one part that helps. */
const systemCodeOf = (error: unknown): string | undefined => {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if ('code' in at && typeof at.code === 'string' && /^[A-Z_]+$/.test(at.code)) return at.code;
  }
  return undefined;
};

const withReason = (
  code: ErrorCode,
  reason: string,
  { error, situation }: { error: unknown; situation: CallSituation },
): EclError => new EclError(code, { model: situation.settings.id, reason }, { cause: error });

/** The error of the catalogue for whatever a call threw. */
export const toEclError = (error: unknown, situation: CallSituation): EclError => {
  const context = { error, situation };
  const ended = situation.deadline.cause();
  if (ended === 'aborted') return withReason('model.aborted', 'the caller aborted it', context);
  if (ended === 'timeout' || error instanceof APIConnectionTimeoutError) {
    const reason = `no complete answer within ${situation.settings.timeoutMs} ms`;
    return withReason('model.timeout', reason, context);
  }
  if (isEclError(error)) return error;
  if (error instanceof APIUserAbortError) {
    return withReason('model.aborted', 'the request was aborted', context);
  }
  if (error instanceof AnswerTooLarge) {
    return withReason('model.malformed', 'it is larger than an answer may be', context);
  }
  if (error instanceof SyntaxError) {
    return withReason('model.malformed', 'it is not the JSON it claims to be', context);
  }
  const system = systemCodeOf(error);
  if (error instanceof APIConnectionError) {
    const reason = `the connection failed${system === undefined ? '' : ` (${system})`}`;
    return withReason('model.unavailable', reason, context);
  }
  if (error instanceof APIError) return fromApiError(error, situation);
  const name = error instanceof Error ? error.name : typeof error;
  const kind = error instanceof AnthropicError ? 'the SDK failed' : 'an unexpected error';
  return withReason('model.unavailable', `${kind} (${system ?? name})`, context);
};
