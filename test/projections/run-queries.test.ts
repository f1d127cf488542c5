import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runSummaries } from '../../projections/index.ts';
import { noBooks } from '../../projections/run-books.ts';
import { blank, type Summary } from '../../projections/run-summary.ts';
import { createMemoryReadStore } from '../../src/adapters/memory/read-store.ts';
import { openSqliteReadStore } from '../../src/adapters/sqlite/read-store.ts';
import type { RunDirectory, RunListQuery } from '../../src/ports/run-directory.ts';
import type { ReadModel, ReadStore } from '../../src/ports/read-store.ts';
import { projectedDirectory } from '../../src/runtime/projected-directory.ts';

const folder = mkdtempSync(join(tmpdir(), 'ecl-queries-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

type Part = Partial<Omit<Summary, 'identity'>> & { identity?: Partial<Summary['identity']> };

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

const run = (id: string, second: number, { identity, ...rest }: Part = {}) => {
  const [workflow] = id.split('.');
  const context: Summary = {
    ...blank,
    ...rest,
    identity: {
      ...blank.identity,
      tenant: 'default',
      workflow: workflow!,
      version: '1.0.0',
      startedAt: at(second),
      ...identity,
    },
  };
  return runSummaries.toRow(id, { context });
};

const timers = (dueAt: number): Part => ({ books: { ...noBooks, timers: { deadline: dueAt } } });
const busy: Part = { books: { ...noBooks, steps: { 'draft#1': null } } };
const ended = (status: 'completed' | 'failed'): Part => ({ end: { status, at: at(99) } });

let opened = 0;
const kinds: [string, () => Promise<ReadStore>][] = [
  ['memory', () => Promise.resolve(createMemoryReadStore())],
  ['sqlite', () => openSqliteReadStore({ folder: join(folder, String((opened += 1))) })],
];

describe.each(kinds)('the directory of runs in %s', (_, open) => {
  const given = async (
    rows: ReturnType<typeof run>[],
  ): Promise<{
    model: ReadModel;
    directory: RunDirectory;
    ids: (query?: RunListQuery) => string[];
  }> => {
    const model = (await open()).open(runSummaries.definition);
    model.commit({ rows, checkpoint: 1n });
    const directory = projectedDirectory(runSummaries.queries(model));
    return {
      model,
      directory,
      ids: (query = {}) => directory.list(query).items.map(({ id }) => id),
    };
  };

  test('lists roots, the newest first, those of one instant by id', async () => {
    const { ids } = await given([
      run('a.1', 10),
      run('a.2', 30),
      run('b.1', 20),
      run('b.2', 20),
      run('a.2~1', 31, { identity: { parent: 'a.2' } }),
    ]);
    expect(ids()).toEqual(['a.2', 'b.2', 'b.1', 'a.1']);
    expect(ids({ children: true })).toEqual(['a.2~1', 'a.2', 'b.2', 'b.1', 'a.1']);
    expect(ids({ parent: 'a.2' })).toEqual(['a.2~1']);
  });

  test('filters by status, workflow and tenant, together', async () => {
    const { ids } = await given([
      run('a.1', 1, busy),
      run('a.2', 2, ended('completed')),
      run('b.1', 3, ended('completed')),
      run('acme.b.2', 4, { ...ended('failed'), identity: { tenant: 'acme', workflow: 'b' } }),
    ]);
    expect(ids({ status: 'completed' })).toEqual(['b.1', 'a.2']);
    expect(ids({ workflow: 'b' })).toEqual(['acme.b.2', 'b.1']);
    expect(ids({ tenant: 'acme' })).toEqual(['acme.b.2']);
    expect(ids({ workflow: 'b', status: 'completed', tenant: 'default' })).toEqual(['b.1']);
    expect(ids({ status: 'paused' })).toEqual([]);
  });

  test('a run is shown with all that the list promises, and with nothing that it has not', async () => {
    const { directory } = await given([
      run('a.1', 1, {
        state: { review: 'open' },
        accepts: ['review.approved'],
        updatedAt: at(5),
        revision: 7,
        tags: ['gate'],
        identity: { structure: 'f00', module: './flow.ts' },
      }),
      run('a.1~1', 2, {
        end: { status: 'failed', at: at(9), error: 'it went wrong' },
        identity: { parent: 'a.1' },
      }),
    ]);
    expect(directory.list({}).items).toEqual([
      {
        id: 'a.1',
        tenant: 'default',
        workflow: 'a',
        version: '1.0.0',
        structure: 'f00',
        status: 'waiting',
        state: { review: 'open' },
        startedAt: at(1),
        updatedAt: at(5),
        revision: 7,
        waitingFor: ['review.approved'],
        tags: ['gate'],
        module: './flow.ts',
      },
    ]);
    expect(directory.list({ parent: 'a.1' }).items[0]).toMatchObject({
      status: 'failed',
      parent: 'a.1',
      error: 'it went wrong',
      endedAt: at(9),
      waitingFor: [],
    });
  });

  test('pages are of 50 runs, and neither repeat nor lose one while others come', async () => {
    const all = Array.from({ length: 120 }, (_, n) =>
      run(`a.${String(n).padStart(3, '0')}`, n % 7),
    );
    const { model, directory } = await given(all);
    const seen: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = directory.list(cursor === undefined ? {} : { cursor });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
      pages += 1;
      model.commit({ rows: [run(`late.${pages}`, 50 + pages)], checkpoint: BigInt(pages + 1) });
    } while (cursor !== undefined);
    expect(pages).toBe(3);
    expect(seen.toSorted()).toEqual(all.map(({ key }) => key).toSorted());
  });

  test('a limit is kept, also one that makes no sense', async () => {
    const { directory } = await given(Array.from({ length: 5 }, (_, n) => run(`a.${n}`, n)));
    const sizes = [2, 5, 0, -3, 2.9, 1e9].map((limit) => {
      const { items, nextCursor } = directory.list({ limit });
      return [items.length, nextCursor !== undefined];
    });
    expect(sizes).toEqual([
      [2, true],
      [5, false],
      [1, true],
      [1, true],
      [2, true],
      [5, false],
    ]);
  });

  test('finds runs by the time of their start, a tag, and text of input and output', async () => {
    const { ids } = await given([
      run('a.1', 10, { tags: ['gate', 'urgent'], identity: { input: 'The Sea 12' } }),
      run('a.2', 20, {
        tags: ['gate-keeper'],
        end: { status: 'completed', at: at(9), output: '50% of Sea' },
      }),
      run('a.3', 30),
    ]);
    expect(ids({ since: at(20) })).toEqual(['a.3', 'a.2']);
    expect(ids({ until: at(20) })).toEqual(['a.1']);
    expect(ids({ since: at(10), until: at(30), search: 'sea' })).toEqual(['a.2', 'a.1']);
    expect([ids({ tag: 'gate' }), ids({ tag: 'urgent' }), ids({ tag: 'gat' })]).toEqual([
      ['a.1'],
      ['a.1'],
      [],
    ]);
    expect([ids({ search: '0%' }), ids({ search: '12' }), ids({ search: 's_a' })]).toEqual([
      ['a.2'],
      ['a.1'],
      [],
    ]);
    expect(ids({ since: '2026-02-28' })).toEqual([]);
    for (const none of ['yesterday', '2026-02-31', '2026-02-31T00:00:00Z', '2026-02-1x', '2026']) {
      expect(() => ids({ since: none })).toThrow(
        expect.objectContaining({
          code: 'usage.invalid',
          message: expect.stringContaining('2026-01-31T12:00:00Z') as string,
        }),
      );
    }
  });

  test('counts runs by status, whatever status the page is of', async () => {
    const { directory } = await given([
      run('a.1', 1, busy),
      run('a.2', 2, ended('completed')),
      run('a.3', 3, ended('completed')),
      run('b.1', 4, ended('failed')),
      run('a.2~1', 5, { ...busy, identity: { parent: 'a.2' } }),
    ]);
    expect(directory.list({ counts: true, limit: 1 }).counts).toEqual({
      running: 1,
      completed: 2,
      failed: 1,
    });
    const page = directory.list({ counts: true, workflow: 'a', status: 'running' });
    expect([page.counts, page.items.length]).toEqual([{ running: 1, completed: 2 }, 1]);
    expect(directory.list({ counts: true, children: true }).counts).toMatchObject({ running: 2 });
    expect(directory.list({})).not.toHaveProperty('counts');
  });

  test('who waits for an event is listed with what and since when, the longest first', async () => {
    const waits = (second: number, part: Part = {}): Part => ({
      accepts: ['approved'],
      state: 'asking',
      stateSince: at(second),
      ...part,
    });
    const { model } = await given([
      run('a.1', 1, waits(30)),
      run('a.2', 2, waits(10, timers(Date.parse(at(99))))),
      run('acme.b.1', 3, waits(20, { identity: { tenant: 'acme', workflow: 'b' } })),
      run('a.3~1', 4, waits(25, { identity: { parent: 'a.3' } })),
      run('a.busy', 5, waits(1, busy)),
      run('a.paused', 6, waits(1, { paused: 'no money' })),
      run('a.done', 7, waits(1, ended('completed'))),
      run('a.stuck', 8, { stateSince: at(1) }),
    ]);
    const { gates } = runSummaries.queries(model);
    expect(gates({}).items.map(({ run: id, since }) => [id, since])).toEqual([
      ['a.2', at(10)],
      ['acme.b.1', at(20)],
      ['a.3~1', at(25)],
      ['a.1', at(30)],
    ]);
    expect(gates({ limit: 1 }).items).toEqual([
      {
        run: 'a.2',
        tenant: 'default',
        workflow: 'a',
        state: 'asking',
        events: ['approved'],
        since: at(10),
        dueAt: at(99),
      },
    ]);
    expect(gates({ tenant: 'acme' }).items.map(({ run: id }) => id)).toEqual(['acme.b.1']);
    expect(gates({ workflow: 'a', limit: 2 }).items.at(-1)).toMatchObject({ parent: 'a.3' });
    const first = gates({ limit: 3 });
    expect(gates({ cursor: first.nextCursor! }).items.map(({ run: id }) => id)).toEqual(['a.1']);
    expect(() => gates({ cursor: 'x' })).toThrow(
      expect.objectContaining({ code: 'usage.invalid' }),
    );
  });

  test('a cursor that is none is refused', async () => {
    const { directory } = await given([]);
    for (const cursor of ['x', '', 'bm90aGluZw', '%%%']) {
      expect(() => directory.list({ cursor })).toThrow(
        expect.objectContaining({ code: 'usage.invalid' }),
      );
    }
  });

  test('who owes is found, the oldest first, and nobody who only waits for a signal', async () => {
    const { directory } = await given([
      run('a.busy', 5, busy),
      run('a.deadline', 4, { accepts: ['approved'], ...timers(4_000) }),
      run('a.sleeps', 3, timers(3_000)),
      run('a.retries', 2, { books: { ...noBooks, steps: { 'draft#1': 2_000 } } }),
      run('a.waits', 1, { accepts: ['approved'] }),
      run('a.done', 1, ended('completed')),
      run('a.paused', 1, { paused: 'no money', ...busy }),
      run('a.quarantined', 1, { quarantined: 'it diverges', ...busy }),
      run('a.last-words', 6, {
        ...ended('completed'),
        books: { ...noBooks, signals: ['a.last-words/1'] },
      }),
      run('a.paused-parent', 7, {
        paused: 'no money',
        books: { ...noBooks, children: ['a.paused-parent~1'] },
      }),
    ]);
    expect([...directory.owing()]).toEqual([
      { run: 'a.retries', busy: true, dueAt: 2_000 },
      { run: 'a.sleeps', busy: false, dueAt: 3_000 },
      { run: 'a.deadline', busy: false, dueAt: 4_000 },
      { run: 'a.busy', busy: true, dueAt: undefined },
      { run: 'a.last-words', busy: true, dueAt: undefined },
      { run: 'a.paused-parent', busy: true, dueAt: undefined },
    ]);
  });

  test('more runs than a page owe, and each is named once', async () => {
    const { directory } = await given(
      Array.from({ length: 2_500 }, (_, n) =>
        run(`a.${n}`, n % 3, n % 5 === 0 ? {} : timers(n + 1)),
      ),
    );
    const runs = Array.from(directory.owing(), (owing) => owing.run);
    expect([runs.length, new Set(runs).size]).toEqual([2_000, 2_000]);
  });

  test('a mistyped id finds the one that was meant', async () => {
    const { directory } = await given([
      run('review.report-42', 1),
      run('review.report-7', 2),
      run('critique.sea-1', 3),
      run('critique.sea-1~2', 4, { identity: { parent: 'critique.sea-1' } }),
    ]);
    expect(directory.nearest('review.report-43')[0]).toBe('review.report-42');
    expect(directory.nearest('review.rep')).toEqual(
      expect.arrayContaining(['review.report-42', 'review.report-7']),
    );
    expect(directory.nearest('critic.sea-1')).toEqual(['critique.sea-1']);
    expect(directory.nearest('critique.sea-1~3')[0]).toBe('critique.sea-1~2');
    expect(directory.nearest('xyz')).toEqual([]);
  });
});
