import { describe, expect, test } from 'vitest';
import { EclError } from 'ecl';
import { runSummaries } from '../../projections/index.ts';
import { createMemoryEventStore } from '../../src/adapters/memory/event-store.ts';
import { createMemoryReadStore } from '../../src/adapters/memory/read-store.ts';
import type { SubscriptionItem } from '../../src/ports/event-store.ts';
import type { RebuildProgress } from '../../src/runtime/projector.ts';
import { RandomRun } from '../projections/random-run.ts';
import { decorated } from './kit.ts';
import { append, project, signalCounts, watched } from './projector-kit.ts';

const turns = async (count = 3): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
};

describe('a projector', () => {
  test('shows an event that was just appended as soon as it has caught up', async () => {
    const counts = signalCounts();
    const { projector, store } = project({ projections: [counts] });
    const queries = projector.queries(counts);
    projector.start();
    for (let n = 1; n <= 20; n += 1) {
      await append(store, 'flow.a', `s${n}`);
      await projector.caughtUp();
      expect([queries.of('flow.a'), queries.last('flow.a')]).toEqual([n, `s${n}`]);
    }
  });

  test('has caught up with a position when that is visible, whatever comes after it', async () => {
    const counts = signalCounts();
    const { projector, store } = project({ projections: [counts] });
    projector.start();
    const position = await append(store, 'flow.a', 's1');
    await append(store, 'flow.a', 's2');
    await projector.caughtUp(position);
    expect(projector.queries(counts).of('flow.a')).toBeGreaterThanOrEqual(1);
  });

  test('has caught up at once with an empty store, and with one that has no journals', async () => {
    const { projector, store } = project({ projections: [signalCounts()] });
    projector.start();
    await projector.caughtUp();
    await store.append({
      stream: 'snapshot-default.flow.a',
      expectedRevision: 'any',
      events: [
        { id: '00000000-0000-4000-9000-000000000001', type: 'Taken', data: '{}', metadata: {} },
      ],
    });
    await projector.caughtUp();
    expect(await projector.lag()).toMatchObject([{ name: 'signal-counts', behind: 0n }]);
  });

  test('folds what was stored before it started', async () => {
    const counts = signalCounts();
    const { projector, store } = project({ projections: [counts] });
    await append(store, 'flow.a', 's1', 's2');
    await append(store, 'flow.b', 's3');
    projector.start();
    await projector.caughtUp();
    expect(projector.queries(counts).all()).toEqual([
      ['flow.a', 2],
      ['flow.b', 1],
    ]);
  });

  test('goes on after a restart from its checkpoint, not from the start', async () => {
    const reads = createMemoryReadStore();
    const store = createMemoryEventStore();
    const first = project({ projections: [signalCounts(1)], reads, store });
    await append(store, 'flow.a', 's1', 's2');
    first.projector.start();
    await first.projector.caughtUp();
    await first.projector.close();
    await append(store, 'flow.a', 's3');
    // It counts in tens now: only the event after the checkpoint counts so.
    const counts = signalCounts(1, 10);
    const second = project({ projections: [counts], reads, store });
    second.projector.start();
    await second.projector.caughtUp();
    expect(second.projector.queries(counts).of('flow.a')).toBe(12);
  });

  test('writes a run that starts and ends within one batch once', async () => {
    const { reads, commits } = watched(createMemoryReadStore());
    const { projector, store } = project({ projections: [runSummaries], reads });
    projector.start();
    await projector.caughtUp();
    const run = new RandomRun('office.k');
    run.next({ kind: 0, pick: 1 });
    for (const event of run.events) {
      await store.append({ stream: event.stream, expectedRevision: 'any', events: [event] });
    }
    await projector.caughtUp();
    const written = commits.flat().map(({ key }) => key);
    expect([run.events.length > 2, written]).toEqual([true, ['office.k']]);
  });

  test('writes after a short delay, also when nobody waits', async () => {
    const counts = signalCounts();
    const { projector, store } = project({ projections: [counts] });
    projector.start();
    await projector.caughtUp();
    await append(store, 'flow.a', 's1');
    await expect.poll(() => projector.queries(counts).of('flow.a'), { interval: 5 }).toBe(1);
  });

  test('writes nothing for events that change no row', async () => {
    const { reads, commits } = watched(createMemoryReadStore());
    const counts = signalCounts();
    const { projector, store } = project({ projections: [counts], reads });
    projector.start();
    await projector.caughtUp();
    await append(store, 'flow.ignored', 's1');
    await projector.caughtUp();
    expect([commits.flat(), projector.queries(counts).size()]).toEqual([[], 0]);
    await projector.close();
    expect(reads.open(counts.definition).checkpoint()).toBe(await store.lastPosition());
  });

  test('folds what is pending when it is closed', async () => {
    const counts = signalCounts();
    const { projector, store, reads } = project({ projections: [counts] });
    projector.start();
    await projector.caughtUp();
    await append(store, 'flow.a', 's1');
    await projector.close();
    expect(reads.open(counts.definition).get('flow.a')?.columns).toEqual({ count: 1 });
    await expect(projector.caughtUp()).rejects.toMatchObject({ code: 'store.closed' });
  });

  test('folds several projections through one subscription', async () => {
    const base = createMemoryEventStore();
    let subscriptions = 0;
    const store = decorated(base, {
      subscribe: (options) => {
        subscriptions += 1;
        return base.subscribe(options);
      },
    });
    const counts = signalCounts();
    const { projector } = project({ projections: [counts, runSummaries], store });
    projector.start();
    await append(store, 'flow.a', 's1');
    await projector.caughtUp();
    const seen = projector.queries(runSummaries).details('flow.a')?.counts.signals;
    expect([seen, projector.queries(counts).of('flow.a'), subscriptions]).toEqual([1, 1, 1]);
  });
});

