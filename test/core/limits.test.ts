import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';

test('every limit is a whole number above zero, and names its unit or what it bounds', () => {
  for (const [name, value] of Object.entries(limits)) {
    expect([name, Number.isSafeInteger(value) && value > 0]).toEqual([name, true]);
    expect(name).toMatch(/(Max|Events|Ms)$/);
  }
});

test('an event fits a payload, and a payload fits no event', () => {
  expect(limits.eventBytesMax).toBe(65_536);
  expect(limits.payloadBytesMax).toBe(16_777_216);
  expect(limits.errorMessageMax * 4).toBeLessThan(limits.eventBytesMax);
});
