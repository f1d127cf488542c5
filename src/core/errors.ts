/**
 * The error catalogue: every error that ECL raises on purpose has a code here, and a line in docs/errors.md.
 *
 * 1. Codes are stable and never reused; messages may be improved.
 * 2. Core knows no exit code and no HTTP status: the edges map them.
 * 3. Subclasses exist only where the runtime branches on them.
 */

import { limits } from './limits.ts';

export type ErrorKind =
  | 'usage' // the caller can mend it: invalid input, unknown key, a file that is not there
  | 'not-found'
  | 'conflict' // true elsewhere, but not in this state
  | 'unavailable' // the store or a provider: locked, unreachable, credentials refused
  | 'failed'; // the work itself went wrong

export interface ErrorEntry {
  readonly kind: ErrorKind;
  /** What happened, in one line; `{name}` is filled from the error's details. */
  readonly message: string;
  /** Whether trying the same again later can succeed. */
  readonly retryable: boolean;
}

const entry = (kind: ErrorKind, message: string, retryable = false): ErrorEntry => ({
  kind,
  message,
  retryable,
});

export const errorCatalogue = {
  // The edges
  'input.invalid': entry('usage', 'The input does not fit {what}: {issues}'),
  'input.not-json': entry(
    'usage',
    '{what} holds a value that JSON cannot hold at {path}: {reason}',
  ),
  'input.too-large': entry('usage', '{what} has {bytes} bytes; the limit is {limit}'),
  'input.file-missing': entry('usage', 'The file {path} cannot be read: {reason}'),
  'config.invalid': entry('usage', 'The configuration is invalid: {issues}'),
  'usage.invalid': entry('usage', '{reason}'),
  'id.invalid': entry('usage', '{what} "{value}" is not allowed: {rule}'),

  // Workflows
  'workflow.refused': entry('usage', 'The workflow {workflow} cannot be made durable: {reason}'),
  'workflow.not-found': entry('not-found', 'There is no workflow "{workflow}".{nearest}'),
  'workflow.duplicate': entry(
    'usage',
    'The workflow {workflow} is registered twice with version {version} and another structure',
  ),
  'workflow.module-failed': entry('usage', 'The module {module} cannot be loaded: {reason}'),
  'workflow.start-failed': entry(
    'usage',
    'The workflow {workflow} cannot start with this input: {reason}',
  ),

  // Runs
  'run.not-found': entry('not-found', 'There is no run "{run}".{nearest}'),
  'run.key-conflict': entry(
    'conflict',
    'The run {run} was started with other input; use another key',
  ),
  'run.blocked': entry('conflict', 'The run {run} is blocked: {reason}'),
  'run.quarantined': entry(
    'conflict',
    'The run {run} is quarantined at revision {revision}: {reason}',
  ),
  'run.paused': entry('conflict', 'The run {run} is paused: {reason}'),
  'run.not-paused': entry('conflict', 'The run {run} is {status}: there is nothing to resume'),
  'run.over': entry('conflict', 'The run {run} is {status}: it takes no more {what}'),
  'run.moved-on': entry('conflict', 'The run {run} is at revision {actual}, not at {expected}'),
  'run.failed': entry('failed', 'The run {run} failed: {reason}'),
  'run.cancelled': entry('failed', 'The run {run} was cancelled: {reason}'),
  'run.diverged': entry('failed', 'The run {run} does not replay at revision {revision}: {reason}'),
  'run.limit-reached': entry('failed', 'The run {run} reached the limit {limit} = {value}'),
  'signal.impossible': entry(
    'usage',
    'The workflow {workflow} never takes the event "{event}".{possible}',
  ),
  'signal.not-now': entry('conflict', 'The run {run} does not take "{event}" now.{possible}'),

  // Steps
  'step.input-invalid': entry(
    'failed',
    'The input of step {step} does not fit its schema: {issues}',
  ),
  'step.output-invalid': entry(
    'failed',
    'The output of step {step} does not fit its schema: {issues}',
    true,
  ),
  'step.timeout': entry('failed', 'The step {step} took longer than {timeoutMs} ms', true),
  'step.interrupted': entry('failed', 'The step {step} was interrupted, and it may run only once'),
  'step.cancelled': entry('failed', 'The step {step} was cancelled'),
  'step.failed': entry('failed', 'The step {step} failed: {reason}', true),
  'step.not-found': entry('failed', 'The workflow {workflow} has no step logic "{step}"'),
  'rounds.exhausted': entry(
    'failed',
    'The review {review} was not satisfied after {rounds} rounds: {feedback}',
  ),
  'gate.rejected': entry('failed', 'The gate "{gate}" was rejected: {reason}'),
  'child.failed': entry('failed', 'The child run {run} failed: {reason}'),
  'child.too-deep': entry('failed', 'Child runs nest at most {limit} deep'),

  // Models
  'model.none': entry('unavailable', 'No model is configured for this step; {hint}'),
  'model.unavailable': entry('unavailable', 'The model {model} is unavailable: {reason}', true),
  'model.overloaded': entry(
    'unavailable',
    'The model {model} is overloaded or rate limited: {reason}',
    true,
  ),
  'model.timeout': entry('unavailable', 'The model {model} did not answer in time: {reason}', true),
  'model.malformed': entry('failed', 'The answer of {model} is malformed: {reason}', true),
  'model.truncated': entry('failed', 'The answer of {model} was cut at {limit} tokens'),
  'model.refused': entry('failed', 'The model {model} refused: {reason}'),
  'model.rejected': entry('failed', 'The model {model} rejected the request: {reason}'),
  'model.credentials': entry(
    'unavailable',
    'The provider of {model} refused the credentials or the spending: {reason}',
  ),
  'model.aborted': entry('failed', 'The call to {model} was aborted'),
  'model.unknown-kind': entry('usage', 'The model "{model}" is not known; {hint}'),
  'budget.exhausted': entry(
    'unavailable',
    'The budget of {scope} is exhausted: {used} of {limit} {unit}',
  ),

  // The store
  'store.locked': entry(
    'unavailable',
    'The store {store} is held by another process{holder}',
    true,
  ),
  'store.unavailable': entry('unavailable', 'The store {store} is unavailable: {reason}', true),
  'store.credentials': entry('unavailable', 'The store {store} refuses the credentials: {reason}'),
  'store.not-durable': entry(
    'unavailable',
    'The store {store} does not keep its promise of durability: {reason}',
  ),
  'store.newer-format': entry(
    'unavailable',
    'The store {store} has format {found}; this version of ECL reads up to {known}',
  ),
  'store.corrupt': entry(
    'failed',
    'The stream {stream} is damaged at revision {revision}: {reason}',
  ),
  'store.damaged': entry('unavailable', 'The store {store} is damaged: {reason}'),
  'store.read-only': entry('conflict', 'The store {store} was opened for reading only'),
  'store.closed': entry('unavailable', 'The store {store} is closed'),
  'read-model.behind': entry(
    'unavailable',
    'The read model {name} does not show position {position} yet, after {waitedMs} ms',
    true,
  ),
  'store.stream-deleted': entry('not-found', 'The stream {stream} was deleted'),
  'store.wrong-expected-revision': entry(
    'conflict',
    'The stream {stream} is at revision {actual}, not {expected}',
    true,
  ),
  'store.check-failed': entry(
    'conflict',
    'The append was refused: the stream {stream} is at revision {actual}, not {expected}',
  ),
  'store.journal-refused': entry(
    'conflict',
    'The journal {stream} takes what continues it and nothing else: {reason}',
  ),
  'store.outcome-unknown': entry(
    'unavailable',
    'It is not known whether the append to {stream} landed: {reason}',
    true,
  ),
  'event.unknown-type': entry(
    'failed',
    'The journal event type "{type}" (schema {schema}) is not known',
  ),
  'event.invalid': entry('failed', 'The journal event {type} does not fit its schema: {issues}'),
  'artifact.not-found': entry('not-found', 'There is no artifact {sha256}'),
  'artifact.corrupt': entry(
    'failed',
    'The artifact {sha256} does not have the content its name promises',
  ),

  // The server
  'access.unauthenticated': entry('unavailable', 'The server wants a token: {reason}'),
  'access.forbidden': entry('unavailable', 'The token does not allow this: {reason}'),
  'access.rate-limited': entry(
    'unavailable',
    'Too much at once with this token: {reason}; try again in {retryAfterMs} ms',
    true,
  ),
  'token.not-found': entry('not-found', 'There is no token "{id}"'),
  'http.no-route': entry('not-found', 'There is no route {method} {path}'),
  'http.media-type': entry('usage', 'The body must be {expected}, not {given}'),
  'server.unavailable': entry('unavailable', 'The server {url} does not answer: {reason}', true),
  'server.no-address': entry(
    'unavailable',
    'The server cannot listen on {url}: {reason}; choose another --port or --host',
    true,
  ),
  'server.failed': entry('failed', 'The server failed: {reason}'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCatalogue;

export type ErrorDetails = Readonly<Record<string, unknown>>;

/** An error as it stands in a journal or crosses an edge: JSON, without a stack. */
export interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly details?: ErrorDetails | undefined;
}

const fill = (template: string, details: ErrorDetails): string =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = details[name];
    return value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  });

