/** Repeated appends: the retry of what succeeded gets the first answer, anything else is refused. */
import { expect } from 'vitest';
import type { ExpectedRevision } from '../../../src/ports/event-store.ts';
import { all, chained, event, events, idsOf, wrongRevision } from './kit.ts';
import type { Contract } from './kit.ts';

export const repeating = ({ store, check }: Contract): void => {
  check('the first append repeated gets the first answer', async (stream) => {
    const name = stream('a');
    const append = {
      stream: name,
      expectedRevision: 'no-stream',
      events: chained(name, 3),
    } as const;
    const first = await store().append(append);
    expect(await store().append(append)).toEqual(first);
    expect(await all(store().readStream(name))).toHaveLength(3);
  });

  check(
    'an append repeated after the stream has moved on gets the first answer',
    async (stream) => {
      const name = stream('a');
      await store().append({ stream: name, expectedRevision: 'no-stream', events: events(2) });
      const append = { stream: name, expectedRevision: 1, events: events(2) };
      const first = await store().append(append);
      await store().append({ stream: name, expectedRevision: 3, events: events(3) });
      expect(await store().append(append)).toEqual(first);
      expect(await store().lastRevision(name)).toBe(6);
    },
  );

  check('an append sent twice at once is stored once', async (stream) => {
    const name = stream('a');
    const append = { stream: name, expectedRevision: 'no-stream', events: events(2) } as const;
    const [one, other] = await Promise.all([store().append(append), store().append(append)]);
    expect(one).toEqual(other);
    expect(await all(store().readStream(name))).toHaveLength(2);
  });

  check('the loser of a revision is refused again when it retries', async (stream) => {
    const name = stream('a');
    await store().append({ stream: name, expectedRevision: 'no-stream', events: events(1) });
    const loser = { stream: name, expectedRevision: 'no-stream', events: events(1) } as const;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(store().append(loser)).rejects.toThrow(wrongRevision(name, 'no-stream', 0));
    }
  });

  check('a batch that is stored in part, or otherwise, is refused', async (stream) => {
    const name = stream('a');
    const [a, b, c] = events(3);
    await store().append({ stream: name, expectedRevision: 'no-stream', events: [a!, b!, c!] });
    const batches = [
      [a!, event()],
      [event(), b!],
      [b!, a!, c!],
      [a!, b!, c!, event()],
      [b!, c!],
    ];
    for (const batch of batches) {
      const append = store().append({
        stream: name,
        expectedRevision: 'no-stream',
        events: batch,
      });
      await expect(append).rejects.toThrow(wrongRevision(name, 'no-stream', 2));
    }
    expect(await all(store().readStream(name))).toHaveLength(3);
  });

  check('a part of a batch at its own place counts as repeated', async (stream) => {
    const name = stream('a');
    const [a, b, c] = events(3);
    await store().append({ stream: name, expectedRevision: 'no-stream', events: [a!, b!, c!] });
    const stored = await all(store().readStream(name));
    const parts: [ExpectedRevision, typeof stored][] = [
      ['no-stream', stored.slice(0, 2)],
      [0, stored.slice(1)],
      [0, stored.slice(1, 2)],
    ];
    for (const [expectedRevision, part] of parts) {
      const result = await store().append({ stream: name, expectedRevision, events: part });
      const { revision, position } = part.at(-1)!;
      expect(result).toEqual({ revision, position });
    }
  });

  check('events repeated at the current revision are new events', async (stream) => {
    const name = stream('a');
    const batch = events(1);
    await store().append({ stream: name, expectedRevision: 'no-stream', events: batch });
    const again = await store().append({ stream: name, expectedRevision: 0, events: batch });
    expect(again.revision).toBe(1);
  });

  check('an append without an exact revision is recognised when it is repeated', async (stream) => {
    const name = stream('a');
    const append = { stream: name, expectedRevision: 'any', events: events(2) } as const;
    const first = await store().append(append);
    await store().append({ stream: name, expectedRevision: 'any', events: events(1) });
    expect(await store().append(append)).toEqual(first);
    const exists = { ...append, expectedRevision: 'stream-exists' } as const;
    expect(await store().append(exists)).toEqual(first);
    const partly = { ...append, events: [append.events[0]!, event()] };
    await expect(store().append(partly)).rejects.toThrow(wrongRevision(name, 'any', 2));
    expect(await all(store().readStream(name))).toHaveLength(3);
  });

  check('one id twice in an append is stored twice', async (stream) => {
    const name = stream('a');
    const twice = event();
    const append = {
      stream: name,
      expectedRevision: 'no-stream',
      events: [twice, twice],
    } as const;
    const first = await store().append(append);
    expect(first.revision).toBe(1);
    expect(await store().append(append)).toEqual(first);
  });

  check('the same ids in another stream are new events', async (stream) => {
    const batch = events(2);
    for (const name of ['a', 'b'].map(stream)) {
      await store().append({ stream: name, expectedRevision: 'no-stream', events: batch });
      expect(idsOf(await all(store().readStream(name)))).toEqual(idsOf(batch));
    }
  });
};
