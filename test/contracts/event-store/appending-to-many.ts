/** One append over several streams: all or none. */
import { expect } from 'vitest';
import type { Append } from '../../../src/ports/event-store.ts';
import { all, code, events, idsOf, wrongRevision } from './kit.ts';
import type { Contract } from './kit.ts';

export const appendingToMany = ({ store, check }: Contract): void => {
  check('an append to several streams writes all of them', async (stream) => {
    await store().append({ stream: stream('b'), expectedRevision: 'no-stream', events: events(1) });
    const appends: Append[] = [
      { stream: stream('a'), expectedRevision: 'no-stream', events: events(2) },
      { stream: stream('b'), expectedRevision: 0, events: events(1) },
      { stream: stream('c'), expectedRevision: 'any', events: events(3) },
    ];
    const results = await store().appendAll(appends);
    expect(results.map(({ revision }) => revision)).toEqual([1, 1, 2]);
    for (const [index, append] of appends.entries()) {
      const stored = (await all(store().readStream(append.stream))).slice(-append.events.length);
      expect(idsOf(stored)).toEqual(idsOf(append.events));
      expect(stored.at(-1)!.position).toBe(results[index]!.position);
    }
  });

  check('an append to several streams with one refused member writes none', async (stream) => {
    for (const failing of [0, 1, 2]) {
      const name = (member: number) => stream(`${failing}-${member}`);
      const appends = [0, 1, 2].map((member) => ({
        stream: name(member),
        expectedRevision: member === failing ? 4 : ('no-stream' as const),
        events: events(2),
      }));
      const refusal = wrongRevision(name(failing), 4, 'no-stream');
      await expect(store().appendAll(appends)).rejects.toThrow(refusal);
      for (const member of [0, 1, 2]) {
        expect(await store().lastRevision(name(member))).toBeUndefined();
      }
    }
    expect(await all(store().readAll({ filter: { streamPrefixes: [stream('')] } }))).toEqual([]);
  });

  check('a stream that stands twice in an append is refused', async (stream) => {
    const appends = [0, 1].map(() => ({
      stream: stream('a'),
      expectedRevision: 'any' as const,
      events: events(1),
    }));
    await expect(store().appendAll(appends)).rejects.toThrow(code('usage.invalid'));
    expect(await store().lastRevision(stream('a'))).toBeUndefined();
  });

  check('an append to no stream changes nothing', async () => {
    expect(await store().appendAll([])).toEqual([]);
  });

  check('an append to several streams repeated gets the first answers', async (stream) => {
    const appends = ['a', 'b'].map((name) => ({
      stream: stream(name),
      expectedRevision: 'no-stream' as const,
      events: events(2),
    }));
    const first = await store().appendAll(appends);
    await store().append({ stream: stream('a'), expectedRevision: 1, events: events(1) });
    expect((await store().appendAll(appends)).map(({ revision }) => revision)).toEqual(
      first.map(({ revision }) => revision),
    );
    expect(await all(store().readAll({ filter: { streamPrefixes: [stream('')] } }))).toHaveLength(
      5,
    );
  });

  check('an append to several streams of which one is repeated is refused', async (stream) => {
    const old = { stream: stream('a'), expectedRevision: 'no-stream' as const, events: events(1) };
    await store().append(old);
    const fresh = {
      stream: stream('b'),
      expectedRevision: 'no-stream' as const,
      events: events(1),
    };
    await expect(store().appendAll([fresh, old])).rejects.toThrow(
      wrongRevision(stream('a'), 'no-stream', 0),
    );
    expect(await store().lastRevision(stream('b'))).toBeUndefined();
  });

  check('of two concurrent appends to the same streams one wins wholly', async (stream) => {
    const names = ['a', 'b', 'c'].map(stream);
    const contenders = [names, names.toReversed()].map((order) =>
      order.map((name) => ({
        stream: name,
        expectedRevision: 'no-stream' as const,
        events: events(1),
      })),
    );
    const outcomes = await Promise.allSettled(
      contenders.map((appends) => store().appendAll(appends)),
    );
    const won = outcomes.findIndex(({ status }) => status === 'fulfilled');
    expect(outcomes[1 - won]?.status).toBe('rejected');
    for (const append of contenders[won]!) {
      expect(idsOf(await all(store().readStream(append.stream)))).toEqual(idsOf(append.events));
    }
  });
};
