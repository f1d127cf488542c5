import { expect, test } from 'vitest';
import { createMemoryEventStore } from '../../../src/adapters/memory/event-store.ts';
import { eventStoreContract } from '../../contracts/event-store-contract.ts';

eventStoreContract({ name: 'memory', open: async () => createMemoryEventStore() });

test('what is read cannot be changed by its reader', async () => {
  const store = createMemoryEventStore();
  const written = { id: '1', type: 'Noted', data: '{}', metadata: { schema: 1 } };
  await store.append({ stream: 'a', expectedRevision: 'no-stream', events: [written] });
  for await (const event of store.readStream('a')) {
    expect(Object.isFrozen(event) && Object.isFrozen(event.metadata)).toBe(true);
  }
});

test('a store in memory says that it is not durable', async () => {
  const store = createMemoryEventStore({ name: 'a test' });
  expect(await store.describe()).toMatchObject({ kind: 'memory', location: 'a test' });
  expect((await store.describe()).durability).toContain('none');
});
