/**
 * How much one token may ask for: a bucket of requests that fills over time, and a number of requests and of streams at
 * the same time.
 */
import { EclError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { HttpLimits } from '../limits.ts';
import type { Principal } from './authorize.ts';

interface Account {
  /** Requests that may still be made at once. */
  tokens: number;
  filledAt: number;
  requests: number;
  streams: number;
}

/** Accounts that are looked after; those that say nothing any more are forgotten first. */
const accountsMax = 10_000;

const limited = (reason: string, retryAfterMs: number): EclError =>
  new EclError('access.rate-limited', { reason, retryAfterMs: Math.ceil(retryAfterMs) });

export class Load {
  readonly #limits: HttpLimits;
  readonly #clock: Clock;
  readonly #accounts = new Map<string, Account>();

  constructor(limits: HttpLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /**
   * Counts a request.
   * @returns what is called when it is over
   * @throws EclError `access.rate-limited`
   */
  takeRequest({ id }: Principal): () => void {
    const account = this.#accountOf(id);
    const { requestsPerSecond, concurrentRequests } = this.#limits;
    this.#fill(account);
    if (account.tokens < 1) {
      const waitMs = ((1 - account.tokens) / requestsPerSecond) * 1_000;
      throw limited(`more than ${requestsPerSecond} requests a second`, Math.max(1, waitMs));
    }
    if (account.requests >= concurrentRequests) {
      throw limited(`${concurrentRequests} requests are under way`, 1_000);
    }
    account.tokens -= 1;
    account.requests += 1;
    return once(() => (account.requests -= 1));
  }

  /**
   * Counts a stream.
   * @returns what is called when it is over
   * @throws EclError `access.rate-limited`
   */
  takeStream({ id }: Principal): () => void {
    const account = this.#accountOf(id);
    const { concurrentStreams } = this.#limits;
    if (account.streams >= concurrentStreams) {
      throw limited(`${concurrentStreams} streams are open`, 1_000);
    }
    account.streams += 1;
    return once(() => (account.streams -= 1));
  }

  #fill(account: Account): void {
    const { requestsPerSecond, requestBurst } = this.#limits;
    const now = this.#clock.now();
    const passed = Math.max(0, now - account.filledAt);
    account.filledAt = now;
    account.tokens = Math.min(requestBurst, account.tokens + (passed / 1_000) * requestsPerSecond);
  }

  #accountOf(id: string): Account {
    const known = this.#accounts.get(id);
    if (known !== undefined) return known;
    if (this.#accounts.size >= accountsMax) this.#forgetIdle();
    const { requestBurst } = this.#limits;
    const account = { tokens: requestBurst, filledAt: this.#clock.now(), requests: 0, streams: 0 };
    this.#accounts.set(id, account);
    return account;
  }

  #forgetIdle(): void {
    for (const [id, { requests, streams }] of this.#accounts) {
      if (requests === 0 && streams === 0) this.#accounts.delete(id);
    }
  }
}

const once = (work: () => void): (() => void) => {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
};
