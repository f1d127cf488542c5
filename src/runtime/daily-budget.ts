/**
 * What all runs together, and those of each tenant, may spend on models within a day (UTC).
 *
 * 1. What was spent is read from the journals' own totals before each call, whoever spent it: a restart and other
 *    processes on the same store forget nothing.
 * 2. Calls under way in this process count as calls; so a budget is overshot by at most what they cost.
 * 3. It is the run that waits for a person or for the next day; nothing of it is lost.
 */
import { exhaustedBudget, type Spending } from '../core/budget.ts';
import { EclError } from '../core/errors.ts';
import type { Usage } from '../core/run-state.ts';
import type { Clock } from '../ports/clock.ts';
import type { ReadModels, OwnProjection } from '../ports/read-models.ts';
import type { UsageTotals } from '../ports/status-queries.ts';

export interface DailyBudgets {
  /** For all runs of the store. @default unlimited */
  readonly all?: Spending;
  /** For the runs of each tenant. @default unlimited */
  readonly tenant?: Spending;
}

interface DailyBudgetParts {
  readonly budgets: DailyBudgets;
  readonly readModels: ReadModels;
  readonly clock: Clock;
}

/** A budget counts what was read from a cache as well. */
const usageOf = (totals: UsageTotals): Usage => ({
  calls: totals.calls,
  inputTokens: totals.inputTokens + totals.cacheReadTokens + totals.cacheWriteTokens,
  outputTokens: totals.outputTokens,
  usd: totals.usd,
  unpriced: totals.unpriced,
});

export class DailyBudget {
  readonly #parts: DailyBudgetParts;
  /** Calls that are made but not settled, by tenant. */
  readonly #inFlight = new Map<string, number>();

  constructor(parts: DailyBudgetParts) {
    this.#parts = parts;
  }

  /**
   * Makes a call for a tenant, unless the day's budget is spent.
   *
   * @throws EclError `budget.exhausted`, and what the read models throw: what was spent is not guessed
   */
  async spend<Result>(tenant: string, call: () => Promise<Result>): Promise<Result> {
    const { all, tenant: each } = this.#parts.budgets;
    await this.#parts.readModels.caughtUp({ of: 'model-usage' satisfies OwnProjection });
    if (all !== undefined) this.#check(all, undefined);
    if (each !== undefined) this.#check(each, tenant);
    this.#inFlight.set(tenant, this.#callsOf(tenant) + 1);
    try {
      return await call();
    } finally {
      this.#inFlight.set(tenant, this.#callsOf(tenant) - 1);
    }
  }

  #check(budget: Spending, tenant: string | undefined): void {
    const { readModels, clock } = this.#parts;
    const day = new Date(clock.now()).toISOString().slice(0, 10);
    const query = { since: day, until: day, ...(tenant === undefined ? {} : { tenant }) };
    const { total } = readModels.status.usage(query);
    const inFlight =
      tenant === undefined
        ? [...this.#inFlight.values()].reduce((sum, calls) => sum + calls, 0)
        : this.#callsOf(tenant);
    const exhausted = exhaustedBudget(budget, usageOf(total), { grants: 1, inFlight });
    if (exhausted === undefined) return;
    const whose = tenant === undefined ? 'all runs' : `tenant ${tenant}`;
    throw new EclError('budget.exhausted', { scope: `${whose} on ${day} (UTC)`, ...exhausted });
  }

  #callsOf(tenant: string): number {
    return this.#inFlight.get(tenant) ?? 0;
  }
}
