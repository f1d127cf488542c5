import { describe, expect, test } from 'vitest';
import {
  ArtifactReference,
  isConsequenceType,
  isFactType,
  journalEventTypes,
  MachineEvent,
} from '../../src/core/journal-events.ts';

describe('the types of a journal', () => {
  test('are facts or consequences, and never both', () => {
    for (const type of journalEventTypes) {
      expect([type, isFactType(type) !== isConsequenceType(type)]).toEqual([type, true]);
    }
  });

  test('are written in the past, each word with a capital', () => {
    for (const type of journalEventTypes) expect(type).toMatch(/^([A-Z][a-z]+){2,3}$/);
  });

  test.each(['toString', '__proto__', 'constructor', ''])('do not hold "%s"', (type) => {
    expect([isFactType(type), isConsequenceType(type)]).toEqual([false, false]);
  });
});

test('a machine event has a type, and beside it whatever it likes', () => {
  expect(MachineEvent.parse({ type: 'x', a: [1] })).toEqual({ type: 'x', a: [1] });
  expect(MachineEvent.safeParse({ type: 'x'.repeat(256) }).success).toBe(true);
  for (const event of [{}, { type: '' }, { type: 'x'.repeat(257) }, 'x', null]) {
    expect(MachineEvent.safeParse(event).success).toBe(false);
  }
});

test('the address of an artifact is 64 hex digits', () => {
  const reference = { name: 'a', sha256: 'a'.repeat(64), bytes: 0, mediaType: 'text/plain' };
  expect(ArtifactReference.safeParse(reference).success).toBe(true);
  for (const sha256 of ['', 'A'.repeat(64), 'a'.repeat(63), `${'a'.repeat(64)}\n`]) {
    expect(ArtifactReference.safeParse({ ...reference, sha256 }).success).toBe(false);
  }
});
