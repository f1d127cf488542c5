/** What every store of read models does: rows by key, found by columns, changed together with their checkpoint. */
import { afterEach, describe, expect, test } from 'vitest';
import type {
  Condition,
  ReadModel,
  ReadModelDefinition,
  ReadStore,
  Row,
} from '../../src/ports/read-store.ts';

export interface ReadStoreHarness {
  readonly name: string;
  /** An empty store. */
  open(): Promise<ReadStore>;
}

export const runs: ReadModelDefinition = {
  name: 'run-list',
  version: 1,
  columns: { status: 'text', startedAt: 'integer', cost: 'real', parent: 'text' },
  indexes: [['status', 'startedAt'], ['parent']],
};

export const row = (key: string, columns: Row['columns'] = {}, body = '{}'): Row => ({
  key,
  columns: { status: null, startedAt: null, cost: null, parent: null, ...columns },
  body,
});

const keysOf = (rows: readonly Row[]): string[] => rows.map(({ key }) => key);

export const readStoreContract = (harness: ReadStoreHarness): void => {
  describe(`the read store contract: ${harness.name}`, () => {
    let store: ReadStore | undefined;
    const open = async (definition = runs): Promise<ReadModel> => {
      store ??= await harness.open();
      return store.open(definition);
    };
    afterEach(() => {
      store?.close();
      store = undefined;
    });

    const given = async (): Promise<ReadModel> => {
      const model = await open();
      model.commit({
        rows: [
          row('a', { status: 'running', startedAt: 30, cost: 0.5 }),
          row('b', { status: 'failed', startedAt: 10, cost: 1.25, parent: 'a' }),
          row('c', { status: 'running', startedAt: 20 }),
          row('d', { status: 'Completed', startedAt: 20, cost: -1, parent: 'b' }),
        ],
        checkpoint: 7n,
      });
      return model;
    };

    test('a new model is empty and has no checkpoint', async () => {
      const model = await open();
      expect(model.checkpoint()).toBeUndefined();
      expect(model.query()).toEqual([]);
      expect(model.count()).toBe(0);
      expect(model.get('a')).toBeUndefined();
    });

    test('rows come back as they were committed, with the checkpoint', async () => {
      const model = await open();
      const rows = [
        row('a', { status: "it's", startedAt: 2 ** 52, cost: 0.1 }, '{ "n": 1 }'),
        row('b', { status: '', startedAt: -1, cost: 2 }, '"日本 😀"'),
      ];
      model.commit({ rows, checkpoint: 2n ** 60n });
      expect(model.query()).toEqual(rows);
      expect(model.get('b')).toEqual(rows[1]);
      expect(model.checkpoint()).toBe(2n ** 60n);
    });

    test('bodies come in the order of their keys, and none where there is no row', async () => {
      const model = await given();
      expect(model.bodies(['d', 'none', 'a', 'd'])).toEqual(['{}', undefined, '{}', '{}']);
      expect(model.bodies([])).toEqual([]);
      model.commit({ rows: [row('a', {}, '{"n":1}')], checkpoint: 9n });
      expect(model.bodies(['a'])).toEqual(['{"n":1}']);
    });

    test('a commit replaces and removes rows', async () => {
      const model = await given();
      const changed = row('b', { status: 'completed' }, '{"n":2}');
      model.commit({ rows: [changed], removed: ['a', 'unknown'], checkpoint: 9n });
      expect(keysOf(model.query())).toEqual(['b', 'c', 'd']);
      expect(model.get('b')).toEqual(changed);
      expect(model.checkpoint()).toBe(9n);
    });

    test('a row that is both changed and removed is gone', async () => {
      const model = await given();
      model.commit({ rows: [row('a'), row('e')], removed: ['a', 'e'], checkpoint: 8n });
      expect(keysOf(model.query())).toEqual(['b', 'c', 'd']);
    });

    test('a commit without rows moves the checkpoint', async () => {
      const model = await given();
      model.commit({ rows: [], checkpoint: 12n });
      expect([model.checkpoint(), model.count()]).toEqual([12n, 4]);
    });

    test('a commit that is refused changes nothing', async () => {
      const model = await given();
      const wrong = { ...row('f'), columns: { unheardOf: 1 } };
      expect(() => model.commit({ rows: [row('e'), wrong], checkpoint: 8n })).toThrow(
        expect.objectContaining({ code: 'usage.invalid' }),
      );
      expect([model.checkpoint(), model.count()]).toEqual([7n, 4]);
    });

    test('a commit that expects another checkpoint changes nothing and says so', async () => {
      const model = await given();
      const attempt = (expected: bigint | 'none') =>
        model.commit({ rows: [row('e')], removed: ['a'], checkpoint: 8n, expected });
      expect([attempt(6n), attempt(8n), attempt('none')]).toEqual([false, false, false]);
      expect([model.checkpoint(), model.count(), model.get('e')]).toEqual([7n, 4, undefined]);
      expect([attempt(7n), attempt(7n)]).toEqual([true, false]);
      expect([model.checkpoint(), model.count()]).toEqual([8n, 4]);
    });

    test('the first commit expects no checkpoint', async () => {
      const model = await open();
      expect(model.commit({ rows: [], checkpoint: 1n, expected: 0n })).toBe(false);
      expect(model.commit({ rows: [], checkpoint: 1n, expected: 'none' })).toBe(true);
      model.reset();
      expect(model.commit({ rows: [], checkpoint: 1n, expected: 1n })).toBe(false);
      expect(model.commit({ rows: [], checkpoint: 1n, expected: 'none' })).toBe(true);
    });

    test('the newest older version with the same columns can be read', async () => {
      await given();
      const other = { ...runs, version: 2, columns: { status: 'text' }, indexes: [] } as const;
      (await open(other)).commit({ rows: [], checkpoint: 1n });
      const next = { ...runs, version: 3 };
      expect(store?.older(runs)).toBeUndefined();
      expect(store?.older({ ...next, name: 'other' })).toBeUndefined();
      await open(next);
      const older = store?.older(next);
      expect([older?.checkpoint(), older?.count()]).toEqual([7n, 4]);
      expect(older?.get('b')).toEqual((await open()).get('b'));
    });

    test('conditions select rows; null meets only the question for null', async () => {
      const model = await given();
      const cases: [Condition, string[]][] = [
        [{ column: 'status', operator: '=', value: 'running' }, ['a', 'c']],
        [{ column: 'status', operator: '!=', value: 'running' }, ['b', 'd']],
        [{ column: 'startedAt', operator: '<', value: 20 }, ['b']],
        [{ column: 'startedAt', operator: '<=', value: 20 }, ['b', 'c', 'd']],
        [{ column: 'startedAt', operator: '>', value: 20 }, ['a']],
        [{ column: 'cost', operator: '>=', value: 0.5 }, ['a', 'b']],
        [{ column: 'cost', operator: '!=', value: 0.5 }, ['b', 'd']],
        [{ column: 'cost', operator: '=', value: null }, []],
        [{ column: 'cost', operator: 'is-null' }, ['c']],
        [{ column: 'parent', operator: 'is-not-null' }, ['b', 'd']],
        [{ column: 'status', operator: 'in', value: ['failed', 'running'] }, ['a', 'b', 'c']],
        [{ column: 'status', operator: 'in', value: [] }, []],
        [{ column: 'key', operator: '>', value: 'b' }, ['c', 'd']],
        [{ column: 'status', operator: 'like', value: 'c%' }, ['d']],
        [{ column: 'status', operator: 'like', value: '%n_ng' }, ['a', 'c']],
        [{ column: 'status', operator: 'like', value: 'run' }, []],
      ];
      for (const [condition, keys] of cases) {
        expect([condition, keysOf(model.query({ where: [condition] }))]).toEqual([condition, keys]);
        expect(model.count([condition])).toBe(keys.length);
      }
    });

    test('text is found wherever it stands, as it stands, in either case', async () => {
      const model = await open();
      const texts = ['The Sea is wide', '100% sure', 'a_b', "it's", 'äpfel', null];
      const rows = texts.map((status, n) => row(String(n), { status }));
      model.commit({ rows, checkpoint: 1n });
      const found = (value: string): string[] =>
        keysOf(model.query({ where: [{ column: 'status', operator: 'contains', value }] }));
      const asked = ['sea', 'SEA IS', '%', '_', "'", 'pfel', 'no such', ''].map(found);
      const all = ['0', '1', '2', '3', '4'];
      expect(asked).toEqual([['0'], ['0'], ['1'], ['2'], ['3'], ['4'], [], all]);
    });

    test('totals are counted, added up and compared by groups, in the order of the groups', async () => {
      const model = await given();
      expect(model.totals({ by: ['status'], sum: ['startedAt', 'cost'], max: ['cost'] })).toEqual([
        {
          by: { status: 'Completed' },
          count: 1,
          sum: { startedAt: 20, cost: -1 },
          max: { cost: -1 },
        },
        {
          by: { status: 'failed' },
          count: 1,
          sum: { startedAt: 10, cost: 1.25 },
          max: { cost: 1.25 },
        },
        {
          by: { status: 'running' },
          count: 2,
          sum: { startedAt: 50, cost: 0.5 },
          max: { cost: 0.5 },
        },
      ]);
      const where: Condition[] = [{ column: 'startedAt', operator: '=', value: 20 }];
      const parents = model.totals({ where, by: ['startedAt', 'parent'] });
      expect(parents.map(({ by, count }) => [by, count])).toEqual([
        [{ startedAt: 20, parent: null }, 1],
        [{ startedAt: 20, parent: 'b' }, 1],
      ]);
    });

    test('totals of all rows are one group, and those of none are none', async () => {
      const model = await given();
      expect(model.totals({ max: ['startedAt'] })).toEqual([
        { by: {}, count: 4, sum: {}, max: { startedAt: 30 } },
      ]);
      const where: Condition[] = [{ column: 'status', operator: '=', value: 'paused' }];
      expect([model.totals({ where }), model.totals({ where, by: ['parent'] })]).toEqual([[], []]);
      expect(() => model.totals({ sum: ['unheardOf'] })).toThrow(
        expect.objectContaining({ code: 'usage.invalid' }),
      );
    });

    test('a fixed column stays as it was written first, until the row is removed', async () => {
      const model = await open({ ...runs, fixed: ['startedAt', 'parent'] });
      const write = (startedAt: number, status: string, removed: string[] = []): void => {
        model.commit({ rows: [row('a', { startedAt, status })], removed, checkpoint: 1n });
      };
      write(1, 'running');
      write(2, 'failed');
      expect(model.get('a')?.columns).toMatchObject({ startedAt: 1, status: 'failed' });
      model.commit({ rows: [], removed: ['a'], checkpoint: 2n });
      write(3, 'running');
      expect(model.get('a')?.columns).toMatchObject({ startedAt: 3, status: 'running' });
    });

    test('all conditions hold for a row that is found', async () => {
      const model = await given();
      const where: Condition[] = [
        { column: 'status', operator: '=', value: 'running' },
        { column: 'startedAt', operator: '<', value: 30 },
      ];
      expect(keysOf(model.query({ where }))).toEqual(['c']);
      expect(model.count(where)).toBe(1);
    });

    test('rows come in the order asked for, equal ones by key, in pages', async () => {
      const model = await given();
      const order = (...orderBy: { column: string; descending?: boolean }[]) =>
        keysOf(model.query({ orderBy }));
      expect(order()).toEqual(['a', 'b', 'c', 'd']);
      expect(order({ column: 'startedAt' })).toEqual(['b', 'c', 'd', 'a']);
      expect(order({ column: 'startedAt', descending: true })).toEqual(['a', 'c', 'd', 'b']);
      expect(order({ column: 'cost' })).toEqual(['c', 'd', 'a', 'b']);
      expect(order({ column: 'status' }, { column: 'key', descending: true })).toEqual([
        'd',
        'b',
        'c',
        'a',
      ]);
      const page = (offset: number) =>
        keysOf(model.query({ orderBy: [{ column: 'startedAt' }], limit: 3, offset }));
      expect([page(0), page(3), page(6)]).toEqual([['b', 'c', 'd'], ['a'], []]);
      expect(model.query({ limit: 0 })).toEqual([]);
    });

    test('rows are read without their bodies where those are not wanted', async () => {
      const model = await given();
      const rows = model.query({ bodies: false, limit: 2 });
      expect(rows).toEqual(model.query({ limit: 2 }).map((each) => ({ ...each, body: '' })));
    });

    test('a name that is no column of the model is refused', async () => {
      const model = await given();
      const column = 'status" = status; DROP TABLE models; --';
      const refusal = expect.objectContaining({ code: 'usage.invalid' });
      expect(() => model.query({ where: [{ column, operator: '=', value: 1 }] })).toThrow(refusal);
      expect(() => model.query({ orderBy: [{ column }] })).toThrow(refusal);
      expect(() => model.count([{ column, operator: 'is-null' }])).toThrow(refusal);
      expect(model.count()).toBe(4);
    });

    test('a definition that cannot be a table is refused', async () => {
      const refused: Partial<ReadModelDefinition>[] = [
        { name: 'Run List' },
        { name: 'a"b' },
        { version: -1 },
        { columns: { key: 'text' }, indexes: [] },
        { columns: { 'a b': 'text' }, indexes: [] },
        { columns: { a: 'text', A: 'text' }, indexes: [] },
        { indexes: [['unheardOf']] },
      ];
      for (const part of refused) {
        await expect(open({ ...runs, ...part })).rejects.toThrow(
          expect.objectContaining({ code: 'usage.invalid' }),
        );
      }
    });

    test('reset empties the model and forgets the checkpoint', async () => {
      const model = await given();
      model.reset();
      expect([model.checkpoint(), model.count()]).toEqual([undefined, 0]);
      model.commit({ rows: [row('z')], checkpoint: 1n });
      expect(keysOf(model.query())).toEqual(['z']);
    });

    test('models are kept apart, also by version, and opened twice are the same', async () => {
      const model = await given();
      const other = await open({ ...runs, name: 'other' });
      const next = await open({ ...runs, version: 2 });
      expect([other.count(), next.count(), next.checkpoint()]).toEqual([0, 0, undefined]);
      const again = await open();
      again.commit({ rows: [row('e')], checkpoint: 8n });
      expect([model.count(), model.checkpoint()]).toEqual([5, 8n]);
    });

    test('a closed store refuses everything', async () => {
      const model = await given();
      const closed = expect.objectContaining({ code: 'store.closed' });
      store?.close();
      for (const call of [
        () => model.checkpoint(),
        () => model.query(),
        () => model.count(),
        () => model.get('a'),
        () => model.bodies(['a']),
        () => model.reset(),
        () => model.commit({ rows: [], checkpoint: 9n }),
        () => store?.open(runs),
      ]) {
        expect(call).toThrow(closed);
      }
    });
  });
};
