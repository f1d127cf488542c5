/** What is remembered of a stream's metadata is never older than the last time it was forgotten. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { createMemoryEventStore } from '../../src/adapters/memory/event-store.ts';
import { toStored } from '../../src/kurrent-gateway/stored-event.ts';
import { StreamStates } from '../../src/kurrent-gateway/stream-states.ts';
import type { EventStore } from '../../src/ports/event-store.ts';

const metadataEvent = (text: string) =>
  toStored(
    {
      id: randomUUID(),
      type: '$metadata',
      isJson: true,
      data: Buffer.from(text),
      metadata: Buffer.alloc(0),
    },
    '2026-11-24T10:00:00.000Z',
  );

const setMetadata = (store: EventStore, text: string) =>
  store.append({ stream: '$$s', expectedRevision: 'any', events: [metadataEvent(text)] });

test('what was read before a change is not remembered after it', async () => {
  const store = createMemoryEventStore();
  let looked = (): void => {};
  const hasLooked = new Promise<void>((resolve) => (looked = resolve));
  let goOn = (): void => {};
  const held = new Promise<void>((resolve) => (goOn = resolve));
  const slow = Object.assign(Object.create(store) as EventStore, {
    lastRevision: async (stream: string) => {
      const revision = await store.lastRevision(stream);
      looked();
      await held;
      return revision;
    },
    readStream: store.readStream.bind(store),
  });
  const states = new StreamStates(slow);
  const early = states.get('s');
  await hasLooked;
  await setMetadata(store, '{"$maxCount":1}');
  states.forget('s');
  goOn();
  expect((await early).metadata).toEqual({ truncateBefore: 0 });
  expect((await states.get('s')).metadata).toEqual({ maxCount: 1, truncateBefore: 0 });
});

test('the state of metadata goes with the stream that it is about', async () => {
  const store = createMemoryEventStore();
  const states = new StreamStates(store);
  await setMetadata(store, '{"$maxCount":3}');
  expect((await states.get('$$s')).metadata).toEqual({ maxCount: 1, truncateBefore: 0 });
  expect((await states.get('s')).metadata).toEqual({ maxCount: 3, truncateBefore: 0 });
  expect(states.known('s')).toBe(await states.get('s'));
  states.forget('s');
  expect(states.known('s')).toBeUndefined();
  expect(states.known('$$s')).toBeUndefined();
});
