import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorCatalogue } from '../../src/core/errors.ts';
import {
  defaultRetryPolicy,
  errorClassOf,
  retryDelayMs,
  type FailedAttempt,
} from '../../src/core/retry-policy.ts';

const failed = (given: Partial<FailedAttempt> = {}): FailedAttempt => ({
  errorClass: 'retryable',
  failures: 1,
  invalidOutputs: 0,
  seed: 'w.k/draft#1/1',
  ...given,
});

describe('classes', () => {
  test.each([
    ['terminal', { name: 'TerminalError' }],
    ['terminal', { code: 'model.rejected' }],
    ['terminal', { code: 'model.refused' }],
    ['terminal', { code: 'model.truncated' }],
    ['terminal', { code: 'step.input-invalid' }],
    ['terminal', { code: 'input.too-large' }],
    ['pause', { code: 'model.credentials' }],
    ['pause', { code: 'model.none' }],
    ['pause', { code: 'budget.exhausted' }],
    ['invalid-output', { code: 'step.output-invalid' }],
    ['retryable', { code: 'model.overloaded' }],
    ['retryable', { code: 'model.timeout' }],
    ['retryable', { code: 'model.malformed' }],
    ['retryable', { code: 'step.timeout' }],
    ['retryable', { name: 'TypeError' }],
    ['retryable', { code: 'ECONNRESET' }],
    ['retryable', {}],
  ] as const)('%s: %o', (errorClass, error) => {
    expect(errorClassOf(error)).toBe(errorClass);
  });

  test('a model error that the catalogue calls retryable is one, and no other', () => {
    for (const [code, { retryable }] of Object.entries(errorCatalogue)) {
      if (!code.startsWith('model.') || code === 'model.unknown-kind' || code === 'model.aborted')
        continue;
      expect([code, errorClassOf({ code }) === 'retryable']).toEqual([code, retryable]);
    }
  });
});

describe('attempts', () => {
  const attempts = (given: (n: number) => Partial<FailedAttempt>): number => {
    let n = 1;
    while (retryDelayMs(defaultRetryPolicy, failed({ failures: n, ...given(n) })) !== undefined)
      n += 1;
    return n;
  };

  test('there are five, two where the output does not fit, one where trying again cannot help', () => {
    expect(attempts(() => ({}))).toBe(5);
    expect(attempts((n) => ({ errorClass: 'invalid-output', invalidOutputs: n }))).toBe(2);
    expect(attempts(() => ({ errorClass: 'terminal' }))).toBe(1);
    expect(attempts(() => ({ errorClass: 'pause' }))).toBe(1);
  });

  test('outputs that did not fit do not shorten the attempts of other failures', () => {
    expect(
      retryDelayMs(defaultRetryPolicy, failed({ failures: 3, invalidOutputs: 2 })),
    ).toBeDefined();
  });

  test('a policy of one attempt never retries', () => {
    expect(retryDelayMs({ ...defaultRetryPolicy, attemptsMax: 1 }, failed())).toBe(undefined);
  });
});

describe('the delay', () => {
  const attempt = fc.record({
    failures: fc.integer({ min: 1, max: 200 }),
    seed: fc.string(),
  });
  const patient = { ...defaultRetryPolicy, attemptsMax: Infinity };

  test('lies between 0 and the ceiling, which doubles up to its maximum', () => {
    fc.assert(
      fc.property(attempt, (given) => {
        const delay = retryDelayMs(patient, failed(given))!;
        expect(Number.isInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(Math.min(1000 * 2 ** (given.failures - 1), 60_000));
      }),
    );
  });

  test('is the same for the same seed, so another process comes to the same instant', () => {
    fc.assert(
      fc.property(attempt, (given) => {
        expect(retryDelayMs(patient, failed(given))).toBe(retryDelayMs(patient, failed(given)));
      }),
    );
  });

  test('spreads over its range', () => {
    const delays = Array.from({ length: 1_000 }, (_, n) =>
      retryDelayMs(patient, failed({ failures: 7, seed: `${n}` }))!,
    );
    const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
    expect(mean).toBeGreaterThan(27_000);
    expect(mean).toBeLessThan(33_000);
    expect(Math.min(...delays)).toBeLessThan(1_000);
    expect(Math.max(...delays)).toBeGreaterThan(59_000);
  });

  test('is never less than the provider asked for, and never beyond the longest wait', () => {
    fc.assert(
      fc.property(attempt, fc.double({ min: 0, max: 1e9, noNaN: true }), (given, retryAfterMs) => {
        const delay = retryDelayMs(patient, failed({ ...given, retryAfterMs }))!;
        expect(Number.isSafeInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(Math.min(retryAfterMs, 300_000));
        expect(delay).toBeLessThanOrEqual(300_000);
      }),
    );
  });

  test.each([
    [1_500.5, 1_501],
    [Infinity, 300_000],
    [300_001, 300_000],
  ])('a wait of %s ms is %s ms', (retryAfterMs, expected) => {
    expect(retryDelayMs(defaultRetryPolicy, failed({ retryAfterMs }))).toBe(expected);
  });

  test.each([Number.NaN, -1, -Infinity, undefined])('a wait of %s is none', (retryAfterMs) => {
    const usual = retryDelayMs(defaultRetryPolicy, failed());
    expect(retryDelayMs(defaultRetryPolicy, failed({ retryAfterMs }))).toBe(usual);
  });
});
