import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { setup } from 'xstate';
import { chainStart } from '../../src/core/hash-chain.ts';
import {
  chainFault,
  openEvent,
  recordedOf,
  sealDecision,
  type StoredEvent,
} from '../../src/core/journal-codec.ts';
import { given, signal, writer } from './kit.ts';

const machine = setup({}).createMachine({
  id: 'm',
  version: '1',
  initial: 'a',
  states: { a: { after: { 1000: 'b' }, on: { go: 'b', note: {} } }, b: { on: { back: 'a' } } },
});

const journal = (): readonly StoredEvent[] =>
  given(
    machine,
    signal('go'),
    signal('back'),
    signal({ type: 'note', text: 'x"\\\n€' }),
    signal('go'),
  ).stored;

/** The first revision at which the chain breaks. */
const brokenAt = (events: readonly StoredEvent[]): number | undefined => {
  let prev = chainStart;
  for (const [revision, event] of events.entries()) {
    if (chainFault(event, prev, revision) !== undefined) return revision;
    prev = recordedOf(event).hash;
  }
  return undefined;
};

const provenance = {
  correlation: 'm.k',
  causation: 'cause',
  tenant: 'default',
  at: '2026-01-01T00:00:00.000Z',
  writer,
};
const head = { stream: 'run-default.m.k', revision: 6, hash: 'f'.repeat(64) };

describe('sealing a decision', () => {
  const events = [
    { type: 'TimerFired' as const, data: { id: 't' } },
    { type: 'EventEmitted' as const, data: { event: { type: 'x' } } },
    { type: 'EventEmitted' as const, data: { event: { type: 'y' } } },
  ];

  test('chains its events on from the head', () => {
    const { events: sealed, recorded } = sealDecision(events, head, provenance);
    expect(sealed[0]?.metadata.prev).toBe(head.hash);
    expect(sealed[1]?.metadata.prev).toBe(sealed[0]?.metadata.hash);
    expect(recorded.map(({ revision }) => revision)).toEqual([7, 8, 9]);
  });

  test('the cause of a consequence is its fact, the cause of the fact is what it answers', () => {
    const sealed = sealDecision(events, head, provenance).events;
    expect(sealed.map(({ metadata }) => metadata.$causationId)).toEqual([
      'cause',
      sealed[0]?.id,
      sealed[0]?.id,
    ]);
  });

  test('the same decision at the same head has the same ids, for a repeated append', () => {
    expect(sealDecision(events, head, provenance)).toEqual(sealDecision(events, head, provenance));
  });

  test('another writer at the same head has other ids, so a loser is never taken for a repeat', () => {
    const ids = (by: string): string[] =>
      sealDecision(events, head, { ...provenance, writer: by }).events.map(({ id }) => id);
    expect(ids('one').filter((id) => ids('two').includes(id))).toEqual([]);
  });

  test('what does not fit its schema is refused before it is stored', () => {
    const wrong = [
      { type: 'TimerSet' as const, data: { id: 't', dueAt: 1.5, event: { type: 'x' } } },
    ];
    expect(() => sealDecision(wrong, head, provenance)).toThrow(
      expect.objectContaining({ code: 'event.invalid' }) as Error,
    );
  });
});

