import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runSummaries } from '../../projections/index.ts';
import { createMemoryEventStore } from '../../src/adapters/memory/event-store.ts';
import { createMemoryReadStore } from '../../src/adapters/memory/read-store.ts';
import { openSqliteReadStore } from '../../src/adapters/sqlite/read-store.ts';
import type { EventStore, SubscriptionItem } from '../../src/ports/event-store.ts';
import type { ReadStore, Row } from '../../src/ports/read-store.ts';
import { RandomRun } from '../projections/random-run.ts';
import { decorated } from './kit.ts';
import { append, project, signalCounts } from './projector-kit.ts';

const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'ecl-sharing-'));
  folders.push(made);
  return made;
};
afterAll(() => {
  for (const each of folders) rmSync(each, { recursive: true, force: true });
});

/** Two connections, as two processes have them. */
const twoReadStores = async (): Promise<[ReadStore, ReadStore]> => {
  const at = folder();
  return [await openSqliteReadStore({ folder: at }), await openSqliteReadStore({ folder: at })];
};

const writeRuns = async (store: EventStore, name: string, count: number): Promise<void> => {
  for (let n = 0; n < count; n += 1) {
    const run = new RandomRun(`office.${name}-${n}`);
    for (let step = 0; step < 25; step += 1)
      run.next({ kind: step * 5 + n, pick: n * 37 + step * 11 });
    for (const event of run.events) {
      await store.append({ stream: event.stream, expectedRevision: 'any', events: [event] });
      if (event.revision % 4 === 0) await turn();
    }
  }
};

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** A store whose events come to its subscribers some turns late. */
const lagging = (store: EventStore, turns: number): EventStore =>
  decorated(store, {
    async *subscribe(options): AsyncGenerator<SubscriptionItem> {
      for await (const item of store.subscribe(options)) {
        for (let left = turns; left > 0; left -= 1) await turn();
        yield item;
      }
    },
  });

const rowsOf = (reads: ReadStore): Row[] => reads.open(runSummaries.definition).query();

const rebuilt = async (store: EventStore): Promise<Row[]> => {
  const reads = createMemoryReadStore();
  const { projector } = project({ projections: [runSummaries], store, reads });
  projector.start();
  await projector.caughtUp();
  return rowsOf(reads);
};

describe('two projectors on one read store', () => {
  test.each([
    ['both are fast', 0],
    ['one lags behind the other', 1],
  ])('end equal to the fold, though both commit all the time and %s', async (_, lag) => {
    const store = createMemoryEventStore();
    const [one, other] = await twoReadStores();
    const both = [
      project({ projections: [runSummaries], store, reads: one }),
      project({ projections: [runSummaries], store: lagging(store, lag), reads: other }),
    ];
    for (const { projector } of both) projector.start();
    let isOver = false;
    const isDone = (): boolean => isOver;
    const committing = both.map(async ({ projector }) => {
      for (let position = 1n; !isDone(); position += 3n) {
        await Promise.race([projector.caughtUp(position), turn()]);
        await turn();
      }
    });
    await writeRuns(store, 'a', 25);
    isOver = true;
    await Promise.all(committing);
    await Promise.all(both.map(({ projector }) => projector.caughtUp()));
    const expected = await rebuilt(store);
    expect(rowsOf(one)).toEqual(expected);
    expect(rowsOf(other)).toEqual(expected);
    expect(both.flatMap(({ lines }) => lines)).toEqual([]);
  });

  test('end equal to the fold when one of them folds anew in the middle', async () => {
    const store = createMemoryEventStore();
    const [one, other] = await twoReadStores();
    const both = [one, other].map((reads) =>
      project({ projections: [runSummaries], store, reads }),
    );
    await writeRuns(store, 'a', 10);
    for (const { projector } of both) projector.start();
    await Promise.all(both.map(({ projector }) => projector.caughtUp()));
    await Promise.all([
      writeRuns(store, 'b', 10),
      both[0]!.projector.rebuild('run-summaries'),
      both[1]!.projector.caughtUp(),
    ]);
    await Promise.all(both.map(({ projector }) => projector.caughtUp()));
    expect(rowsOf(one)).toEqual(await rebuilt(store));
  });

  test('of two versions each keeps its own rows, and the older one survives the loss of its table', async () => {
    const store = createMemoryEventStore();
    const [one, other] = await twoReadStores();
    const old = signalCounts(1);
    const older = project({ projections: [old], store, reads: one });
    await append(store, 'flow.a', 's1', 's2');
    older.projector.start();
    await older.projector.caughtUp();
    const fresh = signalCounts(2, 10);
    const newer = project({ projections: [fresh], store, reads: other });
    expect(newer.projector.queries(fresh).of('flow.a')).toBe(2);
    newer.projector.start();
    await newer.projector.caughtUp();
    expect(newer.projector.queries(fresh).of('flow.a')).toBe(20);
    await append(store, 'flow.a', 's3');
    await Promise.all([newer.projector.caughtUp(), older.projector.caughtUp()]);
    expect(newer.projector.queries(fresh).of('flow.a')).toBe(30);
    expect(older.projector.queries(old).of('flow.a')).toBe(3);
  });
});
