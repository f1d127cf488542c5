/** Checks on other streams: an append that rests on them is stored while they hold, and refused once they do not. */
import { expect } from 'vitest';
import { all, code, events } from './kit.ts';
import type { Contract } from './kit.ts';

const failed = (stream: string, expected: number, actual: number | 'no-stream'): unknown =>
  expect.objectContaining({
    name: 'CheckFailed',
    code: 'store.check-failed',
    details: { stream, expected, actual },
  });

export const checking = ({ store, check }: Contract): void => {
  const grow = async (stream: string, count = 1): Promise<number> =>
    (await store().append({ stream, expectedRevision: 'any', events: events(count) })).revision;

  check('an append is stored while the checked streams end where it says', async (stream) => {
    const lease = { stream: stream('lease'), revision: await grow(stream('lease'), 3) };
    const other = { stream: stream('other'), revision: await grow(stream('other')) };
    const append = {
      stream: stream('a'),
      expectedRevision: 'no-stream',
      events: events(2),
    } as const;
    const { revision } = await store().append(append, { checks: [lease, other] });
    expect(revision).toBe(1);
    expect(await store().lastRevision(lease.stream)).toBe(2);
  });

  check('an append is refused when one of the checked streams has moved', async (stream) => {
    const held = { stream: stream('held'), revision: await grow(stream('held')) };
    const lost = { stream: stream('lost'), revision: await grow(stream('lost')) };
    await grow(lost.stream);
    const append = {
      stream: stream('a'),
      expectedRevision: 'no-stream',
      events: events(1),
    } as const;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const refused = store().append(append, { checks: [held, lost] });
      await expect(refused).rejects.toThrow(failed(lost.stream, 0, 1));
    }
    expect(await store().lastRevision(append.stream)).toBeUndefined();
  });

  check('a check on a stream that is not there, or not there yet, fails', async (stream) => {
    const append = {
      stream: stream('a'),
      expectedRevision: 'no-stream',
      events: events(1),
    } as const;
    const missing = { stream: stream('missing'), revision: 0 };
    await expect(store().append(append, { checks: [missing] })).rejects.toThrow(
      failed(missing.stream, 0, 'no-stream'),
    );
    const early = { stream: stream('early'), revision: 5 };
    await grow(early.stream);
    await expect(store().append(append, { checks: [early] })).rejects.toThrow(
      failed(early.stream, 5, 0),
    );
    expect(await store().lastRevision(append.stream)).toBeUndefined();
  });

  check('a repeated append gets its first answer when the check has moved on', async (stream) => {
    const lease = { stream: stream('lease'), revision: await grow(stream('lease')) };
    const append = {
      stream: stream('a'),
      expectedRevision: 'no-stream',
      events: events(2),
    } as const;
    const first = await store().append(append, { checks: [lease] });
    await grow(lease.stream);
    expect(await store().append(append, { checks: [lease] })).toEqual(first);
    expect(await all(store().readStream(append.stream))).toHaveLength(2);
  });

  check('the revision of what is written is judged before the checks', async (stream) => {
    await grow(stream('a'));
    const append = {
      stream: stream('a'),
      expectedRevision: 'no-stream',
      events: events(1),
    } as const;
    const missing = { stream: stream('missing'), revision: 0 };
    await expect(store().append(append, { checks: [missing] })).rejects.toThrow(
      code('store.wrong-expected-revision'),
    );
  });

  check('an append to several streams with a failed check writes none', async (stream) => {
    const lease = { stream: stream('lease'), revision: await grow(stream('lease')) };
    const appends = ['a', 'b'].map((name) => ({
      stream: stream(name),
      expectedRevision: 'no-stream' as const,
      events: events(2),
    }));
    const results = await store().appendAll(appends, { checks: [lease] });
    await grow(lease.stream);
    expect(await store().appendAll(appends, { checks: [lease] })).toEqual(results);
    const further = appends.map((append) => ({
      ...append,
      expectedRevision: 1,
      events: events(1),
    }));
    await expect(store().appendAll(further, { checks: [lease] })).rejects.toThrow(
      failed(lease.stream, 0, 1),
    );
    for (const { stream: name } of appends) expect(await store().lastRevision(name)).toBe(1);
  });

  check('a stream that keeps its newest events only is checked by its last one', async (stream) => {
    const name = stream('lease');
    await store().setStreamMetadata(name, { maxCount: 2 });
    const lease = { stream: name, revision: await grow(name, 5) };
    const append = {
      stream: stream('a'),
      expectedRevision: 'no-stream',
      events: events(1),
    } as const;
    await store().append(append, { checks: [lease] });
    expect(await store().lastRevision(append.stream)).toBe(0);
  });

  check(
    'of two appends that race with the stream they check, none lands after it moved',
    async (stream) => {
      const name = stream('lease');
      for (let round = await grow(name); round < 10; round += 1) {
        const lease = { stream: name, revision: round };
        const target = stream(`a${round}`);
        const append = {
          stream: target,
          expectedRevision: 'no-stream',
          events: events(1),
        } as const;
        const [taken, moved] = await Promise.allSettled([
          store().append(append, { checks: [lease] }),
          store().append({ stream: name, expectedRevision: round, events: events(1) }),
        ]);
        if (moved.status === 'rejected') throw moved.reason;
        if (taken.status === 'rejected')
          expect(taken.reason).toEqual(failed(name, round, round + 1));
        else expect(taken.value.position).toBeLessThan(moved.value.position);
      }
    },
  );

  check('a check on a stream that the append writes is refused', async (stream) => {
    const append = { stream: stream('a'), expectedRevision: 'any', events: events(1) } as const;
    const itself = { stream: stream('a'), revision: 0 };
    await expect(store().append(append, { checks: [itself] })).rejects.toThrow(
      code('usage.invalid'),
    );
    expect(await store().lastRevision(append.stream)).toBeUndefined();
  });
};
