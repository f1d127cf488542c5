/** Appends of different streams that wait at the same moment share calls, and none pays for another. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openKurrentDbEventStore } from '../../../src/adapters/kurrentdb/event-store.ts';
import type { Append, EventStore } from '../../../src/ports/event-store.ts';
import { all, code, event, events, idsOf } from '../../contracts/event-store/kit.ts';
import { sharedServer, uniqueName } from '../../kurrentdb/server.ts';

const server = sharedServer();
let store: EventStore;
let hasRecords: boolean;
beforeAll(async () => {
  store = await openKurrentDbEventStore({ connectionString: await server() });
  hasRecords = store.features.checks;
});
afterAll(() => store.close());

const fresh = (): Append => ({
  stream: uniqueName(),
  expectedRevision: 'no-stream',
  events: events(3),
});
const calls = async (): Promise<number> => Number((await store.describe()).details['calls'] ?? 0);

test('a hundred appends at once take a handful of calls, and each is stored once', async () => {
  const before = await calls();
  const appends = Array.from({ length: 100 }, fresh);
  const results = await Promise.all(appends.map((append) => store.append(append)));
  if (hasRecords) expect((await calls()) - before).toBeLessThanOrEqual(5);
  for (const [index, { stream, events: written }] of appends.entries()) {
    const stored = await all(store.readStream(stream));
    expect(idsOf(stored)).toEqual(idsOf(written));
    // Who has seen the position that it was told has seen its append.
    expect(results[index]!.revision).toBe(2);
    expect(results[index]!.position).toBeGreaterThanOrEqual(stored.at(-1)!.position);
  }
});

test('of a hundred at once only those that are refused fail, each with its own reason', async () => {
  const taken = Array.from({ length: 10 }, fresh);
  await Promise.all(taken.map((append) => store.append(append)));
  const late = taken.map(({ stream }) => ({ ...fresh(), stream }));
  const appends = Array.from({ length: 100 }, (_, n) => (n % 10 === 0 ? late[n / 10]! : fresh()));
  const outcomes = await Promise.allSettled(appends.map((append) => store.append(append)));
  for (const [index, outcome] of outcomes.entries()) {
    if (index % 10 !== 0) expect(outcome).toMatchObject({ status: 'fulfilled' });
    else {
      const { stream } = appends[index]!;
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { details: { stream, expected: 'no-stream', actual: 2 } },
      });
    }
  }
});

test('an owner that was replaced is refused, and those beside it go on', async () => {
  if (!hasRecords) return;
  const [held, lost] = [fresh(), fresh()];
  await Promise.all([store.append(held), store.append(lost)]);
  await store.append({ ...lost, expectedRevision: 2, events: events(1) });
  const appends = Array.from({ length: 40 }, fresh);
  const outcomes = await Promise.allSettled(
    appends.map((append, n) => {
      const { stream } = n % 2 === 0 ? held : lost;
      return store.append(append, { checks: [{ stream, revision: 2 }] });
    }),
  );
  for (const [n, outcome] of outcomes.entries()) {
    if (n % 2 === 0) expect(outcome.status).toBe('fulfilled');
    else expect(outcome).toMatchObject({ status: 'rejected', reason: code('store.check-failed') });
    const last = await store.lastRevision(appends[n]!.stream);
    expect(last).toBe(n % 2 === 0 ? 2 : undefined);
  }
});

test('types that a shared call cannot hold are stored beside it', async () => {
  const odd = { ...fresh(), events: [event({ type: 'two words' })] };
  const appends = [fresh(), odd, fresh()];
  await Promise.all(appends.map((append) => store.append(append)));
  const [stored] = await all(store.readStream(odd.stream));
  expect(stored).toMatchObject({ type: 'two words', revision: 0 });
});

test('appends to one stream keep their order among those of others', async () => {
  const stream = uniqueName();
  const own = Array.from({ length: 30 }, (_, n) => ({
    stream,
    expectedRevision: n === 0 ? ('no-stream' as const) : n - 1,
    events: events(1),
  }));
  const mixed = own.flatMap((append) => [append, fresh()]);
  await Promise.all(mixed.map((append) => store.append(append)));
  const written = own.flatMap((append) => append.events);
  expect(idsOf(await all(store.readStream(stream)))).toEqual(idsOf(written));
});
