import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import {
  all,
  code,
  events,
  Follower,
  idsOf,
  revisionsOf,
} from '../../contracts/event-store/kit.ts';
import { temporary } from './temporary.ts';

const { folder } = temporary();

test('a reader sees what a writer beside it appends, and follows it live', async () => {
  const at = folder();
  const writer = await openSqliteEventStore({ folder: at });
  const reader = await openSqliteEventStore({ folder: at, access: 'read', pollIntervalMs: 5 });
  const follower = new Follower(reader.subscribe({ filter: { streamPrefixes: ['a'] } }));
  expect(await follower.take(1)).toEqual(['caughtUp']);
  for (let round = 0; round < 5; round += 1) {
    const batch = events(3);
    await writer.append({ stream: 'a', expectedRevision: 'any', events: batch });
    await writer.append({ stream: 'b', expectedRevision: 'any', events: events(1) });
    expect(idsOf(await follower.takeEvents(3))).toEqual(idsOf(batch));
    expect(await reader.lastRevision('a')).toBe(round * 3 + 2);
    expect(idsOf((await all(reader.readStream('a'))).slice(-3))).toEqual(idsOf(batch));
  }
  expect(await reader.lastPosition()).toBe(await writer.lastPosition());
  const waiting = follower.next();
  await reader.close();
  expect(await waiting).toBeUndefined();
  await writer.close();
});

test('a reader of a store that is not there yet finds it empty, and follows it from its start', async () => {
  const at = folder();
  const reader = await openSqliteEventStore({ folder: at, access: 'read', pollIntervalMs: 5 });
  expect(await all(reader.readAll())).toEqual([]);
  expect(await reader.lastPosition()).toBeUndefined();
  expect(await reader.lastRevision('a')).toBeUndefined();
  expect((await reader.describe()).durability).toBe('nothing is stored yet');
  expect(existsSync(at)).toBe(false);
  const follower = new Follower(reader.subscribe());
  expect(await follower.take(1)).toEqual(['caughtUp']);
  const writer = await openSqliteEventStore({ folder: at });
  await writer.append({ stream: 'a', expectedRevision: 'no-stream', events: events(2) });
  expect(revisionsOf(await follower.takeEvents(2))).toEqual([0, 1]);
  await follower.leave();
  await reader.close();
  await writer.close();
});

test('a reader refuses to write, and leaves no file of its own', async () => {
  const at = folder();
  const writer = await openSqliteEventStore({ folder: at });
  await writer.append({ stream: 'a', expectedRevision: 'no-stream', events: events(1) });
  const before = readdirSync(at);
  const reader = await openSqliteEventStore({ folder: at, access: 'read' });
  const readOnly = code('store.read-only');
  const append = { stream: 'a', expectedRevision: 'any', events: events(1) } as const;
  await expect(reader.append(append)).rejects.toThrow(readOnly);
  await expect(reader.appendAll([append])).rejects.toThrow(readOnly);
  await expect(reader.setStreamMetadata('a', {})).rejects.toThrow(readOnly);
  await expect(reader.deleteStream('a', 'any')).rejects.toThrow(readOnly);
  expect((await reader.describe()).details).toMatchObject({ access: 'read' });
  await reader.close();
  expect(readdirSync(at)).toEqual(before);
  await writer.close();
});

test('a reader sees a deletion and a truncation as the writer does', async () => {
  const at = folder();
  const writer = await openSqliteEventStore({ folder: at });
  const reader = await openSqliteEventStore({ folder: at, access: 'read' });
  await writer.append({ stream: 'a', expectedRevision: 'no-stream', events: events(5) });
  await writer.setStreamMetadata('a', { maxCount: 2 });
  expect(revisionsOf(await all(reader.readStream('a')))).toEqual([3, 4]);
  expect(await reader.streamMetadata('a')).toEqual({ maxCount: 2 });
  await writer.deleteStream('a', 4);
  expect(await all(reader.readStream('a'))).toEqual([]);
  expect(await reader.lastRevision('a')).toBeUndefined();
  await reader.close();
  await writer.close();
});
