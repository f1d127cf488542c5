import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeAppend, encodeAppend } from '../../../src/adapters/sqlite/row-format.ts';
import type { EventData, EventMetadata } from '../../../src/ports/event-store.ts';
import { chained } from '../../contracts/event-store/kit.ts';

const place = { stream: 'a', revision: 7, position: 40 };

const roundTrip = (events: readonly EventData[]): EventData[] =>
  decodeAppend({ ...place, count: events.length }, encodeAppend(events)).map(
    ({ id, type, data, metadata }) => ({ id, type, data, metadata }),
  );

const metadata = fc
  .record(
    {
      hash: fc.oneof(fc.constantFrom('h1', 'h2', 'a'.repeat(64)), fc.string()),
      prev: fc.oneof(fc.constantFrom('h1', 'h2', 'a'.repeat(64)), fc.integer()),
      $causationId: fc.constantFrom('id-1', 'id-2', ''),
      schema: fc.oneof(fc.integer(), fc.boolean(), fc.constant(null)),
      other: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  .map((fields) => JSON.parse(JSON.stringify(fields)) as EventMetadata);

const event = fc.record({
  id: fc.oneof(fc.constantFrom('id-1', 'id-2'), fc.uuid()),
  type: fc.string({ unit: 'grapheme' }),
  data: fc.string({ unit: 'grapheme' }),
  metadata,
});

test('whatever is encoded is decoded as it was', () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 6 }), (events) => {
      expect(roundTrip(events)).toEqual(events);
    }),
    { numRuns: 500 },
  );
});

test('events know their places', () => {
  const events = chained('a', 3);
  const decoded = decodeAppend({ ...place, count: 3 }, encodeAppend(events));
  expect(decoded.map(({ stream, revision, position }) => [stream, revision, position])).toEqual([
    ['a', 7, 40n],
    ['a', 8, 41n],
    ['a', 9, 42n],
  ]);
});

test('what can be derived is not stored', () => {
  const events = chained('a', 6);
  const { head, body } = encodeAppend(events);
  expect(roundTrip(events)).toEqual(events);
  const perEvent = (head.length - encodeAppend(events.slice(0, 1)).head.length) / 5;
  expect(perEvent).toBeLessThan(110);
  expect(head).not.toContain(events[3]!.id);
  expect(head.split(events[2]!.metadata.hash!)).toHaveLength(2);
  expect(body).toBe(events.map(({ data }) => data).join(''));
});

test('metadata that JSON cannot hold is refused', () => {
  const odd = { id: '1', type: 'Noted', data: '{}', metadata: { big: 1n } };
  expect(() => encodeAppend([odd])).toThrow(expect.objectContaining({ code: 'input.not-json' }));
});