describe('an event that cannot be folded', () => {
  test.each([
    ['is not JSON', { text: '{"id": "s2", ' }, 'SyntaxError'],
    ['is of an unknown type', { type: 'SignalLost', data: {} }, 'event.unknown-type'],
    ['does not fit its schema', { data: { id: 7 } }, 'event.invalid'],
    [
      'is newer than the program',
      { data: { id: 's2', event: { type: 'go' } }, metadata: { schema: 9 } },
      'event.unknown-type',
    ],
    [
      'does not say when it was recorded',
      { data: { id: 's2', event: { type: 'go' } }, metadata: { at: 7 } },
      'event.invalid',
    ],
  ])('because it %s is skipped and named in the log; the rest is folded', async (_, bad, why) => {
    const { projector, store, lines } = project({ projections: [runSummaries] });
    projector.start();
    await append(store, 'flow.a', 's1');
    const position = await append(store, 'flow.a', bad);
    await append(store, 'flow.a', 's3');
    await append(store, 'flow.b', 's4');
    await projector.caughtUp();
    const { details } = projector.queries(runSummaries);
    expect([details('flow.a')?.counts.signals, details('flow.b')?.counts.signals]).toEqual([2, 1]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      stream: 'run-default.flow.a',
      revision: 1,
      position: String(position),
    });
    expect(JSON.stringify(lines[0])).toContain(why);
  });

  test('because it is in a stream of somebody else is passed over without a word', async () => {
    const { projector, store, lines } = project({ projections: [runSummaries] });
    projector.start();
    await store.append({
      stream: 'run-of-somebody-else',
      expectedRevision: 'any',
      events: [
        { id: '00000000-0000-4000-9000-000000000002', type: 'Ran', data: 'x', metadata: {} },
      ],
    });
    await append(store, 'flow.a', 's1');
    await projector.caughtUp();
    const ids = projector
      .queries(runSummaries)
      .list({})
      .items.map(({ id }) => id);
    expect([ids, lines]).toEqual([['flow.a'], []]);
  });

  test('because the projection fails on it is skipped by that projection only', async () => {
    const counts = signalCounts();
    const { projector, store, lines } = project({ projections: [counts, runSummaries] });
    projector.start();
    await append(store, 'flow.a', 's1', 'refused', 's3');
    await projector.caughtUp();
    const signals = projector.queries(runSummaries).details('flow.a')?.counts.signals;
    expect([projector.queries(counts).of('flow.a'), signals]).toEqual([2, 3]);
    expect(lines).toMatchObject([
      { projection: 'signal-counts', run: 'flow.a', revision: 1, type: 'SignalReceived' },
    ]);
  });

  test('because the store has it damaged is stepped over, and what comes after it is folded', async () => {
    const base = createMemoryEventStore();
    const damaged = [3n, 4n, 5n];
    const store = decorated(base, {
      async *subscribe(options): AsyncGenerator<SubscriptionItem> {
        for await (const item of base.subscribe(options)) {
          if (item.kind === 'event' && damaged.includes(item.event.position)) {
            const { stream, revision } = item.event;
            throw new EclError('store.corrupt', { stream, revision, reason: 'bits have flipped' });
          }
          yield item;
        }
      },
    });
    const counts = signalCounts();
    const { projector, lines } = project({ projections: [counts], store });
    await append(store, 'flow.a', 's1', 's2');
    await append(store, 'flow.b', 's3', 's4', 's5');
    await append(store, 'flow.a', 's6');
    projector.start();
    await projector.caughtUp();
    expect(projector.queries(counts).all()).toEqual([['flow.a', 3]]);
    expect(lines.map(({ msg }) => msg)).toEqual(
      Array.from(damaged, () => 'what is damaged is not in the projections'),
    );
  });
});

