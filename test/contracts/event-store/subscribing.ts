/** Catch-up subscriptions: what is stored, `caughtUp`, what comes; no gap, no repetition. */
import { expect } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import type { RecordedEvent } from '../../../src/ports/event-store.ts';
import { all, chained, event, events, Follower, idsOf, revisionsOf } from './kit.ts';
import type { Contract } from './kit.ts';

type StreamName = (name: string) => string;

export const subscribing = ({ store, check }: Contract): void => {
  const append = async (stream: string, count: number): Promise<RecordedEvent[]> => {
    const batch = events(count);
    await store().append({ stream, expectedRevision: 'any', events: batch });
    return (await all(store().readStream(stream))).slice(-count);
  };
  const follow = (stream: StreamName, options: object = {}): Follower =>
    new Follower(store().subscribe({ filter: { streamPrefixes: [stream('')] }, ...options }));

  check('what is stored comes first, then caughtUp once, then what is appended', async (stream) => {
    const stored = [...(await append(stream('a'), 2)), ...(await append(stream('b'), 1))];
    const follower = follow(stream);
    expect(await follower.take(4)).toEqual([...stored, 'caughtUp']);
    const live = [...(await append(stream('b'), 3)), ...(await append(stream('c'), 1))];
    expect(await follower.take(4)).toEqual(live);
    await follower.leave();
  });

  check('an event comes live as it is stored', async (stream) => {
    const follower = follow(stream);
    expect(await follower.take(1)).toEqual(['caughtUp']);
    const name = stream('a');
    const next = follower.take(3);
    await store().append({
      stream: name,
      expectedRevision: 'no-stream',
      events: chained(name, 3),
    });
    expect(await next).toEqual(await all(store().readStream(name)));
    await follower.leave();
  });

  check('a subscription begins behind the position it is given', async (stream) => {
    const stored = await append(stream('a'), 3);
    for (const [index, { position }] of stored.entries()) {
      const follower = follow(stream, { from: position });
      const rest = [...stored.slice(index + 1), 'caughtUp'];
      expect(await follower.take(rest.length)).toEqual(rest);
      await follower.leave();
    }
  });

  check('a subscription from the end delivers new events only', async (stream) => {
    await append(stream('a'), 2);
    const follower = follow(stream, { from: 'end' });
    expect(await follower.take(1)).toEqual(['caughtUp']);
    const live = await append(stream('a'), 2);
    expect(await follower.take(2)).toEqual(live);
    await follower.leave();
  });

  check('caughtUp comes also where nothing matches', async (stream) => {
    await append(stream('a'), 1);
    const follower = follow(stream, { filter: { types: [stream('NoSuchType')] } });
    expect(await follower.take(1)).toEqual(['caughtUp']);
    await follower.leave();
  });

  check('caughtUp at the end has the position of the newest event', async (stream) => {
    const [newest] = await append(stream('a'), 1);
    const follower = new Follower(store().subscribe({ from: 'end' }));
    const item = await follower.next();
    if (item?.kind !== 'caughtUp') expect.fail(`${item?.kind} came`);
    expect(item.position).toBeGreaterThanOrEqual(newest!.position);
    await follower.leave();
  });

  check('a filter holds for what is stored and for what comes', async (stream) => {
    const write = (name: string, type: string) =>
      store().append({
        stream: stream(name),
        expectedRevision: 'any',
        events: [event({ type: 'Other' }), event({ type })],
      });
    const filter = { streamPrefixes: [stream('a'), stream('b')], types: ['Wanted'] };
    await write('a', 'Wanted');
    await write('c', 'Wanted');
    const follower = follow(stream, { filter });
    expect(await follower.take(2)).toMatchObject([{ stream: stream('a') }, 'caughtUp']);
    await write('a', 'Unwanted');
    await write('c', 'Wanted');
    await write('b', 'Wanted');
    expect(await follower.take(1)).toMatchObject([{ stream: stream('b'), revision: 1 }]);
    await follower.leave();
  });

  check('appends during the catch-up are neither missed nor repeated', async (stream) => {
    await append(stream('a'), 200);
    const follower = follow(stream);
    const writing = (async () => {
      for (let round = 0; round < 40; round += 1) {
        await store().append({ stream: stream('a'), expectedRevision: 'any', events: events(5) });
      }
    })();
    const seen = revisionsOf(await follower.takeEvents(400));
    await writing;
    expect(seen).toEqual(Array.from({ length: 400 }, (_, index) => index));
    await follower.leave();
  });

  check('a slow subscriber gets everything in order and slows nobody else', async (stream) => {
    const total = limits.subscriberBufferMax + 1_000;
    const [slow, fast] = [follow(stream), follow(stream)];
    expect(await slow.take(1)).toEqual(['caughtUp']);
    expect(await fast.take(1)).toEqual(['caughtUp']);
    const first = slow.takeEvents(1);
    for (let sent = 0; sent < total; sent += 100) {
      const count = Math.min(100, total - sent);
      await store().append({ stream: stream('a'), expectedRevision: 'any', events: events(count) });
    }
    const revisions = Array.from({ length: total }, (_, index) => index);
    expect(revisionsOf(await fast.takeEvents(total))).toEqual(revisions);
    expect(revisionsOf(await first)).toEqual([0]);
    expect(revisionsOf(await slow.takeEvents(total - 1))).toEqual(revisions.slice(1));
    const live = await append(stream('a'), 1);
    expect(await slow.take(1)).toEqual(live);
    await Promise.all([slow.leave(), fast.leave()]);
  });

  check(
    'a subscription resumed behind the last event seen goes on without a gap',
    async (stream) => {
      await append(stream('a'), 10);
      const seen: RecordedEvent[] = [];
      while (seen.length < 10) {
        const from = seen.at(-1)?.position ?? 'start';
        const follower = follow(stream, { from });
        seen.push(...(await follower.takeEvents(3)).slice(0, 10 - seen.length));
        await follower.leave();
        if (seen.length === 9) await append(stream('a'), 2);
      }
      expect(revisionsOf(seen)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    },
  );

  check('subscribers receive the same events in the same order', async (stream) => {
    const followers = [follow(stream), follow(stream), follow(stream, { from: 'end' })];
    for (const follower of followers) expect(await follower.take(1)).toEqual(['caughtUp']);
    const taken = followers.map((follower) => follower.takeEvents(60));
    await Promise.all(Array.from({ length: 20 }, (_, index) => append(stream(`a${index % 4}`), 3)));
    const [one, ...others] = await Promise.all(taken);
    for (const other of others) expect(idsOf(other)).toEqual(idsOf(one!));
    for (const follower of followers) await follower.leave();
  });

  check('an aborted signal ends a subscription without an error', async (stream) => {
    await append(stream('a'), 3);
    const aborting = new AbortController();
    const follower = follow(stream, { signal: aborting.signal });
    expect(await follower.take(4)).toHaveLength(4);
    const waiting = follower.next();
    aborting.abort();
    expect(await waiting).toBeUndefined();
    expect(await follower.next()).toBeUndefined();
    const late = follow(stream, { signal: aborting.signal });
    expect(await late.next()).toBeUndefined();
  });

  check('a signal ends a subscription also in the middle of what is stored', async (stream) => {
    await append(stream('a'), 50);
    const aborting = new AbortController();
    const follower = follow(stream, { signal: aborting.signal });
    expect(await follower.take(2)).toHaveLength(2);
    aborting.abort();
    expect((await follower.take(50)).length).toBeLessThan(48);
  });

  check('leaving a subscription ends it also while it waits', async (stream) => {
    const follower = follow(stream);
    expect(await follower.take(1)).toEqual(['caughtUp']);
    const waiting = follower.next();
    await follower.leave();
    expect(await waiting).toBeUndefined();
    for await (const item of store().subscribe({ filter: { streamPrefixes: [stream('')] } })) {
      expect(item.kind).toBe('caughtUp');
      break;
    }
  });
};
