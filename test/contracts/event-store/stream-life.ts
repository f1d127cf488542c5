/** Streams that keep few events, streams that are deleted, and the end of the store itself. */
import { expect } from 'vitest';
import type { EventStore, ExpectedRevision } from '../../../src/ports/event-store.ts';
import { all, code, events, Follower, idsOf, revisionsOf, wrongRevision } from './kit.ts';
import type { Contract } from './kit.ts';

export const streamLife = (contract: Contract): void => {
  keepingFew(contract);
  deleting(contract);
  closing(contract);
};

const keepingFew = ({ store, check }: Contract): void => {
  const append = (stream: string, count: number) =>
    store().append({ stream, expectedRevision: 'any', events: events(count) });
  const revisions = async (stream: string) => revisionsOf(await all(store().readStream(stream)));

  check('a stream keeps its newest events up to maxCount', async (stream) => {
    const name = stream('a');
    await store().setStreamMetadata(name, { maxCount: 2 });
    for (const [count, kept] of [
      [1, [0]],
      [1, [0, 1]],
      [1, [1, 2]],
      [3, [4, 5]],
      [1, [5, 6]],
    ] as const) {
      await append(name, count);
      expect(await revisions(name)).toEqual(kept);
    }
    const backwards = store().readStream(name, { direction: 'backwards', from: 6 });
    expect(revisionsOf(await all(backwards))).toEqual([6, 5]);
    expect(revisionsOf(await all(store().readStream(name, { from: 1, limit: 1 })))).toEqual([5]);
    expect(await store().lastRevision(name)).toBe(6);
  });

  check('maxCount holds at once for what is already stored', async (stream) => {
    const name = stream('a');
    await append(name, 4);
    await append(name, 4);
    await store().setStreamMetadata(name, { maxCount: 3 });
    expect(await revisions(name)).toEqual([5, 6, 7]);
    const next = await store().append({ stream: name, expectedRevision: 7, events: events(1) });
    expect(next.revision).toBe(8);
    expect(await revisions(name)).toEqual([6, 7, 8]);
  });

  check('a stream of one event is replaced again and again', async (stream) => {
    const name = stream('a');
    await store().setStreamMetadata(name, { maxCount: 1 });
    for (let revision = 0; revision < 30; revision += 1) {
      const expectedRevision: ExpectedRevision = revision === 0 ? 'no-stream' : revision - 1;
      await store().append({ stream: name, expectedRevision, events: events(1) });
    }
    expect(await revisions(name)).toEqual([29]);
  });

  check('metadata of a stream is what was set last', async (stream) => {
    const name = stream('a');
    expect(await store().streamMetadata(name)).toEqual({});
    await store().setStreamMetadata(name, { maxCount: 5 });
    expect(await store().streamMetadata(name)).toEqual({ maxCount: 5 });
    expect(await store().lastRevision(name)).toBeUndefined();
    await store().setStreamMetadata(name, {});
    expect(await store().streamMetadata(name)).toEqual({});
  });

  check('a maxCount that is no count is refused', async (stream) => {
    for (const maxCount of [0, -1, 1.5, Number.NaN]) {
      const set = store().setStreamMetadata(stream('a'), { maxCount });
      await expect(set).rejects.toThrow(code('usage.invalid'));
    }
  });
};