describe('a version that changed', () => {
  /** A store whose subscription waits before the second event. */
  const gated = () => {
    const base = createMemoryEventStore();
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const store = decorated(base, {
      async *subscribe(options): AsyncGenerator<SubscriptionItem> {
        for await (const item of base.subscribe(options)) {
          yield item;
          await gate;
        }
      },
    });
    return { base, store, open };
  };

  test('is folded beside the old one, which answers until the new one is complete', async () => {
    const { base, store, open } = gated();
    const reads = createMemoryReadStore();
    const old = project({ projections: [signalCounts(1)], reads, store: base });
    await append(base, 'flow.a', 's1', 's2');
    old.projector.start();
    await old.projector.caughtUp();
    await old.projector.close();
    const counts = signalCounts(2, 10);
    const { projector } = project({ projections: [counts], reads, store });
    projector.start();
    await turns();
    expect(projector.queries(counts).of('flow.a')).toBe(2);
    expect(projector.queries(counts).all()).toEqual([['flow.a', 2]]);
    expect(projector.queries(counts).size()).toBe(1);
    open();
    await projector.caughtUp();
    expect(projector.queries(counts).of('flow.a')).toBe(20);
    expect(projector.queries(counts).all()).toEqual([['flow.a', 20]]);
  });

  test('holds up no other projection while it is folded', async () => {
    const base = createMemoryEventStore();
    const reads = createMemoryReadStore();
    const first = project({ projections: [signalCounts(1), runSummaries], reads, store: base });
    await append(base, 'flow.a', 's1', 's2', 's3');
    first.projector.start();
    await first.projector.caughtUp();
    await first.projector.close();
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const store = decorated(base, {
      async *subscribe(options = {}): AsyncGenerator<SubscriptionItem> {
        for await (const item of base.subscribe(options)) {
          if (options.from === 'start') await gate;
          yield item;
        }
      },
    });
    const counts = signalCounts(2, 10);
    const { projector } = project({ projections: [counts, runSummaries], reads, store });
    projector.start();
    await append(store, 'flow.b', 's4');
    const { details } = projector.queries(runSummaries);
    await expect.poll(() => details('flow.b')?.counts.signals, { interval: 5 }).toBe(1);
    expect(projector.queries(counts).of('flow.a')).toBe(3);
    const [lag] = await projector.lag();
    expect(lag).toMatchObject({ name: 'signal-counts', version: 2, behind: 4n });
    open();
    await projector.caughtUp();
    await append(store, 'flow.a', 's5');
    await projector.caughtUp();
    expect(projector.queries(counts).all()).toEqual([
      ['flow.a', 40],
      ['flow.b', 10],
    ]);
  });
});

