import { expect, test } from 'vitest';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { Tail } from '../../../src/adapters/sqlite/tail.ts';
import type { RecordedEvent } from '../../../src/ports/event-store.ts';
import { all, event, events, Follower, revisionsOf } from '../../contracts/event-store/kit.ts';
import { temporary } from './temporary.ts';

const { folder } = temporary();

test('who fell behind what is in memory reads from the store, and waits for nothing that is there', async () => {
  const store = await openSqliteEventStore({ folder: folder(), subscriberBufferMax: 1 });
  const append = (count: number) =>
    store.append({ stream: 'a', expectedRevision: 'any', events: events(count) });
  const follower = new Follower(store.subscribe());
  expect(await follower.take(1)).toEqual(['caughtUp']);
  const first = follower.takeEvents(1);
  await append(5);
  expect(revisionsOf(await first)).toEqual([0]);
  await append(3);
  expect(revisionsOf(await follower.takeEvents(7))).toEqual([1, 2, 3, 4, 5, 6, 7]);
  await append(1);
  expect(revisionsOf(await follower.takeEvents(1))).toEqual([8]);
  await store.close();
});

test('what many rows hold is read whole, also where a filter lets almost nothing through', async () => {
  const store = await openSqliteEventStore({ folder: folder() });
  const rows = 64;
  const perRow = 701;
  for (let row = 0; row < rows; row += 1) {
    await store.append({ stream: 'b', expectedRevision: 'any', events: events(perRow) });
  }
  await store.append({ stream: 'a', expectedRevision: 'any', events: events(2) });
  const filter = { streamPrefixes: ['a'] };
  const follower = new Follower(store.subscribe({ filter }));
  expect(revisionsOf(await follower.takeEvents(2))).toEqual([0, 1]);
  expect(await follower.take(1)).toEqual(['caughtUp']);
  for (const direction of ['forwards', 'backwards'] as const) {
    expect(await all(store.readAll({ filter, direction }))).toHaveLength(2);
    const positions = (await all(store.readAll({ direction }))).map((one) => Number(one.position));
    const expected = Array.from({ length: rows * perRow + 2 }, (_, index) => index + 1);
    expect(positions).toEqual(direction === 'forwards' ? expected : expected.toReversed());
  }
  await store.close();
}, 20_000);

const recorded = (position: number, size = 1): RecordedEvent => ({
  ...event({ data: 'x'.repeat(size) }),
  stream: 'a',
  revision: position,
  position: BigInt(position),
});

test('what is kept in memory is bounded in events and in characters', () => {
  const tail = new Tail(1, { eventsMax: 10, charactersMax: 100 });
  const reader = tail.reader();
  for (let position = 1; position <= 1_000; position += 1) {
    tail.publish([recorded(position)], position + 1);
    expect(tail.size).toBeLessThanOrEqual(10);
  }
  expect(reader.after(989)).toBeUndefined();
  expect(reader.after(990)).toHaveLength(10);
  expect(reader.after(997)?.map(({ revision }) => revision)).toEqual([998, 999, 1_000]);
  expect(reader.after(1_000)).toEqual([]);
  tail.publish([recorded(1_001, 60), recorded(1_002, 60)], 1_003);
  expect(tail.size).toBe(1);
  tail.publish([recorded(1_003, 600)], 1_004);
  expect(tail.size).toBe(0);
  expect(reader.after(1_002)).toBeUndefined();
  expect(reader.after(1_003)).toEqual([]);
});

test('what all readers have seen is dropped; what one of them has not is kept for it', () => {
  const tail = new Tail(1, { eventsMax: 10, charactersMax: 100 });
  const [fast, slow] = [tail.reader(), tail.reader()];
  const publish = (position: number): void => tail.publish([recorded(position)], position + 1);
  for (let position = 1; position <= 5; position += 1) publish(position);
  fast.after(5);
  slow.after(2);
  publish(6);
  expect(tail.size).toBe(4);
  expect(slow.after(2)?.map(({ revision }) => revision)).toEqual([3, 4, 5, 6]);
  slow.close();
  fast.after(6);
  publish(7);
  expect(tail.size).toBe(1);
  expect(fast.after(6)).toHaveLength(1);
});

test('nothing is kept in memory while nobody subscribes', () => {
  const tail = new Tail(1, { eventsMax: 10, charactersMax: 100 });
  tail.publish([recorded(1)], 2);
  expect(tail.size).toBe(0);
  const reader = tail.reader();
  tail.publish([recorded(2)], 3);
  expect([reader.after(0), reader.after(1)?.length]).toEqual([undefined, 1]);
  reader.close();
  expect(tail.size).toBe(0);
});
