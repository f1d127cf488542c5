/** Between events of the protocol and of the store nothing is lost, and the store holds nothing but JSON. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fromStored,
  tombstonedStream,
  tombstoneEvent,
  toStored,
  type ProposedEvent,
} from '../../src/kurrent-gateway/stored-event.ts';
import type { EventData, RecordedEvent } from '../../src/ports/event-store.ts';

const created = '2026-11-24T10:00:00.123Z';
const recorded = (event: EventData): RecordedEvent => ({
  ...event,
  // As it comes back from a store.
  metadata: JSON.parse(JSON.stringify(event.metadata)) as EventData['metadata'],
  stream: 's',
  revision: 0,
  position: 1n,
});

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((part) => Buffer.from(part)),
  fc.string({ unit: 'binary' }).map((part) => Buffer.from(part)),
  fc.json().map((part) => Buffer.from(part)),
  fc
    .constantFrom('', '{}', '""', 'null', '\0', '{"a":1,"a":2}', '1e400', '{"__proto__":1}')
    .map((part) => Buffer.from(part)),
);

const anyEvent: fc.Arbitrary<ProposedEvent> = fc.record({
  id: fc.uuid(),
  type: fc.string({ minLength: 1 }),
  isJson: fc.boolean(),
  data: anyBytes,
  metadata: anyBytes,
});

const jsonOf = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    return undefined;
  }
};

describe('an event', () => {
  test('comes back from the store as it was sent, whatever its data and metadata are', () => {
    fc.assert(
      fc.property(anyEvent, (sent) => {
        const stored = toStored(sent, created);
        expect(() => JSON.parse(stored.data) as unknown).not.toThrow();
        const back = fromStored(recorded(stored));
        expect(back).toMatchObject({ id: sent.id, type: sent.type, isJson: sent.isJson });
        expect(back.created).toBe(Date.parse(created));
        expect(back.data.equals(sent.data)).toBe(true);
        if (back.metadata.equals(sent.metadata)) return;
        // An empty object is no metadata.
        if (sent.metadata.toString() === '{}') expect(back.metadata).toHaveLength(0);
        else expect(jsonOf(back.metadata)).toEqual(jsonOf(sent.metadata));
      }),
      { numRuns: 500 },
    );
  });

  test('that is JSON with an object as metadata is stored as the store has its own', () => {
    const metadata = { $correlationId: 'a', at: created, schema: 1 };
    const sent = {
      id: 'i',
      type: 't',
      isJson: true,
      data: Buffer.from('{"n": 1}'),
      metadata: Buffer.from(JSON.stringify(metadata)),
    };
    expect(toStored(sent, undefined)).toEqual({ id: 'i', type: 't', data: '{"n": 1}', metadata });
  });

  test('cannot pass for a tombstone, whatever a client calls it', () => {
    const real = tombstoneEvent('s', 'i', created);
    expect(tombstonedStream(recorded(real))).toBe('s');
    const forged = toStored(
      {
        id: 'i',
        type: real.type,
        isJson: false,
        data: Buffer.alloc(0),
        metadata: Buffer.from(JSON.stringify(real.metadata)),
      },
      created,
    );
    expect(tombstonedStream(recorded(forged))).toBeUndefined();
  });
});
