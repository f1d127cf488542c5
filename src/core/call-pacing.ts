/**
 * When a model may be called: a circuit breaker and a rate limit, as arithmetic over instants.
 *
 * 1. A provider that failed several times in a row is left alone for a while, which doubles each time it fails again;
 *    then one call finds out, and all others wait for what it says.
 * 2. An answer of any kind, also a refusal, closes the circuit: what is counted is that nobody answers.
 * 3. The rate limit spaces calls evenly and lets a short burst through (generic cell rate algorithm, ITU-T I.371).
 */

export interface PacingPolicy {
  /** Failures in a row that open the circuit. */
  readonly openAfterFailures: number;
  /** How long it stays open at first, in milliseconds; it doubles up to the other. */
  readonly openMs: number;
  readonly openMsMax: number;
  /** Longest wait that a provider may ask for, in milliseconds. */
  readonly retryAfterMsMax: number;
  /** Undefined for no limit. */
  readonly callsPerMinute: number | undefined;
}

export const defaultPacing: PacingPolicy = {
  openAfterFailures: 5,
  openMs: 5_000,
  openMsMax: 60_000,
  retryAfterMsMax: 300_000,
  callsPerMinute: undefined,
};

/** Calls that may follow each other at once after a pause, as a share of those of a minute. */
const burstShare = 0.1;

export interface Pacing {
  /** Failures since the last answer. */
  readonly failures: number;
  /** No call before this instant. */
  readonly closedUntil: number;
  /** A call is under way that finds out whether the provider is back. */
  readonly isProbing: boolean;
  /** When the next call would be due if all came evenly. */
  readonly due: number;
}

export const newPacing: Pacing = { failures: 0, closedUntil: 0, isProbing: false, due: 0 };

const isOpen = ({ failures }: Pacing, { openAfterFailures }: PacingPolicy): boolean =>
  failures >= openAfterFailures;

const spacing = ({ callsPerMinute }: PacingPolicy): number =>
  callsPerMinute === undefined ? 0 : 60_000 / callsPerMinute;

const burst = (policy: PacingPolicy): number =>
  Math.max(0, Math.floor((policy.callsPerMinute ?? 0) * burstShare) - 1) * spacing(policy);

/** The earliest instant of the next call; Infinity while a probe is under way. */
export const nextCallAt = (pacing: Pacing, policy: PacingPolicy): number => {
  if (pacing.isProbing) return Infinity;
  return Math.max(pacing.closedUntil, pacing.due - burst(policy));
};

/** A call begins now. */
export const begun = (pacing: Pacing, policy: PacingPolicy, now: number): Pacing => ({
  ...pacing,
  isProbing: isOpen(pacing, policy),
  due: Math.max(pacing.due, now) + spacing(policy),
});

/** A call ended without a word on the provider: it was aborted. */
export const abandoned = (pacing: Pacing): Pacing => ({ ...pacing, isProbing: false });

export const answered = (pacing: Pacing): Pacing => ({
  ...pacing,
  failures: 0,
  isProbing: false,
});

/** @param retryAfterMs what the provider asked for, if it did */
export const unanswered = (
  pacing: Pacing,
  policy: PacingPolicy,
  { now, retryAfterMs = 0 }: { readonly now: number; readonly retryAfterMs?: number | undefined },
): Pacing => {
  const failed = { ...pacing, failures: pacing.failures + 1, isProbing: false };
  const openings = failed.failures - policy.openAfterFailures;
  const pause = openings < 0 ? 0 : Math.min(policy.openMs * 2 ** openings, policy.openMsMax);
  const asked = Math.min(retryAfterMs, policy.retryAfterMsMax);
  const closedUntil = Math.max(pacing.closedUntil, now + Math.max(pause, asked));
  return { ...failed, closedUntil };
};
