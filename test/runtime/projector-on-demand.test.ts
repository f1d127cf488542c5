import { describe, expect, test } from 'vitest';
import { createMemoryEventStore } from '../../src/adapters/memory/event-store.ts';
import { createMemoryReadStore } from '../../src/adapters/memory/read-store.ts';
import { append, project, signalCounts, watched } from './projector-kit.ts';

/** The same fold under another name. */
const looked = () => {
  const counts = signalCounts();
  return { ...counts, definition: { ...counts.definition, name: 'looked-at' } };
};

const setUp = (parts: Pick<Parameters<typeof project>[0], 'store' | 'reads'> = {}) => {
  const live = signalCounts();
  const late = looked();
  const made = project({ projections: [live, late], onDemand: [late], ...parts });
  const { projector } = made;
  return { ...made, live: projector.queries(live), late: projector.queries(late) };
};

describe('a projection that is folded on demand', () => {
  test('costs nothing until somebody asks, shows everything then, and follows from then on', async () => {
    const { projector, store, live, late } = setUp();
    projector.start();
    await append(store, 'flow.a', 's1', 's2');
    await projector.shows('signal-counts');
    expect([live.of('flow.a'), late.of('flow.a')]).toEqual([2, undefined]);
    await projector.shows('looked-at');
    expect(late.of('flow.a')).toBe(2);
    await append(store, 'flow.a', 's3');
    await projector.shows('looked-at');
    expect(late.of('flow.a')).toBe(3);
  });

  test('goes on from where an earlier process left it', async () => {
    const parts = { store: createMemoryEventStore(), reads: createMemoryReadStore() };
    const first = setUp(parts);
    first.projector.start();
    await append(parts.store, 'flow.a', 's1');
    await first.projector.caughtUp();
    await first.projector.close();
    await append(parts.store, 'flow.a', 's2');
    const second = setUp(parts);
    second.projector.start();
    await second.projector.shows('signal-counts');
    expect(second.late.of('flow.a')).toBe(1);
    await second.projector.shows('looked-at');
    expect(second.late.of('flow.a')).toBe(2);
  });

  test('is woken by who waits for all of them, but not by the end of the process', async () => {
    const { projector, store, late } = setUp();
    projector.start();
    await append(store, 'flow.a', 's1');
    await projector.close();
    expect(late.of('flow.a')).toBeUndefined();
    const other = setUp({ store });
    other.projector.start();
    await other.projector.caughtUp();
    expect(other.late.of('flow.a')).toBe(1);
  });

  test('can be rebuilt before anybody asked, and while it is being woken', async () => {
    const parts = { store: createMemoryEventStore(), reads: createMemoryReadStore() };
    const first = setUp(parts);
    first.projector.start();
    await append(parts.store, 'flow.a', 's1', 's2');
    await first.projector.rebuild('looked-at');
    expect(first.late.of('flow.a')).toBe(2);
    await first.projector.close();
    const second = setUp(parts);
    second.projector.start();
    await Promise.all([second.projector.shows('looked-at'), second.projector.rebuild('looked-at')]);
    await append(parts.store, 'flow.a', 's3');
    await second.projector.shows('looked-at');
    expect(second.late.of('flow.a')).toBe(3);
  });

  test('does not hold up what others have seen', async () => {
    const { projector, store, live } = setUp();
    projector.start();
    for (let n = 1; n <= 5; n += 1) {
      await append(store, 'flow.a', `s${n}`);
      await projector.shows('signal-counts');
      expect(live.of('flow.a')).toBe(n);
    }
    expect(await projector.lag()).toMatchObject([{ behind: 0n }, { behind: 5n }]);
  });

  test('says how far it is while somebody waits for it, and at no other time', async () => {
    const { reads, before } = watched(createMemoryReadStore());
    const { projector, store } = setUp({ reads });
    const seen: unknown[] = [];
    before.commit = () => seen.push(projector.awaited());
    projector.start();
    const end = await append(store, 'flow.a', 's1', 's2');
    await projector.shows('signal-counts');
    expect(projector.awaited()).toBeUndefined();
    seen.length = 0;
    await projector.shows('looked-at');
    expect(seen).toEqual([{ position: -1n, end }]);
    expect(projector.awaited()).toBeUndefined();
  });
});