/** The one error class of ECL: a code of the catalogue, the values in it, and what caused it. */
export class EclError extends Error {
  override readonly name: string = 'EclError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options: { cause?: unknown } = {}) {
    super(fill(errorCatalogue[code].message, details), options);
    this.code = code;
    this.details = details;
  }

  get kind(): ErrorKind {
    return errorCatalogue[this.code].kind;
  }

  get retryable(): boolean {
    return errorCatalogue[this.code].retryable;
  }

  toJSON(): ErrorDocument {
    return { code: this.code, message: this.message, details: this.details };
  }
}

/** An append met another revision than it expected: the loser discards its decision and reloads. */
export class WrongExpectedRevision extends EclError {
  override readonly name = 'WrongExpectedRevision';

  constructor(details: {
    stream: string;
    expected: number | string;
    actual: number | 'no-stream';
  }) {
    super('store.wrong-expected-revision', details);
  }
}

/** A stream that an append does not write has moved on: what the append rests on is no longer so. */
export class CheckFailed extends EclError {
  override readonly name = 'CheckFailed';

  constructor(details: { stream: string; expected: number; actual: number | 'no-stream' }) {
    super('store.check-failed', details);
  }
}

/** An append may or may not have landed: it is retried unchanged, with the same ids and revision. */
export class OutcomeUnknown extends EclError {
  override readonly name = 'OutcomeUnknown';