describe('the chain', () => {
  test('holds as it was written', () => {
    expect(brokenAt(journal())).toBe(undefined);
  });

  test('any character flipped anywhere is found at its revision', () => {
    const stored = journal();
    const fields = ['data', 'type', 'stream', 'id'] as const;
    const hidden = [
      '$correlationId',
      '$causationId',
      'tenant',
      'at',
      'prev',
      'hash',
      'writer',
    ] as const;
    fc.assert(
      fc.property(
        fc.nat({ max: stored.length - 1 }),
        fc.constantFrom(...fields, ...hidden),
        fc.nat(),
        fc.integer({ min: 1, max: 127 }),
        (revision, field, position, flip) => {
          const event = stored[revision]!;
          const isHidden = (hidden as readonly string[]).includes(field);
          const source = isHidden ? event.metadata : event;
          const text = source[field as keyof typeof source] as string;
          fc.pre(text.length > 0);
          const at = position % text.length;
          const flipped = `${text.slice(0, at)}${String.fromCodePoint(text.charCodeAt(at) ^ flip)}${text.slice(at + 1)}`;
          const damaged = isHidden
            ? { ...event, metadata: { ...event.metadata, [field]: flipped } }
            : { ...event, [field]: flipped };
          expect(brokenAt(stored.with(revision, damaged))).toBe(revision);
        },
      ),
      { numRuns: 400 },
    );
  });

  test.each(['schema', '$correlationId', '$causationId', 'tenant', 'at', 'prev', 'hash', 'writer'])(
    'metadata without %s is found',
    (field) => {
      const stored = journal();
      const { [field]: _, ...metadata } = stored[2]!.metadata;
      expect(brokenAt(stored.with(2, { ...stored[2]!, metadata }))).toBe(2);
    },
  );

  test('another revision, a dropped, repeated or moved event is found', () => {
    const stored = journal();
    expect(brokenAt(stored.with(3, { ...stored[3]!, revision: 4 }))).toBe(3);
    expect(brokenAt(stored.toSpliced(2, 1))).toBe(2);
    expect(brokenAt(stored.toSpliced(2, 0, stored[1]!))).toBe(2);
    expect(brokenAt([...stored.slice(0, 2), stored[3]!, stored[2]!, ...stored.slice(4)])).toBe(2);
  });

  test('a cut tail leaves a valid chain, to be found against a head that is kept elsewhere', () => {
    expect(brokenAt(journal().slice(0, -1))).toBe(undefined);
  });
});

describe('opening an event', () => {
  const stored = (type: string, data: string, metadata: object = { schema: 1 }): StoredEvent => ({
    stream: 's',
    revision: 4,
    id: 'i',
    type,
    data,
    metadata: metadata as StoredEvent['metadata'],
  });

  test('gives the data as it went in', () => {
    for (const event of journal())
      expect(openEvent(event, () => undefined)).toHaveProperty('event');
  });

  test('an event that does not say its schema has version 1', () => {
    expect(openEvent(stored('TimerFired', '{"id":"t"}', {}), () => undefined)).toEqual({
      event: { type: 'TimerFired', data: { id: 't' } },
    });
  });

  test('names the blobs that it needs first', () => {
    const data = '{"id":{"$ecl.blob":{"sha256":"abc","bytes":1}}}';
    expect(openEvent(stored('TimerFired', data), () => undefined)).toEqual({ missing: ['abc'] });
  });

  test.each([
    ['no JSON', stored('TimerFired', '{"id":'), 'store.corrupt'],
    ['an unknown type', stored('TimerExploded', '{}'), 'event.unknown-type'],
    ['a type that every object has', stored('toString', '{}'), 'event.unknown-type'],
    ['a newer schema', stored('TimerFired', '{"id":"t"}', { schema: 2 }), 'event.unknown-type'],
    [
      'a schema that never was',
      stored('TimerFired', '{"id":"t"}', { schema: 0 }),
      'event.unknown-type',
    ],
    ['other data', stored('TimerFired', '{"id":1}'), 'event.invalid'],
    ['no data', stored('TimerFired', 'null'), 'event.invalid'],
  ])('%s is refused', (_, event, code) => {
    expect(() => openEvent(event, () => undefined)).toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });
});

describe('a stored event that somebody else wrote', () => {
  const stored = (data: string): StoredEvent => ({ ...journal()[0]!, type: 'EventEmitted', data });

  test.each([
    ['a name', '{"event":{"type":"x","__proto__":{"admin":true}}}'],
    ['an escaped name', '{"event":{"type":"x","a":[{"__pr\\u006fto__":1}]}}'],
  ])('is refused with %s that pollutes prototypes', (_, data) => {
    expect(() => openEvent(stored(data), () => undefined)).toThrow(
      expect.objectContaining({ code: 'event.invalid' }),
    );
  });

  test('is refused with such a name in a blob', () => {
    const blob = { '$ecl.blob': { sha256: 'a'.repeat(64), bytes: 20 } };
    const data = JSON.stringify({ event: blob });
    expect(() => openEvent(stored(data), () => '{"type":"x","__proto__":{}}')).toThrow(
      expect.objectContaining({ code: 'event.invalid' }),
    );
  });

  test('may speak of the name in its texts', () => {
    const data = '{"event":{"type":"x","text":"__proto__"}}';
    expect(openEvent(stored(data), () => undefined)).toMatchObject({
      event: { type: 'EventEmitted' },
    });
  });
});
