/** The adapter on a network that loses answers, cuts connections, holds them and goes away. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openKurrentDbEventStore } from '../../../src/adapters/kurrentdb/event-store.ts';
import { OutcomeUnknown } from '../../../src/core/errors.ts';
import type { Append, AppendResult, EventStore } from '../../../src/ports/event-store.ts';
import {
  all,
  chained,
  code,
  event,
  Follower,
  idsOf,
  revisionsOf,
  wrongRevision,
} from '../../contracts/event-store/kit.ts';
import { isCluster, startServer, uniqueName, type TestServer } from '../../kurrentdb/server.ts';
import { startProxy, type Proxy } from '../../kurrentdb/tcp-proxy.ts';

let server: TestServer;
let proxy: Proxy;
let direct: EventStore;
let store: EventStore;
let name: string;

const patience = { answerMs: 1_000, awayMs: 2_000 };
const feedTimes = { quietMs: 600, lateMs: 300, retryMsFirst: 50, retryMsLast: 300 };

beforeAll(async () => {
  server = await startServer();
  direct = await openKurrentDbEventStore(server);
});
afterAll(async () => {
  await direct.close();
  await server.close();
});
beforeEach(async () => {
  name = `${uniqueName()}-a`;
  proxy = await startProxy(server.connectionString);
  store = await openKurrentDbEventStore({
    connectionString: proxy.connectionString,
    patience,
    feedTimes,
  });
});
afterEach(async () => {
  await store.close();
  await proxy.close();
});

const append = (events = chained(name, 2)) =>
  ({ stream: name, expectedRevision: 'no-stream', events }) as const;

/** Repeats an append in doubt unchanged, as the runtime does. */
const untilKnown = async (one: Append): Promise<AppendResult> => {
  try {
    return await store.append(one);
  } catch (error) {
    if (error instanceof OutcomeUnknown) return untilKnown(one);
    throw error;
  }
};

describe.skipIf(isCluster)('an append whose answer is lost', () => {
  test('is in doubt, is stored, and gets the first answer when it is repeated unchanged', async () => {
    const first = append();
    proxy.faults = { lostAnswers: 1, resets: 0 };
    await expect(store.append(first)).rejects.toBeInstanceOf(OutcomeUnknown);
    proxy.faults = { lostAnswers: 0, resets: 0 };
    const answer = await store.append(first);
    const stored = await all(direct.readStream(name));
    expect(idsOf(stored)).toEqual(idsOf(first.events));
    expect(answer).toEqual({ revision: 1, position: stored[1]!.position });
    expect(await store.append(first)).toEqual(answer);
  });

  test('is refused however often it is repeated when another writer had won', async () => {
    const [winner, loser] = [append(), append([event({ metadata: { $correlationId: 'x' } })])];
    await direct.append(winner);
    proxy.faults = { lostAnswers: 1, resets: 0 };
    await expect(store.append(loser)).rejects.toBeInstanceOf(OutcomeUnknown);
    proxy.faults = { lostAnswers: 0, resets: 0 };
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(store.append(loser)).rejects.toThrow(wrongRevision(name, 'no-stream', 1));
    }
    expect(idsOf(await all(direct.readStream(name)))).toEqual(idsOf(winner.events));
  });

  test('leaves all that shared its call in doubt, and each of them is stored once', async () => {
    const appends = Array.from({ length: 20 }, (_, index) => ({
      ...append(chained(`${name}${index}`, 2)),
      stream: `${name}${index}`,
    }));
    proxy.faults = { lostAnswers: 1, resets: 0 };
    const outcomes = await Promise.allSettled(appends.map((one) => store.append(one)));
    expect(outcomes.map(({ status }) => status)).toEqual(appends.map(() => 'rejected'));
    proxy.faults = { lostAnswers: 0, resets: 0 };
    for (const one of appends.toReversed()) expect((await store.append(one)).revision).toBe(1);
    for (const { stream, events } of appends) {
      expect(idsOf(await all(direct.readStream(stream)))).toEqual(idsOf(events));
    }
  });

  test('is in doubt also when the network holds it without a word', async () => {
    const first = append();
    proxy.hold(true);
    await expect(store.append(first)).rejects.toBeInstanceOf(OutcomeUnknown);
    proxy.hold(false);
    expect((await store.append(first)).revision).toBe(1);
    expect(await all(direct.readStream(name))).toHaveLength(2);
  });
});

