import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exhaustedBudget, exhaustedTime, type Budget } from '../../src/core/budget.ts';
import type { Usage } from '../../src/core/run-state.ts';

const used = (usage: Partial<Usage> = {}): Usage => ({
  calls: 0,
  inputTokens: 0,
  outputTokens: 0,
  usd: 0,
  unpriced: 0,
  ...usage,
});
const check = (budget: Budget, usage: Partial<Usage>, given = {}) =>
  exhaustedBudget(budget, used(usage), { grants: 1, inFlight: 0, ...given });

describe('a budget', () => {
  test('that names no limit is never exhausted', () => {
    expect(check({}, { calls: 1e6, inputTokens: 1e9, usd: 1e6, unpriced: 1 })).toBe(undefined);
  });

  test.each<[Budget, Partial<Usage>, Partial<Usage>, object]>([
    [{ calls: 3 }, { calls: 2 }, { calls: 3 }, { unit: 'calls', used: 3, limit: 3 }],
    [
      { tokens: 10 },
      { inputTokens: 4, outputTokens: 5 },
      { inputTokens: 5, outputTokens: 5 },
      { unit: 'tokens', used: 10, limit: 10 },
    ],
    [{ usd: 0.5 }, { usd: 0.49 }, { usd: 0.5 }, { unit: 'USD', used: 0.5, limit: 0.5 }],
  ])('%o lets the last call through, and not the one after it', (budget, below, at, exhausted) => {
    expect(check(budget, below)).toBe(undefined);
    expect(check(budget, at)).toEqual(exhausted);
  });

  test('counts calls in flight, so it is overshot by those at most', () => {
    expect(check({ calls: 3 }, { calls: 1 }, { inFlight: 1 })).toBe(undefined);
    expect(check({ calls: 3 }, { calls: 1 }, { inFlight: 2 })).toMatchObject({ unit: 'calls' });
  });

  test('of USD refuses to go on blindly after a call of unknown cost', () => {
    expect(check({ usd: 100 }, { unpriced: 1, usd: 0.1 })).toEqual({
      unit: 'USD',
      used: '0.1 and 1 calls of unknown cost',
      limit: 100,
    });
    expect(check({ tokens: 100 }, { unpriced: 1 })).toBe(undefined);
  });

  test('is granted once more by each resume', () => {
    expect(check({ calls: 3 }, { calls: 3 }, { grants: 2 })).toBe(undefined);
    expect(check({ calls: 3 }, { calls: 6 }, { grants: 2 })).toEqual({
      unit: 'calls',
      used: 6,
      limit: 6,
    });
  });

  test('that is exhausted stays so, whatever else is spent', () => {
    const usage = fc.record({
      calls: fc.nat(20),
      inputTokens: fc.nat(20),
      outputTokens: fc.nat(20),
      usd: fc.nat(20),
    });
    const budget = fc.record(
      { calls: fc.nat(20), tokens: fc.nat(20), usd: fc.nat(20) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(budget, usage, usage, (limits, first, more) => {
        fc.pre(check(limits, first) !== undefined);
        const sum = Object.fromEntries(
          Object.entries(first).map(([name, value]) => [
            name,
            value + more[name as keyof typeof more],
          ]),
        );
        expect(check(limits, sum)).toBeDefined();
      }),
    );
  });

  test('of 0 allows no call', () => {
    expect(check({ calls: 0 }, {})).toMatchObject({ unit: 'calls' });
    expect(check({ usd: 0 }, {})).toMatchObject({ unit: 'USD' });
  });
});

describe('a budget of wall time', () => {
  test('is exhausted from its last millisecond on, and never when it names none', () => {
    expect(exhaustedTime({ wallTimeMs: 1_000 }, 999)).toBe(undefined);
    expect(exhaustedTime({ wallTimeMs: 1_000 }, 1_000)).toEqual({
      unit: 'ms of wall time',
      used: 1_000,
      limit: 1_000,
    });
    expect(exhaustedTime({ tokens: 1 }, 1e12)).toBe(undefined);
  });

  test('bears a clock that was set back', () => {
    expect(exhaustedTime({ wallTimeMs: 1_000 }, -5_000)).toBe(undefined);
  });
});