describe('a rebuild', () => {
  test('gives the same rows again, says how far it is, and keeps up with what comes', async () => {
    const { reads, commits } = watched(createMemoryReadStore());
    const { projector, store } = project({ projections: [runSummaries], reads });
    for (let n = 0; n < 40; n += 1) {
      const run = new RandomRun(`office.k${n}`);
      for (let step = 0; step < 12; step += 1)
        run.next({ kind: step * 7 + n, pick: n * 31 + step });
      for (const event of run.events) {
        await store.append({ stream: event.stream, expectedRevision: 'any', events: [event] });
      }
    }
    projector.start();
    await projector.caughtUp();
    const model = reads.open(runSummaries.definition);
    const before = model.query();
    commits.length = 0;
    const progress: RebuildProgress[] = [];
    const rebuilt = projector.rebuild('run-summaries', (each) => progress.push(each));
    const position = await append(store, 'late.a', 's1');
    await rebuilt;
    await projector.caughtUp();
    expect(
      model.query({ where: [{ column: 'workflow', operator: '=', value: 'office' }] }),
    ).toEqual(before);
    expect(commits.flat().length).toBeGreaterThanOrEqual(before.length);
    expect(model.get('late.a')).toBeDefined();
    expect(progress.at(-1)).toEqual({ position, end: position - 1n });
  });

  test('of a projection that there is not is refused', async () => {
    const { projector } = project({ projections: [signalCounts()] });
    projector.start();
    await expect(projector.rebuild('sums')).rejects.toMatchObject({ code: 'usage.invalid' });
  });

  test('that is asked for twice at once happens once', async () => {
    const { reads, commits } = watched(createMemoryReadStore());
    const { projector, store } = project({ projections: [signalCounts()], reads });
    await append(store, 'flow.a', 's1');
    projector.start();
    await projector.caughtUp();
    commits.length = 0;
    await Promise.all([projector.rebuild('signal-counts'), projector.rebuild('signal-counts')]);
    expect(commits.flat()).toHaveLength(1);
  });
});

describe('what goes wrong around a projector', () => {
  test('a read store that fails is tried again, and whoever waits hears of it', async () => {
    const { reads, before } = watched(createMemoryReadStore());
    const counts = signalCounts();
    const { projector, store, lines } = project({ projections: [counts], reads });
    projector.start();
    await projector.caughtUp();
    let failures = 2;
    before.commit = () => {
      failures -= 1;
      if (failures >= 0)
        throw new EclError('store.unavailable', { store: 'x', reason: 'disk full' });
    };
    await append(store, 'flow.a', 's1');
    await expect(projector.caughtUp()).rejects.toMatchObject({ code: 'store.unavailable' });
    await expect.poll(() => projector.queries(counts).of('flow.a'), { interval: 20 }).toBe(1);
    await append(store, 'flow.a', 's2');
    await projector.caughtUp();
    expect(projector.queries(counts).of('flow.a')).toBe(2);
    expect(lines.filter(({ msg }) => msg === 'the projections are started again')).toHaveLength(2);
  });

  test('an event store that was away is followed again', async () => {
    const base = createMemoryEventStore();
    let failures = 2;
    const store = decorated(base, {
      subscribe: (options) => {
        failures -= 1;
        if (failures >= 0) throw new EclError('store.unavailable', { store: 'x', reason: 'gone' });
        return base.subscribe(options);
      },
    });
    const counts = signalCounts();
    const { projector } = project({ projections: [counts], store });
    projector.start();
    await append(store, 'flow.a', 's1');
    await expect.poll(() => projector.queries(counts).of('flow.a'), { interval: 20 }).toBe(1);
  });

  test('rows of another store are folded anew', async () => {
    const reads = createMemoryReadStore();
    const counts = signalCounts();
    const first = project({ projections: [counts], reads });
    await append(first.store, 'flow.ghost', 's1', 's2', 's3');
    first.projector.start();
    await first.projector.caughtUp();
    await first.projector.close();
    const second = project({ projections: [counts], reads });
    await append(second.store, 'flow.a', 's1');
    second.projector.start();
    await second.projector.caughtUp();
    expect(second.projector.queries(counts).all()).toEqual([['flow.a', 1]]);
    expect(second.lines).toMatchObject([{ projection: 'signal-counts', checkpoint: '3' }]);
  });

  test('a row that its projection cannot read has the projection folded anew', async () => {
    const reads = createMemoryReadStore();
    const store = createMemoryEventStore();
    const counts = signalCounts();
    await append(store, 'flow.a', 's1', 's2');
    const model = reads.open(counts.definition);
    const rows = [{ key: 'flow.a', columns: { count: 1 }, body: '{"count":"one"}' }];
    model.commit({ rows, checkpoint: 1n });
    const { projector, lines } = project({ projections: [counts], reads, store });
    projector.start();
    await projector.caughtUp();
    expect([projector.queries(counts).of('flow.a'), lines[0]?.['projection']]).toEqual([
      2,
      'signal-counts',
    ]);
  });

  test('a closed event store ends it without a word', async () => {
    const { projector, store, lines } = project({ projections: [signalCounts()] });
    projector.start();
    await projector.caughtUp();
    await store.close();
    await projector.close();
    expect(lines).toEqual([]);
  });
});
