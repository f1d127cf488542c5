/** Reads of one stream and of all. */
import { expect } from 'vitest';
import type { EventFilter } from '../../../src/ports/event-store.ts';
import { all, event, events, idsOf, revisionsOf } from './kit.ts';
import type { Contract } from './kit.ts';

export const reading = (contract: Contract): void => {
  readingStreams(contract);
  readingAll(contract);
};

const readingStreams = ({ store, check }: Contract): void => {
  const given = async (stream: string, ...counts: number[]): Promise<void> => {
    for (const count of counts) {
      await store().append({ stream, expectedRevision: 'any', events: events(count) });
    }
  };

  check('an unknown stream has no events and no last revision', async (stream) => {
    for (const direction of ['forwards', 'backwards'] as const) {
      expect(await all(store().readStream(stream('a'), { direction }))).toEqual([]);
      expect(await all(store().readStream(stream('a'), { direction, from: 3 }))).toEqual([]);
    }
    expect(await store().lastRevision(stream('a'))).toBeUndefined();
  });

  check('a stream is read from any revision, in either direction', async (stream) => {
    await given(stream('a'), 1, 4, 1, 2);
    const revisions = [0, 1, 2, 3, 4, 5, 6, 7];
    for (const from of revisions) {
      expect(revisionsOf(await all(store().readStream(stream('a'), { from })))).toEqual(
        revisions.slice(from),
      );
      const backwards = { from, direction: 'backwards' } as const;
      expect(revisionsOf(await all(store().readStream(stream('a'), backwards)))).toEqual(
        revisions.slice(0, from + 1).toReversed(),
      );
    }
  });

  check('a read without a start begins at the first event, or at the last', async (stream) => {
    await given(stream('a'), 2, 2);
    expect(revisionsOf(await all(store().readStream(stream('a'))))).toEqual([0, 1, 2, 3]);
    const backwards = store().readStream(stream('a'), { direction: 'backwards' });
    expect(revisionsOf(await all(backwards))).toEqual([3, 2, 1, 0]);
  });

  check('a read from beyond the end is empty, or begins at the last event', async (stream) => {
    await given(stream('a'), 3);
    expect(await all(store().readStream(stream('a'), { from: 3 }))).toEqual([]);
    const backwards = { from: 99, direction: 'backwards' } as const;
    expect(revisionsOf(await all(store().readStream(stream('a'), backwards)))).toEqual([2, 1, 0]);
  });

  check('a limit bounds what is read', async (stream) => {
    await given(stream('a'), 2, 3, 1);
    const read = async (options: object) =>
      revisionsOf(await all(store().readStream(stream('a'), options)));
    expect(await read({ limit: 0 })).toEqual([]);
    expect(await read({ limit: 0, direction: 'backwards' })).toEqual([]);
    expect(await read({ limit: 1 })).toEqual([0]);
    expect(await read({ limit: 3, from: 1 })).toEqual([1, 2, 3]);
    expect(await read({ limit: 1, direction: 'backwards' })).toEqual([5]);
    expect(await read({ limit: 3, from: 4, direction: 'backwards' })).toEqual([4, 3, 2]);
    expect(await read({ limit: 99, from: 4 })).toEqual([4, 5]);
  });

  check('a long stream is read whole and in order, in either direction', async (stream) => {
    const counts = Array.from({ length: 120 }, (_, index) => 1 + ((index * 7) % 40));
    const total = counts.reduce((sum, count) => sum + count, 0);
    await Promise.all(counts.map((count) => given(stream('a'), count)));
    const revisions = Array.from({ length: total }, (_, index) => index);
    expect(revisionsOf(await all(store().readStream(stream('a'))))).toEqual(revisions);
    const backwards = store().readStream(stream('a'), { direction: 'backwards' });
    expect(revisionsOf(await all(backwards))).toEqual(revisions.toReversed());
  });

  check('a read goes on in order while the stream grows', async (stream) => {
    await Promise.all(Array.from({ length: 60 }, () => given(stream('a'), 3)));
    const seen: number[] = [];
    for await (const { revision } of store().readStream(stream('a'))) {
      seen.push(revision);
      if (revision % 20 === 0 && revision < 180) await given(stream('a'), 2);
    }
    expect(seen.slice(0, 180)).toEqual(Array.from({ length: 180 }, (_, index) => index));
    expect(seen).toEqual(seen.map((_, index) => index));
  });

  check('a read that is left early, or done twice at once, disturbs no other', async (stream) => {
    await Promise.all(Array.from({ length: 40 }, () => given(stream('a'), 2)));
    const one = store().readStream(stream('a'))[Symbol.asyncIterator]();
    const other = store().readStream(stream('a'))[Symbol.asyncIterator]();
    for (let revision = 0; revision < 80; revision += 1) {
      expect((await one.next()).value).toMatchObject({ revision });
      if (revision < 9) expect((await other.next()).value).toMatchObject({ revision });
      if (revision === 9) await other.return?.();
    }
    expect((await one.next()).done).toBe(true);
    await given(stream('a'), 1);
    expect(await store().lastRevision(stream('a'))).toBe(80);
  });
};

