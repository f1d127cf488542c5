/** Appends: revisions, positions, expectations, and what is kept of an event. */
import { expect } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import type { EventMetadata } from '../../../src/ports/event-store.ts';
import { all, chained, code, event, events, idsOf, revisionsOf, wrongRevision } from './kit.ts';
import type { Contract } from './kit.ts';

export const appending = ({ store, check }: Contract): void => {
  check('the first event of a stream has revision 0', async (stream) => {
    const result = await store().append({
      stream: stream('a'),
      expectedRevision: 'no-stream',
      events: events(1),
    });
    expect(result.revision).toBe(0);
    expect(await store().lastRevision(stream('a'))).toBe(0);
  });

  check('an append of several events answers with the place of the last one', async (stream) => {
    const name = stream('a');
    const result = await store().append({
      stream: name,
      expectedRevision: 'no-stream',
      events: events(3),
    });
    const stored = await all(store().readStream(name));
    expect(result).toEqual({ revision: 2, position: stored[2]!.position });
  });

  check('revisions have no gaps over several appends', async (stream) => {
    const name = stream('a');
    await store().append({ stream: name, expectedRevision: 'no-stream', events: events(2) });
    await store().append({ stream: name, expectedRevision: 1, events: events(3) });
    await store().append({ stream: name, expectedRevision: 4, events: events(1) });
    expect(revisionsOf(await all(store().readStream(name)))).toEqual([0, 1, 2, 3, 4, 5]);
  });

  check('positions grow from event to event, over all streams', async (stream) => {
    for (const name of ['a', 'b', 'a', 'c', 'b']) {
      await store().append({ stream: stream(name), expectedRevision: 'any', events: events(2) });
    }
    const stored = await all(store().readAll({ filter: { streamPrefixes: [stream('')] } }));
    const positions = stored.map(({ position }) => position);
    expect(positions).toHaveLength(10);
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => Number(a - b)));
  });

  check('no-stream is refused where the stream exists', async (stream) => {
    const name = stream('a');
    await store().append({ stream: name, expectedRevision: 'no-stream', events: events(2) });
    const again = store().append({
      stream: name,
      expectedRevision: 'no-stream',
      events: events(1),
    });
    await expect(again).rejects.toThrow(wrongRevision(name, 'no-stream', 1));
  });

  check('an exact revision is refused where there is no stream', async (stream) => {
    const name = stream('a');
    const append = store().append({ stream: name, expectedRevision: 0, events: events(1) });
    await expect(append).rejects.toThrow(wrongRevision(name, 0, 'no-stream'));
  });

  check('a stale revision and a future one are refused', async (stream) => {
    const name = stream('a');
    await store().append({ stream: name, expectedRevision: 'no-stream', events: events(3) });
    const stale = store().append({ stream: name, expectedRevision: 1, events: events(1) });
    await expect(stale).rejects.toThrow(wrongRevision(name, 1, 2));
    const future = store().append({ stream: name, expectedRevision: 3, events: events(1) });
    await expect(future).rejects.toThrow(wrongRevision(name, 3, 2));
  });

  check('stream-exists is met by a stream with events only', async (stream) => {
    const name = stream('a');
    const append = () =>
      store().append({ stream: name, expectedRevision: 'stream-exists', events: events(1) });
    await expect(append()).rejects.toThrow(wrongRevision(name, 'stream-exists', 'no-stream'));
    await store().append({ stream: name, expectedRevision: 'no-stream', events: events(1) });
    expect((await append()).revision).toBe(1);
  });

  check('any is met by every stream', async (stream) => {
    const append = () =>
      store().append({ stream: stream('a'), expectedRevision: 'any', events: events(1) });
    expect((await append()).revision).toBe(0);
    expect((await append()).revision).toBe(1);
  });

  check('a refused append leaves nothing behind', async (stream) => {
    const name = stream('a');
    const kept = events(1);
    await store().append({ stream: name, expectedRevision: 'no-stream', events: kept });
    const refused = store().append({ stream: name, expectedRevision: 5, events: events(2) });
    await expect(refused).rejects.toThrow();
    const elsewhere = store().append({
      stream: stream('b'),
      expectedRevision: 0,
      events: events(2),
    });
    await expect(elsewhere).rejects.toThrow();
    const stored = await all(store().readAll({ filter: { streamPrefixes: [stream('')] } }));
    expect(idsOf(stored)).toEqual(idsOf(kept));
    expect(await store().lastRevision(stream('b'))).toBeUndefined();
  });

  check('of two concurrent writers of one revision exactly one wins', async (stream) => {
    for (let round = 0; round < 10; round += 1) {
      const name = stream(`a${round}`);
      const [one, other] = [events(2), events(2)];
      const outcomes = await Promise.allSettled(
        [one, other].map((batch) =>
          store().append({ stream: name, expectedRevision: 'no-stream', events: batch }),
        ),
      );
      const won = outcomes.findIndex(({ status }) => status === 'fulfilled');
      expect(outcomes[1 - won]).toMatchObject({
        status: 'rejected',
        reason: { code: 'store.wrong-expected-revision' },
      });
      expect(idsOf(await all(store().readStream(name)))).toEqual(idsOf([one, other][won]!));
    }
  });

  check('of ten concurrent writers that retry each lands once', async (stream) => {
    const name = stream('a');
    const write = async (): Promise<void> => {
      const batch = events(1);
      for (;;) {
        const last = await store().lastRevision(name);
        const expectedRevision = last ?? 'no-stream';
        try {
          await store().append({ stream: name, expectedRevision, events: batch });
          return;
        } catch (error) {
          expect(error).toEqual(code('store.wrong-expected-revision'));
        }
      }
    };
    await Promise.all(Array.from({ length: 10 }, write));
    const stored = await all(store().readStream(name));
    expect(revisionsOf(stored)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(new Set(idsOf(stored)).size).toBe(10);
  });

  check('appends asked for one after the other land in that order', async (stream) => {
    const name = stream('a');
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        store().append({
          stream: name,
          expectedRevision: index === 0 ? 'no-stream' : index - 1,
          events: events(1),
        }),
      ),
    );
    expect(results.map(({ revision }) => revision)).toEqual(results.map((_, index) => index));
  });

  check('concurrent appends to many streams all land', async (stream) => {
    const names = Array.from({ length: 100 }, (_, index) => stream(`a${index}`));
    await Promise.all(
      names.map((name) =>
        store().append({ stream: name, expectedRevision: 'no-stream', events: events(2) }),
      ),
    );
    const last = await Promise.all(names.map((name) => store().lastRevision(name)));
    expect(last).toEqual(names.map(() => 1));
  });

  check('an append that fails does not take those beside it along', async (stream) => {
    const outcomes = await Promise.allSettled(
      ['no-stream' as const, 7, 'any' as const].map((expectedRevision, index) =>
        store().append({ stream: stream(`a${index}`), expectedRevision, events: events(1) }),
      ),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await store().lastRevision(stream('a1'))).toBeUndefined();
    expect(await store().lastRevision(stream('a2'))).toBe(0);
  });

  check('a malformed append is refused', async (stream) => {
    const refusals = [
      { stream: stream('a'), expectedRevision: 'any', events: [] },
      { stream: '', expectedRevision: 'any', events: events(1) },
      { stream: stream('a'), expectedRevision: -1, events: events(1) },
      { stream: stream('a'), expectedRevision: 0.5, events: events(1) },
    ] as const;
    for (const refused of refusals) {
      await expect(store().append(refused)).rejects.toThrow(code('usage.invalid'));
    }
    expect(await store().lastRevision(stream('a'))).toBeUndefined();
  });

  check('a thousand events in one append are stored in order', async (stream) => {
    const batch = events(1_000);
    const result = await store().append({
      stream: stream('a'),
      expectedRevision: 'no-stream',
      events: batch,
    });
    expect(result.revision).toBe(999);
    expect(idsOf(await all(store().readStream(stream('a'))))).toEqual(idsOf(batch));
  });

  check('an event of the largest size is kept whole', async (stream) => {
    const text = JSON.stringify({ text: 'é'.repeat((limits.eventBytesMax - 11) / 2) });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limits.eventBytesMax);
    const batch = [event({ data: text }), event({ data: text })];
    await store().append({ stream: stream('a'), expectedRevision: 'no-stream', events: batch });
    const stored = await all(store().readStream(stream('a')));
    expect(stored.map(({ data }) => data === text)).toEqual([true, true]);
  });

  check('data is kept to the byte', async (stream) => {
    const texts = [
      '{ "spaces" :  1 }',
      '{"b":1,"a":2,"b":3}',
      '{\r\n\t"lines": "a\\nb"\n}\n',
      '"\u2028\u2029 \ufeff é 日本 😀 \u{10ffff}"',
      '1.0',
      '""',
      'null',
      '[1E400, -0.0]',
      '"\\ud800"',
    ];
    const batch = texts.map((data) => event({ data }));
    await store().append({ stream: stream('a'), expectedRevision: 'no-stream', events: batch });
    const stored = await all(store().readStream(stream('a')));
    expect(stored.map(({ data }) => data)).toEqual(texts);
  });

  check('text that no store can keep to the byte is refused', async (stream) => {
    for (const data of ['"\ud800"', '"\udc00 \ud800"', '"\0"']) {
      const append = store().append({
        stream: stream('a'),
        expectedRevision: 'any',
        events: [event(), event({ data })],
      });
      await expect(append).rejects.toThrow(code('input.not-json'));
    }
    const name = `${stream('a')}\ud800`;
    const append = store().append({ stream: name, expectedRevision: 'any', events: events(1) });
    await expect(append).rejects.toThrow(code('input.not-json'));
    expect(await store().lastRevision(stream('a'))).toBeUndefined();
  });

  check('events of ECL come back as they were written', async (stream) => {
    const name = stream('a');
    const batch = chained(name, 5);
    await store().append({
      stream: name,
      expectedRevision: 'no-stream',
      events: batch.slice(0, 3),
    });
    await store().append({ stream: name, expectedRevision: 2, events: batch.slice(3) });
    const stored = await all(store().readStream(name));
    expect(stored).toEqual(
      batch.map((written, revision) => ({
        ...written,
        stream: name,
        revision,
        position: stored[revision]!.position,
      })),
    );
  });

  check('metadata of others comes back as it was written', async (stream) => {
    const metadata: EventMetadata[] = [
      {},
      { $correlationId: 'x', nested: { list: [1, 'two', null, { deep: true }] }, flag: false },
      { hash: 'short', prev: 'short', text: 'é\n😀' },
      { hash: 'short', prev: 'short', schema: 1.5, none: null },
      { prev: 'alone', constructor: 'a name like any other', toString: 1 },
      JSON.parse('{"__proto__":"a field","schema":2}') as EventMetadata,
      { schema: 2 },
    ];
    const batch = metadata.map((one) => event({ metadata: one }));
    await store().append({ stream: stream('a'), expectedRevision: 'no-stream', events: batch });
    for (const [revision, one] of metadata.entries()) {
      await store().append({
        stream: stream('b'),
        expectedRevision: revision === 0 ? 'no-stream' : revision - 1,
        events: [event({ metadata: one })],
      });
    }
    for (const name of ['a', 'b']) {
      const stored = await all(store().readStream(stream(name)));
      expect(stored.map((one) => JSON.stringify(sorted(one.metadata)))).toEqual(
        metadata.map((one) => JSON.stringify(sorted(one))),
      );
    }
  });

  check('types and ids are kept, whatever they hold', async (stream) => {
    const types = ['Noted', 'noted.dotted', 'With "quotes" and \\', 'Ünïcode 😀', "it's", '%_['];
    const batch = types.map((type) => event({ type }));
    await store().append({ stream: stream('a'), expectedRevision: 'no-stream', events: batch });
    const stored = await all(store().readStream(stream('a')));
    expect(stored.map(({ id, type }) => ({ id, type }))).toEqual(
      batch.map(({ id, type }) => ({ id, type })),
    );
  });

  check('stream names are kept apart, whatever they hold', async (stream) => {
    const names = ['a', 'A', 'a b', "it's", '日本', '%', '_', 'a/b~1', 'ä'].map(stream);
    for (const name of names) {
      await store().append({ stream: name, expectedRevision: 'no-stream', events: events(1) });
    }
    const stored = await all(store().readAll({ filter: { streamPrefixes: [stream('')] } }));
    expect(stored.map((one) => one.stream)).toEqual(names);
  });

  check('what a caller changes after an append changes nothing stored', async (stream) => {
    const metadata = { schema: 1, list: [1] };
    const batch = [event({ metadata })];
    const appended = store().append({
      stream: stream('a'),
      expectedRevision: 'no-stream',
      events: batch,
    });
    metadata.schema = 2;
    metadata.list.push(2);
    batch.push(event());
    await appended;
    const stored = await all(store().readStream(stream('a')));
    expect(stored.map((one) => one.metadata)).toEqual([{ schema: 1, list: [1] }]);
  });
};

const sorted = (metadata: EventMetadata): [string, unknown][] =>
  Object.entries(metadata).sort(([one], [other]) => (one < other ? -1 : 1));
