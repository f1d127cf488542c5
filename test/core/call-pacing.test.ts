import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  answered,
  begun,
  defaultPacing,
  newPacing,
  nextCallAt,
  unanswered,
  type Pacing,
  type PacingPolicy,
} from '../../src/core/call-pacing.ts';

const failing = (failures: number, now = 0): Pacing => {
  let pacing = newPacing;
  for (let n = 0; n < failures; n += 1) pacing = unanswered(pacing, defaultPacing, { now });
  return pacing;
};

describe('a provider that does not answer', () => {
  test('is called on, until it has failed five times in a row', () => {
    expect(nextCallAt(failing(4), defaultPacing)).toBe(0);
    expect(nextCallAt(failing(5), defaultPacing)).toBe(5_000);
  });

  test('is left alone for twice as long with each further failure, and never for more than a minute', () => {
    const waits = [5, 6, 7, 8, 9, 10, 30].map((n) => nextCallAt(failing(n), defaultPacing));
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  });

  test('is asked by one call alone whether it is back', () => {
    const probing = begun(failing(5), defaultPacing, 5_000);
    expect(nextCallAt(probing, defaultPacing)).toBe(Infinity);
    expect(nextCallAt(answered(probing), defaultPacing)).toBe(5_000);
    expect(answered(probing).failures).toBe(0);
    expect(nextCallAt(unanswered(probing, defaultPacing, { now: 5_000 }), defaultPacing)).toBe(
      15_000,
    );
  });

  test('is left alone for as long as it asks for, but not for hours', () => {
    const asked = (retryAfterMs: number): number =>
      nextCallAt(unanswered(newPacing, defaultPacing, { now: 0, retryAfterMs }), defaultPacing);
    expect([asked(7_000), asked(10_000_000)]).toEqual([7_000, 300_000]);
  });
});

describe('a rate limit', () => {
  const gap = fc.integer({ min: 0, max: 5_000 });
  const rate = fc.integer({ min: 1, max: 600 });

  test('lets no window of a minute have more calls than its limit and one burst', () => {
    fc.assert(
      fc.property(rate, fc.array(gap, { maxLength: 300 }), (callsPerMinute, gaps) => {
        const policy: PacingPolicy = { ...defaultPacing, callsPerMinute };
        const begins: number[] = [];
        let pacing = newPacing;
        let now = 0;
        for (const wait of gaps) {
          now = Math.max(now + wait, nextCallAt(pacing, policy));
          pacing = begun(pacing, policy, now);
          begins.push(now);
        }
        const most = callsPerMinute + Math.max(1, Math.floor(callsPerMinute / 10));
        for (const [index, at] of begins.entries()) {
          const within = begins.slice(index).filter((each) => each < at + 60_000);
          expect(within.length).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  test('delays nobody who calls more slowly than it', () => {
    const policy: PacingPolicy = { ...defaultPacing, callsPerMinute: 60 };
    let pacing = newPacing;
    for (let now = 0; now < 100_000; now += 1_000) {
      expect(nextCallAt(pacing, policy)).toBeLessThanOrEqual(now);
      pacing = begun(pacing, policy, now);
    }
  });
});