const readingAll = ({ store, check }: Contract): void => {
  /** Appends of two, one and three events over three streams, twice. */
  const given = async (stream: (name: string) => string): Promise<string[]> => {
    const ids: string[] = [];
    for (const [name, count] of [...plan, ...plan]) {
      const batch = Array.from({ length: count }, (_, index) =>
        event({ type: index === 0 ? 'First' : 'Other' }),
      );
      await store().append({ stream: stream(name), expectedRevision: 'any', events: batch });
      ids.push(...idsOf(batch));
    }
    return ids;
  };
  const plan = [['a-x', 2] as const, ['b', 1] as const, ['a-y', 3] as const];
  const read = (filter: EventFilter, options: object = {}) =>
    all(store().readAll({ ...options, filter }));

  check('all streams are read in the order of their positions', async (stream) => {
    const ids = await given(stream);
    const filter = { streamPrefixes: [stream('')] };
    expect(idsOf(await read(filter))).toEqual(ids);
    expect(idsOf(await read(filter, { direction: 'backwards' }))).toEqual(ids.toReversed());
  });

  check('a prefix selects the streams that begin with it', async (stream) => {
    await given(stream);
    const names = async (...prefixes: string[]) => {
      const stored = await read({ streamPrefixes: prefixes.map(stream) });
      return [...new Set(stored.map((one) => one.stream))];
    };
    expect(await names('a-')).toEqual([stream('a-x'), stream('a-y')]);
    expect(await names('a-x')).toEqual([stream('a-x')]);
    expect(await names('b', 'a-y')).toEqual([stream('b'), stream('a-y')]);
    expect(await names('nothing')).toEqual([]);
    expect(await read({ streamPrefixes: [] })).toEqual([]);
  });

  check('a prefix is taken literally', async (stream) => {
    for (const name of ['a%b', 'axb', 'a_b', 'a[b', 'a*b', 'é😀b', 'Axb']) {
      await store().append({ stream: stream(name), expectedRevision: 'any', events: events(1) });
    }
    for (const prefix of ['a%', 'a_', 'a[', 'a*', 'é😀', 'A']) {
      const stored = await read({ streamPrefixes: [stream(prefix)] });
      expect(stored.map((one) => one.stream)).toHaveLength(1);
      expect(stored[0]!.stream.startsWith(stream(prefix))).toBe(true);
    }
  });

  check('a type selects single events of an append', async (stream) => {
    await given(stream);
    const streamPrefixes = [stream('')];
    const types = async (...selected: string[]) =>
      (await read({ streamPrefixes, types: selected })).map(({ type }) => type);
    expect(await types('First')).toEqual(Array.from({ length: 6 }, () => 'First'));
    expect(await types('Other')).toHaveLength(6);
    expect(await types('First', 'Other')).toHaveLength(12);
    expect(await types('first')).toEqual([]);
    expect(await types()).toEqual([]);
  });

  check('all streams are read from the position of any event, inclusive', async (stream) => {
    const ids = await given(stream);
    const filter = { streamPrefixes: [stream('')] };
    for (const [index, { position }] of (await read(filter)).entries()) {
      expect(idsOf(await read(filter, { from: position }))).toEqual(ids.slice(index));
      expect(idsOf(await read(filter, { from: position, direction: 'backwards' }))).toEqual(
        ids.slice(0, index + 1).toReversed(),
      );
    }
  });

  check('a limit counts the events that the filter lets through', async (stream) => {
    await given(stream);
    const filter = { streamPrefixes: [stream('')], types: ['First'] };
    const matching = idsOf(await read(filter));
    for (const limit of [0, 1, 4, 99]) {
      expect(idsOf(await read(filter, { limit }))).toEqual(matching.slice(0, limit));
      const backwards = await read(filter, { limit, direction: 'backwards' });
      expect(idsOf(backwards)).toEqual(matching.toReversed().slice(0, limit));
    }
  });

  check('a read of all from behind the last event is empty', async (stream) => {
    await given(stream);
    const last = (await read({ streamPrefixes: [stream('')] })).at(-1)!;
    const filter = { streamPrefixes: [stream('')] };
    // Far behind it: between two events a store need not have positions that can be read from.
    expect(await read(filter, { from: last.position + 2n ** 40n })).toEqual([]);
  });

  check(
    'the last position is that of the newest event, or of one that came since',
    async (stream) => {
      const { position } = await store().append({
        stream: stream('a'),
        expectedRevision: 'any',
        events: events(3),
      });
      expect(await store().lastPosition()).toBeGreaterThanOrEqual(position);
    },
  );
};
