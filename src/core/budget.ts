/**
 * What a run may spend, as arithmetic.
 *
 * 1. A call is refused before it is made when what is used and reserved reaches a limit; so a budget is overshot by at
 *    most the calls in flight.
 * 2. A call of unknown cost counts as a call and by its tokens, never as 0 USD: a USD limit then refuses further calls.
 * 3. Each resume by a person grants the budget once more. What is spent adds up, so the limit does; time passes while
 *    a run is paused, so it is counted anew.
 */
import type { Usage } from './run-state.ts';

export interface Spending {
  /** Input and output tokens together. */
  readonly tokens?: number;
  readonly usd?: number;
  readonly calls?: number;
}

export interface Budget extends Spending {
  /**
   * Time since the run started, or was resumed last, in milliseconds: waits for people, timers and retries are part of it.
   * It is asked before each step and each model call; a run that does neither is not woken for it.
   */
  readonly wallTimeMs?: number;
}

export interface Exhausted {
  readonly unit: 'tokens' | 'USD' | 'calls' | 'ms of wall time';
  readonly used: number | string;
  readonly limit: number;
}

/**
 * @param grants 1 plus the times a person resumed the run
 * @param inFlight calls that are made but not settled
 */
export const exhaustedBudget = (
  budget: Spending,
  usage: Usage,
  { grants, inFlight }: { grants: number; inFlight: number },
): Exhausted | undefined => {
  const limitOf = (value: number | undefined): number => (value ?? Infinity) * grants;
  const tokens = usage.inputTokens + usage.outputTokens;
  if (usage.calls + inFlight >= limitOf(budget.calls)) {
    return { unit: 'calls', used: usage.calls + inFlight, limit: limitOf(budget.calls) };
  }
  if (tokens >= limitOf(budget.tokens)) {
    return { unit: 'tokens', used: tokens, limit: limitOf(budget.tokens) };
  }
  if (budget.usd === undefined) return undefined;
  const limit = limitOf(budget.usd);
  if (usage.unpriced > 0) {
    return { unit: 'USD', used: `${usage.usd} and ${usage.unpriced} calls of unknown cost`, limit };
  }
  return usage.usd >= limit ? { unit: 'USD', used: usage.usd, limit } : undefined;
};

/** @param elapsedMs since the run started, or was resumed last */
export const exhaustedTime = (
  { wallTimeMs = Infinity }: Budget,
  elapsedMs: number,
): Exhausted | undefined =>
  elapsedMs >= wallTimeMs
    ? { unit: 'ms of wall time', used: elapsedMs, limit: wallTimeMs }
    : undefined;