  constructor(details: { stream: string; reason: string }, options: { cause?: unknown } = {}) {
    super('store.outcome-unknown', details, options);
  }
}

/** Thrown in a step to stop: it is not tried again, whatever the retry policy says. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

/** Thrown in a step to try again, after `retryAfterMs` milliseconds where that is given. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError';
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

export const isEclError = (error: unknown, code?: ErrorCode): error is EclError =>
  error instanceof EclError && (code === undefined || error.code === code);

/** A failure that a machine passes on is a document already. */
const isErrorDocument = (value: unknown): value is ErrorDocument =>
  typeof value === 'object' &&
  value !== null &&
  'code' in value &&
  typeof value.code === 'string' &&
  'message' in value &&
  typeof value.message === 'string';

/** Details as JSON; what JSON cannot hold is left out, since an error must always be told. */
const plainDetails = (details: unknown): { details?: ErrorDetails } => {
  if (typeof details !== 'object' || details === null) return {};
  try {
    return { details: JSON.parse(JSON.stringify(details)) as ErrorDetails };
  } catch {
    return {};
  }
};

const inWords = (value: unknown): string => {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
};

const shortened = (message: string): string =>
  message.length <= limits.errorMessageMax
    ? message
    : `${message.slice(0, limits.errorMessageMax)}…`;

/** Any thrown value as a document that a journal can hold. */
export const toErrorDocument = (error: unknown): ErrorDocument => {
  if (error instanceof Error) {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : 'step.failed';
    const details = error instanceof EclError ? plainDetails(error.details) : {};
    return { code, message: shortened(error.message || error.name), ...details };
  }
  if (isErrorDocument(error)) {
    const { code, message, details } = error;
    return { code, message: shortened(message), ...plainDetails(details) };
  }
  return { code: 'step.failed', message: shortened(inWords(error)) };
};
