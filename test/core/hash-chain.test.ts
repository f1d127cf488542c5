import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  chainHash,
  chainStart,
  eventIdOfHash,
  type ChainedEvent,
} from '../../src/core/hash-chain.ts';
import { sha256 } from '../../src/core/sha256.ts';

const event: ChainedEvent = {
  prev: chainStart,
  stream: 'run-default.m.k',
  revision: 3,
  type: 'TimerFired',
  schema: 1,
  at: '2026-01-01T00:00:00.000Z',
  writer: 'w',
  correlation: 'm.k',
  causation: '',
  data: '{"id":"t"}',
};

describe('chainHash', () => {
  test('is the sha-256 of its fields, each on a line, so that anyone can recompute it', () => {
    const lines = [
      chainStart,
      'run-default.m.k',
      '3',
      'TimerFired',
      '1',
      event.at,
      'w',
      'm.k',
      '',
      event.data,
    ];
    expect(chainHash(event)).toBe(sha256(lines.join('\n')));
  });

  test('changes with every field', () => {
    const hashes = Object.keys(event).map((field) => {
      const value = event[field as keyof ChainedEvent];
      return chainHash({ ...event, [field]: typeof value === 'number' ? value + 1 : `${value}x` });
    });
    expect(new Set([...hashes, chainHash(event)]).size).toBe(Object.keys(event).length + 1);
  });
});

describe('eventIdOfHash', () => {
  test('is a uuid v8 made of the first 16 bytes', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const hash = sha256(text);
        const id = eventIdOfHash(hash);
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        const digits = id.replaceAll('-', '');
        const kept = Array.from(digits).filter(
          (digit, at) => at === 12 || at === 16 || digit === hash[at],
        );
        expect(kept).toHaveLength(32);
      }),
    );
  });
});
