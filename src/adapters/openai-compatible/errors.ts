/**
 * Every failure of a call as an error of the catalogue.
 *
 * 1. The caller's abort and the deadline are told apart by who asked, not by the error that came of it.
 * 2. Exhausted money is not a rate limit: waiting does not help, a person does.
 * 3. Neither the key nor the prompt stands in a message or in details.
 */
import { EclError, isEclError, type ErrorCode } from '../../core/errors.ts';
import { safeReason } from '../../core/safe-reason.ts';
import type { ModelRequest } from '../../ports/model.ts';
import type { Deadline } from '../model-calls/deadline.ts';
import { AnswerTooLarge, readAll, type Answer } from './http.ts';
import type { Settings } from './model.ts';
import { ProviderError } from './provider-error.ts';
import { textsOf } from './request.ts';

/** What surrounded a call when it failed. */
export interface CallSituation {
  readonly settings: Settings;
  readonly request: ModelRequest;
  readonly deadline: Deadline;
}

const codeByStatus: Readonly<Record<number, ErrorCode>> = {
  401: 'model.credentials',
  402: 'model.credentials',
  403: 'model.credentials',
  408: 'model.timeout',
  409: 'model.unavailable',
  425: 'model.unavailable',
  429: 'model.overloaded',
  499: 'model.unavailable',
  501: 'model.rejected',
  504: 'model.timeout',
  524: 'model.timeout',
  529: 'model.overloaded',
};

const moneyWords: ReadonlySet<string> = new Set([
  'insufficient_quota',
  'billing_hard_limit_reached',
  'billing_not_active',
]);

const wordsByCode: Readonly<Record<string, ErrorCode>> = {
  content_filter: 'model.refused',
  content_policy_violation: 'model.refused',
  rate_limit_exceeded: 'model.overloaded',
  invalid_api_key: 'model.credentials',
};

interface Told {
  readonly message: string;
  readonly words: readonly string[];
  readonly number: number | undefined;
  readonly isFlagged: boolean;
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Servers agree on little: `{ error: { message, type, code } }`, `{ error: '…' }`, `{ message }`, `{ detail }`. */
const readTold = (body: unknown): Told => {
  const outer = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const inner = outer['error'] ?? outer;
  const error = (typeof inner === 'object' ? inner : {}) as Record<string, unknown>;
  const metadata = error['metadata'];
  return {
    message:
      asText(inner) ||
      asText(error['message']) ||
      asText(outer['message']) ||
      asText(outer['detail']),
    words: [asText(error['type']), asText(error['code'])].filter((word) =>
      /^[\w.-]{1,60}$/.test(word),
    ),
    number: typeof error['code'] === 'number' ? error['code'] : undefined,
    isFlagged: typeof metadata === 'object' && metadata !== null && 'flagged_input' in metadata,
  };
};

const codeOf = (status: number | undefined, told: Told): ErrorCode => {
  if (told.isFlagged) return 'model.refused';
  if (told.words.some((word) => moneyWords.has(word))) return 'model.credentials';
  for (const word of told.words) {
    if (Object.hasOwn(wordsByCode, word)) return wordsByCode[word]!;
  }
  if (status === undefined) return 'model.unavailable';
  const byStatus = codeByStatus[status];
  if (byStatus !== undefined) return byStatus;
  return status < 500 ? 'model.rejected' : 'model.unavailable';
};

const retryAfterMsOf = (header: (name: string) => string | undefined): number | undefined => {
  const value = header('retry-after') ?? '';
  const seconds = Number(value);
  if (value !== '' && Number.isFinite(seconds)) return Math.max(0, Math.ceil(seconds * 1000));
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
};

const fromProvider = (
  error: ProviderError,
  settings: Settings,
  request: ModelRequest,
): EclError => {
  const told = readTold(error.body);
  const status = error.status ?? told.number;
  const hidden = { secrets: [settings.apiKey], prompts: textsOf(request) };
  const said = safeReason(told.message, hidden);
  const parts = [status === undefined ? '' : `status ${status}`, ...told.words];
  const head = parts.filter((part) => part !== '').join(' ') || 'an error within the answer';
  const retryAfterMs = retryAfterMsOf(error.header);
  const requestId = error.header('x-request-id');
  const details = {
    model: settings.id,
    reason: said === undefined ? head : `${head}: ${said}`,
    ...(status === undefined ? {} : { status }),
    ...(requestId === undefined ? {} : { requestId: requestId.slice(0, 100) }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  return new EclError(codeOf(status, told), details, { cause: error });
};

/** The error for an answer whose status says that it is none. */
export const failedAnswer = async (
  answer: Answer,
  settings: Settings,
  request: ModelRequest,
): Promise<EclError> => {
  const text = await readAll(answer).catch(() => '');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // A page of some proxy: its status says enough.
    body = undefined;
  }
  return fromProvider(new ProviderError(answer.status, body, answer.header), settings, request);
};

/** The error of the catalogue for whatever a call threw. */
export const toEclError = (error: unknown, situation: CallSituation): EclError => {
  const { settings, request, deadline } = situation;
  const failed = (code: ErrorCode, reason: string): EclError =>
    new EclError(code, { model: settings.id, reason }, { cause: error });
  const ended = deadline.cause();
  if (ended === 'aborted') return failed('model.aborted', 'the caller aborted it');
  if (ended === 'timeout') {
    return failed('model.timeout', `no complete answer within ${settings.timeoutMs} ms`);
  }
  if (isEclError(error)) return error;
  if (error instanceof ProviderError) return fromProvider(error, settings, request);
  if (error instanceof AnswerTooLarge) {
    return failed('model.malformed', 'it is larger than an answer may be');
  }
  if (error instanceof SyntaxError) {
    return failed('model.malformed', 'it is not the JSON it claims to be');
  }
  const code = error instanceof Error && 'code' in error ? asText(error.code) : '';
  if (code !== '') return failed('model.unavailable', `the connection failed (${code})`);
  const name = error instanceof Error ? error.name : typeof error;
  return failed('model.unavailable', `an unexpected error (${name})`);
};
