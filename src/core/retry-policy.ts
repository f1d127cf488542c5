/**
 * When a failed attempt is tried again: a pure function of the error's class, the attempt, what the provider asked for
 * and a seed, so that a replay or another process comes to the same instant.
 *
 * 1. One retry owner only: SDKs do not retry, the runtime records every attempt.
 * 2. An answer that does not fit is worth one more paid try, not five.
 */
import { sha256 } from './sha256.ts';

export interface RetryPolicy {
  /** Attempts after which the step fails, or its run is paused; each resume grants as many again. @default 5 */
  readonly attemptsMax: number;
  /** Attempts whose output does not fit its schema, after which the step fails. @default 2 */
  readonly invalidOutputsMax: number;
  /** Delay before the second attempt; it doubles with each further one. @default 1000 */
  readonly delayMs: number;
  /** @default 60000 */
  readonly delayMsMax: number;
  /** Longest wait that a provider may ask for. @default 300000 */
  readonly retryAfterMsMax: number;
}

export const defaultRetryPolicy: RetryPolicy = {
  attemptsMax: 5,
  invalidOutputsMax: 2,
  delayMs: 1_000,
  delayMsMax: 60_000,
  retryAfterMsMax: 300_000,
};

/**
 * - `retryable`: network, time-outs, rate limits, server errors, a malformed answer
 * - `invalid-output`: the answer came, but does not fit its schema
 * - `terminal`: trying again cannot help
 * - `pause`: a person must act first (credentials, spending)
 */
export type ErrorClass = 'retryable' | 'invalid-output' | 'terminal' | 'pause';

const pausing = new Set(['model.credentials', 'model.none', 'budget.exhausted']);
const terminal = new Set([
  'model.rejected',
  'model.refused',
  'model.truncated',
  'input.not-json',
  'input.invalid',
  'input.too-large',
  'step.input-invalid',
  'step.not-found',
  'artifact.not-found',
  'artifact.corrupt',
]);

/** The class of an error by its code; what the catalogue does not name is worth another attempt. */
export const errorClassOf = (error: { name?: string; code?: string }): ErrorClass => {
  if (error.name === 'TerminalError') return 'terminal';
  if (error.code === 'step.output-invalid') return 'invalid-output';
  if (error.code !== undefined && pausing.has(error.code)) return 'pause';
  if (error.code !== undefined && terminal.has(error.code)) return 'terminal';
  return 'retryable';
};

const outages = new Set(['model.unavailable', 'model.overloaded', 'model.timeout']);

/** Whether only time was missing: a provider that is away ends no run, however long it is. */
export const isOutage = (code: string | undefined): boolean =>
  code !== undefined && outages.has(code);

export interface FailedAttempt {
  readonly errorClass: ErrorClass;
  /** Failed attempts so far, this one included. */
  readonly failures: number;
  /** Attempts so far whose output did not fit, this one included. */
  readonly invalidOutputs: number;
  readonly retryAfterMs?: number | undefined;
  /** Makes the jitter: run, invocation and attempt. */
  readonly seed: string;
}

/** A number in [0, 1) that depends on the seed alone. */
const jitter = (seed: string): number => Number.parseInt(sha256(seed).slice(0, 12), 16) / 2 ** 48;

/**
 * Milliseconds until the next attempt, or undefined when there is none. Exponential with full jitter
 * (M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015), never less than the provider asked for.
 */
export const retryDelayMs = (policy: RetryPolicy, failed: FailedAttempt): number | undefined => {
  if (failed.errorClass === 'terminal' || failed.errorClass === 'pause') return undefined;
  if (failed.failures >= policy.attemptsMax) return undefined;
  if (failed.errorClass === 'invalid-output' && failed.invalidOutputs >= policy.invalidOutputsMax) {
    return undefined;
  }
  const ceiling = Math.min(policy.delayMs * 2 ** (failed.failures - 1), policy.delayMsMax);
  const delay = Math.round(jitter(failed.seed) * ceiling);
  const asked = failed.retryAfterMs;
  if (asked === undefined || Number.isNaN(asked)) return delay;
  return Math.max(delay, Math.ceil(Math.min(asked, policy.retryAfterMsMax)));
};