describe.skipIf(isCluster)('a server that is away', () => {
  test('delays appends and reads until it is back', async () => {
    await direct.append(append());
    await proxy.away();
    const waiting = Promise.all([
      untilKnown({ stream: name, expectedRevision: 1, events: [event()] }),
      store.lastRevision(`${name}-other`),
      all(store.readAll({ filter: { streamPrefixes: [name] }, limit: 2 })),
    ]);
    setTimeout(() => void proxy.back(), 1_000);
    const [{ revision }, none, events] = await waiting;
    expect([revision, none, events.length]).toEqual([2, undefined, 2]);
  });

  test('is unavailable when that takes too long, to appends and to reads', async () => {
    await proxy.away();
    // The first one may have been on its way when the connection broke.
    await expect(store.append(append())).rejects.toThrow();
    const calls = [store.append(append()), store.lastRevision(name), all(store.readAll())];
    const outcomes = await Promise.allSettled(calls);
    for (const outcome of outcomes) {
      expect(outcome).toEqual({ status: 'rejected', reason: code('store.unavailable') });
    }
    await proxy.back();
    expect((await store.append(append())).revision).toBe(1);
    expect(await all(store.readAll({ filter: { streamPrefixes: [name] } }))).toHaveLength(2);
  });

  test('is read again by a client whose first read of all came while it was away', async () => {
    await direct.append(append());
    await proxy.away();
    await expect(all(store.readAll())).rejects.toThrow(code('store.unavailable'));
    await proxy.back();
    const filter = { streamPrefixes: [name] };
    expect(revisionsOf(await all(store.readAll({ filter })))).toEqual([0, 1]);
  });
});

describe.skipIf(isCluster)('a subscription', () => {
  const follow = (): Follower =>
    new Follower(store.subscribe({ filter: { streamPrefixes: [name] } }));
  const write = async (revision: number): Promise<void> => {
    const expectedRevision = revision === 0 ? 'no-stream' : revision - 1;
    await direct.append({ stream: name, expectedRevision, events: [event()] });
  };

  test('goes on behind the last event after each cut, without a gap or a repetition', async () => {
    const follower = follow();
    expect(await follower.take(1)).toEqual(['caughtUp']);
    for (let revision = 0; revision < 10; revision += 1) {
      if (revision % 2 === 0) proxy.cut();
      await write(revision);
      expect(revisionsOf(await follower.takeEvents(1))).toEqual([revision]);
    }
    await follower.leave();
  });

  test('notices that nothing comes any more though something is stored', async () => {
    const follower = follow();
    expect(await follower.take(1)).toEqual(['caughtUp']);
    await write(0);
    expect(await follower.takeEvents(1)).toHaveLength(1);
    proxy.hold(true);
    await write(1);
    const next = follower.takeEvents(1);
    // Connections made from now on work: the one that is held is to be given up.
    proxy.hold(false, { except: 'held' });
    expect(revisionsOf(await next)).toEqual([1]);
    await follower.leave();
  });

  test('waits for a server that is away, and goes on when it is back', async () => {
    const follower = follow();
    expect(await follower.take(1)).toEqual(['caughtUp']);
    await proxy.away();
    await write(0);
    const next = follower.takeEvents(1);
    setTimeout(() => void proxy.back(), 1_500);
    expect(revisionsOf(await next)).toEqual([0]);
    const late = follow();
    expect(await late.take(2)).toMatchObject([{ revision: 0 }, 'caughtUp']);
    await Promise.all([follower.leave(), late.leave()]);
  });
});

test('a server that is not there is unavailable at once it is opened, and no secret is told', async () => {
  const connectionString = 'kurrentdb://ecl:s3cret@127.0.0.1:9?tls=false';
  const opening = openKurrentDbEventStore({ connectionString, readyMs: 500 });
  const error = (await opening.catch((thrown: unknown) => thrown)) as Error;
  expect(error).toMatchObject({ code: 'store.unavailable' });
  expect(JSON.stringify([error, error.message, error.stack])).not.toContain('s3cret');
});
