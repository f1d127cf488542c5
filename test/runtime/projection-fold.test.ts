import { describe, expect, test } from 'vitest';
import { createMemoryReadStore } from '../../src/adapters/memory/read-store.ts';
import type { ReadStore } from '../../src/ports/read-store.ts';
import type { ProjectedEvent } from '../../src/runtime/projected-event.ts';
import { ProjectionFold, UnreadableRow } from '../../src/runtime/projection-fold.ts';
import { signalCounts, silentLogger, watched } from './projector-kit.ts';

const counts = signalCounts();

let position = 0n;
const signal = (run: string, id: string): ProjectedEvent<'SignalReceived'> => {
  position += 1n;
  const at = '2026-01-01T00:00:00.000Z';
  const data = { id, event: { type: 'go' } };
  return { type: 'SignalReceived', data, run, revision: 0, position, at, writer: 'p' };
};

const folding = (reads: ReadStore = createMemoryReadStore()) => {
  const store = watched(reads);
  const fold = new ProjectionFold(counts, store.reads, silentLogger().logger);
  fold.restart();
  return { fold, ...store, model: reads.open(counts.definition) };
};

const runs = Array.from({ length: 1_500 }, (_, n) => `flow.k${n}`);

describe('a fold', () => {
  test('looks rows up many at a time, and folds the events of each in their order', () => {
    const reads = createMemoryReadStore();
    const first = folding(reads);
    for (const run of runs) first.fold.take(signal(run, 'a'));
    first.fold.commit();
    const { fold, lookUps } = folding(reads);
    for (const id of ['b', 'c']) for (const run of runs) fold.take(signal(run, id));
    fold.commit();
    const { of, last } = counts.queries(fold.rows);
    expect(runs.filter((run) => of(run) !== 3 || last(run) !== 'c')).toEqual([]);
    expect(lookUps.flat().toSorted()).toEqual(runs.toSorted());
    expect(lookUps.length).toBeLessThan(10);
  });

  test('shows no more than what is written, while events wait for their rows and after', () => {
    const { fold } = folding();
    fold.take(signal('flow.a', 's1'));
    expect(fold.visible).toBeUndefined();
    fold.commit();
    expect(fold.visible).toBe(position);
    const before = position;
    fold.take(signal('flow.b', 's1'));
    expect([fold.visible, fold.position]).toEqual([before, before + 1n]);
    fold.commit();
    expect(fold.visible).toBe(before + 1n);
  });

  test('forgets events that wait for their rows when it is started again', () => {
    const { fold, model } = folding();
    fold.take(signal('flow.a', 's1'));
    fold.restart();
    fold.take(signal('flow.b', 's1'));
    fold.commit();
    expect(model.query().map(({ key }) => key)).toEqual(['flow.b']);
  });

  test('says which row it cannot read, and writes nothing', () => {
    const { fold, model } = folding();
    const columns = { count: 1 };
    model.commit({ rows: [{ key: 'flow.a', columns, body: '{"count":"x"}' }], checkpoint: 0n });
    fold.restart();
    fold.take(signal('flow.b', 's1'));
    fold.take(signal('flow.a', 's1'));
    expect(() => fold.commit()).toThrow(UnreadableRow);
    expect(model.checkpoint()).toBe(0n);
    expect(model.query()).toHaveLength(1);
  });
});
