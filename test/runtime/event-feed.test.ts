import { expect, test } from 'vitest';
import { createMemoryArtifactStore } from '../../src/adapters/memory/artifact-store.ts';
import { createMemoryEventStore } from '../../src/adapters/memory/event-store.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { readEventPage, readEvents } from '../../src/runtime/event-feed.ts';
import { decorated } from './kit.ts';

const stream = 'run-default.m.k';
const prefix = 'run-';
const artifacts = createMemoryArtifactStore();

let count = 0;
const append = async (store: EventStore, to = stream): Promise<void> => {
  count += 1;
  const id = `00000000-0000-8000-8000-${String(count).padStart(12, '0')}`;
  const data = JSON.stringify({ event: { type: 'x', count } });
  const events = [{ id, type: 'EventEmitted', data, metadata: {} }];
  await store.append({ stream: to, expectedRevision: 'any', events });
};

test('what is stored while following one run begins is given once', async () => {
  const inner = createMemoryEventStore();
  await append(inner);
  await append(inner, 'run-default.m.other');
  const store = decorated(inner, {
    lastPosition: async () => {
      const last = await inner.lastPosition();
      // It stands in the journal that is read next, and after the end that the all-stream is followed from.
      await append(inner);
      return last;
    },
    subscribe: (options) => {
      const items = inner.subscribe(options);
      void append(inner);
      return items;
    },
  });
  const revisions: number[] = [];
  for await (const { revision } of readEvents(
    { store, artifacts },
    { stream, prefix, live: true },
  )) {
    revisions.push(revision);
    if (revisions.length === 3) break;
  }
  expect(revisions).toEqual([0, 1, 2]);
});

test('a page follows on the one before, and one of another list is refused', async () => {
  const store = createMemoryEventStore();
  for (let event = 0; event < 5; event += 1) await append(store);
  const source = { store, artifacts };
  const first = await readEventPage(source, { stream, prefix, limit: 3 });
  expect(first).toMatchObject({ nextCursor: 'revision-2' });
  const query = { stream, prefix, limit: 3, cursor: first.nextCursor! };
  const second = await readEventPage(source, query);
  expect(second.items.map(({ revision }) => revision)).toEqual([3, 4]);
  expect(second.nextCursor).toBeUndefined();
  await expect(
    readEventPage(source, { prefix, limit: 3, cursor: first.nextCursor! }),
  ).rejects.toMatchObject({ code: 'usage.invalid' });
});