const deleting = ({ store, check }: Contract): void => {
  const given = async (stream: string, count: number): Promise<string> => {
    await store().append({ stream, expectedRevision: 'no-stream', events: events(count) });
    return stream;
  };

  check('a deleted stream has no events and no last revision', async (stream) => {
    const name = await given(stream('a'), 3);
    const other = await given(stream('b'), 2);
    await store().deleteStream(name, 2);
    for (const direction of ['forwards', 'backwards'] as const) {
      expect(await all(store().readStream(name, { direction }))).toEqual([]);
    }
    expect(await store().lastRevision(name)).toBeUndefined();
    expect(await all(store().readStream(other))).toHaveLength(2);
  });

  check('a deleted stream goes on at the revision where it was', async (stream) => {
    for (const expectedRevision of ['no-stream', 'any', 2] as const) {
      const name = await given(stream(`${expectedRevision}`), 3);
      await store().deleteStream(name, 'any');
      const batch = events(2);
      const result = await store().append({ stream: name, expectedRevision, events: batch });
      expect(result.revision).toBe(4);
      const stored = await all(store().readStream(name));
      expect(revisionsOf(stored)).toEqual([3, 4]);
      expect(idsOf(stored)).toEqual(idsOf(batch));
      await store().append({ stream: name, expectedRevision: 4, events: events(1) });
      expect(await store().lastRevision(name)).toBe(5);
    }
  });

  check('an expectation that a deleted stream does not meet is refused', async (stream) => {
    const name = await given(stream('a'), 3);
    await store().deleteStream(name, 'stream-exists');
    const append = (expectedRevision: ExpectedRevision) =>
      store().append({ stream: name, expectedRevision, events: events(1) });
    await expect(append('stream-exists')).rejects.toThrow(code('store.stream-deleted'));
    await expect(append(0)).rejects.toThrow(wrongRevision(name, 0, 2));
    await expect(append(3)).rejects.toThrow(wrongRevision(name, 3, 2));
  });

  check('a deletion at another revision, or of an unknown stream, is refused', async (stream) => {
    const name = await given(stream('a'), 3);
    for (const expected of [1, 3, 'no-stream'] as const) {
      const deletion = store().deleteStream(name, expected);
      await expect(deletion).rejects.toThrow(wrongRevision(name, expected, 2));
    }
    for (const expected of [0, 'any', 'stream-exists', 'no-stream'] as const) {
      const deletion = store().deleteStream(stream('unknown'), expected);
      const refusal = wrongRevision(stream('unknown'), expected, 'no-stream');
      await expect(deletion).rejects.toThrow(refusal);
    }
    expect(await all(store().readStream(name))).toHaveLength(3);
  });

  check('a stream may be deleted again', async (stream) => {
    const name = await given(stream('a'), 2);
    await store().deleteStream(name, 1);
    await store().deleteStream(name, 'any');
    await store().append({ stream: name, expectedRevision: 'any', events: events(1) });
    await store().deleteStream(name, 2);
    const result = await store().append({
      stream: name,
      expectedRevision: 'no-stream',
      events: events(1),
    });
    expect(result.revision).toBe(3);
  });
};

const closing = ({ open, check }: Contract): void => {
  check('closing waits for the appends in flight', async (stream) => {
    const store = await open();
    const appends = Array.from({ length: 20 }, (_, index) =>
      store.append({ stream: stream(`a${index}`), expectedRevision: 'any', events: events(1) }),
    );
    await store.close();
    const results = await Promise.all(appends);
    expect(results.map(({ revision }) => revision)).toEqual(results.map(() => 0));
  });

  check('a closed store refuses everything, and may be closed again', async (stream) => {
    const store = await open();
    await store.close();
    await store.close();
    const closed = code('store.closed');
    const append = { stream: stream('a'), expectedRevision: 'any', events: events(1) } as const;
    const calls: ((store: EventStore) => Promise<unknown>)[] = [
      (one) => one.append(append),
      (one) => one.appendAll([append]),
      (one) => one.lastRevision(stream('a')),
      (one) => one.lastPosition(),
      (one) => one.streamMetadata(stream('a')),
      (one) => one.setStreamMetadata(stream('a'), {}),
      (one) => one.deleteStream(stream('a'), 'any'),
      (one) => all(one.readStream(stream('a'))),
      (one) => all(one.readAll()),
      async (one) => all(one.subscribe()),
    ];
    for (const call of calls) await expect(call(store)).rejects.toThrow(closed);
  });

  check('closing ends subscriptions without an error', async (stream) => {
    const store = await open();
    const filter = { streamPrefixes: [stream('')] };
    const [waiting, reading] = [
      new Follower(store.subscribe({ filter })),
      new Follower(store.subscribe({ filter })),
    ];
    await store.append({ stream: stream('a'), expectedRevision: 'any', events: events(3) });
    expect(await waiting.takeEvents(3)).toHaveLength(3);
    expect(await reading.takeEvents(1)).toHaveLength(1);
    const next = waiting.take(2);
    await store.close();
    expect((await next).filter((item) => item !== 'caughtUp')).toEqual([]);
    expect((await reading.take(9)).length).toBeLessThan(9);
  });

  check('a store says what it is and how durable', async () => {
    const store = await open();
    const description = await store.describe();
    expect(description.kind).not.toBe('');
    expect(description.location).not.toBe('');
    expect(description.durability).not.toBe('');
    await store.close();
  });
};
