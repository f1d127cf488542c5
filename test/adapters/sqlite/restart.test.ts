import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { HeadCache } from '../../../src/adapters/sqlite/stream-heads.ts';
import type { Append } from '../../../src/ports/event-store.ts';
import {
  all,
  chained,
  event,
  events,
  idsOf,
  revisionsOf,
  wrongRevision,
} from '../../contracts/event-store/kit.ts';
import { temporary, withRawDatabase } from './temporary.ts';

const { folder } = temporary();
const open = (at: string) => openSqliteEventStore({ folder: at });

const rowsOf = (at: string): number =>
  withRawDatabase(join(at, 'events.db'), (database) =>
    Number(database.prepare('SELECT COUNT(*) AS count FROM appends').get()?.['count']),
  );

test('an append repeated after a restart gets its first answer', async () => {
  const at = folder();
  const batch = chained('a', 5);
  const appends: Append[] = [
    { stream: 'a', expectedRevision: 'no-stream', events: batch.slice(0, 3) },
    { stream: 'a', expectedRevision: 2, events: batch.slice(3) },
    { stream: 'b', expectedRevision: 'any', events: events(2) },
  ];
  const store = await open(at);
  const first = [];
  for (const append of appends) first.push(await store.append(append));
  await store.close();
  const again = await open(at);
  for (const [index, append] of appends.entries()) {
    expect(await again.append(append)).toEqual(first[index]);
  }
  const other = { ...appends[1]!, events: [batch[3]!, event()] };
  await expect(again.append(other)).rejects.toThrow(wrongRevision('a', 2, 4));
  expect(await all(again.readAll())).toHaveLength(7);
  await again.close();
});

test('revisions and positions go on after a restart', async () => {
  const at = folder();
  for (let start = 0; start < 3; start += 1) {
    const store = await open(at);
    const result = await store.append({ stream: 'a', expectedRevision: 'any', events: events(2) });
    expect(result).toEqual({ revision: start * 2 + 1, position: BigInt(start * 2 + 2) });
    await store.close();
  }
});

test('a deleted stream is gone from the file after a restart, and no position is given twice', async () => {
  const at = folder();
  const store = await open(at);
  await store.append({ stream: 'a', expectedRevision: 'no-stream', events: events(1) });
  await store.append({ stream: 'b', expectedRevision: 'no-stream', events: events(3) });
  await store.deleteStream('b', 2);
  expect(await all(store.readAll())).toHaveLength(4);
  await store.close();
  const again = await open(at);
  expect(rowsOf(at)).toBe(1);
  expect(await all(again.readAll())).toHaveLength(1);
  expect(await again.lastPosition()).toBe(1n);
  expect(await again.lastRevision('b')).toBeUndefined();
  const result = await again.append({ stream: 'b', expectedRevision: 2, events: events(1) });
  expect(result).toEqual({ revision: 3, position: 5n });
  expect(revisionsOf(await all(again.readStream('b')))).toEqual([3]);
  await again.close();
  const last = await open(at);
  expect(revisionsOf(await all(last.readStream('b')))).toEqual([3]);
  await last.close();
});

test('a stream that was deleted and written again keeps its new events over a restart', async () => {
  const at = folder();
  const store = await open(at);
  await store.append({ stream: 'a', expectedRevision: 'no-stream', events: events(2) });
  await store.deleteStream('a', 1);
  const batch = events(2);
  await store.append({ stream: 'a', expectedRevision: 'no-stream', events: batch });
  await store.close();
  const again = await open(at);
  expect(rowsOf(at)).toBe(1);
  expect(idsOf(await all(again.readStream('a')))).toEqual(idsOf(batch));
  await again.close();
});

test('a stream of one event does not make the file grow', async () => {
  const at = folder();
  const store = await open(at);
  await store.setStreamMetadata('snapshot', { maxCount: 1 });
  const data = JSON.stringify('x'.repeat(5_000));
  const append = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      await store.append({
        stream: 'snapshot',
        expectedRevision: 'any',
        events: [event({ data })],
      });
    }
  };
  await append(20);
  expect(rowsOf(at)).toBe(1);
  const pages = () =>
    withRawDatabase(join(at, 'events.db'), (database) =>
      Number(database.prepare('PRAGMA page_count').get()?.['page_count']),
    );
  const before = pages();
  await append(200);
  expect(pages()).toBeLessThanOrEqual(before + 2);
  await store.close();
});

test('heads of streams are remembered up to a bound, those used last the longest', () => {
  const cache = new HeadCache(10);
  const head = (name: string) => ({ id: 1, name, last: 0, truncateBefore: 0, maxCount: undefined });
  cache.set(head('kept'));
  for (let index = 0; index < 1_000; index += 1) {
    cache.set(head(`${index}`));
    expect(cache.get('kept')).toBeDefined();
    expect(cache.size).toBeLessThanOrEqual(20);
  }
  expect(cache.get('999')).toBeDefined();
  expect(cache.get('0')).toBeUndefined();
});
