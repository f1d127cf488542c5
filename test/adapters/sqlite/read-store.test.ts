import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSqliteReadStore } from '../../../src/adapters/sqlite/read-store.ts';
import type { ReadStore } from '../../../src/ports/read-store.ts';
import { readStoreContract, row, runs } from '../../contracts/read-store-contract.ts';
import { damage, temporary, withRawDatabase } from './temporary.ts';

const { folder } = temporary();
const open = (at: string, access: 'write' | 'read' = 'write'): Promise<ReadStore> =>
  openSqliteReadStore({ folder: at, access });
const fileOf = (at: string): string => join(at, 'read-models.db');

readStoreContract({ name: 'sqlite', open: () => open(folder()) });

const tablesOf = (at: string): string[] =>
  withRawDatabase(fileOf(at), (database) =>
    database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .all()
      .map(({ name }) => String(name)),
  );

describe('read models in SQLite', () => {
  test('are there after a restart', async () => {
    const at = folder();
    const store = await open(at);
    store.open(runs).commit({ rows: [row('a', { status: 'running' })], checkpoint: 3n });
    store.close();
    const again = await open(at);
    const model = again.open(runs);
    expect(model.checkpoint()).toBe(3n);
    expect(model.query()).toEqual([row('a', { status: 'running' })]);
    again.close();
  });

  test('have real columns and the indexes that were asked for', async () => {
    const at = folder();
    const store = await open(at);
    store.open(runs);
    store.close();
    withRawDatabase(fileOf(at), (database) => {
      const plan = database
        .prepare('EXPLAIN QUERY PLAN SELECT * FROM run_list_v1 WHERE status = ? AND startedAt > ?')
        .all('x', 1);
      expect(JSON.stringify(plan)).toContain('run_list_v1_0');
      expect(() =>
        database.exec("INSERT INTO run_list_v1 (key, startedAt, body) VALUES ('a', 'b', '')"),
      ).toThrow();
    });
  });

  test('keep the old version until the new one has folded as far', async () => {
    const at = folder();
    const first = await open(at);
    first.open(runs).commit({ rows: [row('a')], checkpoint: 10n });
    first.close();
    const store = await open(at);
    const next = store.open({ ...runs, version: 2 });
    next.commit({ rows: [row('a')], checkpoint: 9n });
    expect(tablesOf(at)).toEqual(['models', 'run_list_v1', 'run_list_v2']);
    next.commit({ rows: [row('b')], checkpoint: 10n });
    expect(tablesOf(at)).toEqual(['models', 'run_list_v2']);
    expect(next.count()).toBe(2);
    store.close();
  });

  test('leave a newer version alone when an older one is opened', async () => {
    const at = folder();
    const store = await open(at);
    store.open({ ...runs, version: 2 }).commit({ rows: [], checkpoint: 1n });
    store.open(runs).commit({ rows: [], checkpoint: 5n });
    expect(tablesOf(at)).toEqual(['models', 'run_list_v1', 'run_list_v2']);
    store.close();
  });

  test('are made anew when their definition changed under its version', async () => {
    const at = folder();
    const store = await open(at);
    store.open(runs).commit({ rows: [row('a')], checkpoint: 10n });
    store.close();
    const again = await open(at);
    const model = again.open({ ...runs, columns: { status: 'text' }, indexes: [['status']] });
    expect([model.count(), model.checkpoint()]).toEqual([0, undefined]);
    again.close();
  });

  test('are thrown away when their file is damaged or of an unknown format', async () => {
    const harms: ((path: string) => void)[] = [
      (path) => damage(path, 0),
      (path) => withRawDatabase(path, (database) => database.exec('PRAGMA user_version = 99')),
      (path) => withRawDatabase(path, (database) => database.exec('PRAGMA user_version = 0')),
    ];
    for (const harm of harms) {
      const at = folder();
      const store = await open(at);
      store.open(runs).commit({ rows: [row('a')], checkpoint: 10n });
      store.close();
      harm(fileOf(at));
      const again = await open(at);
      const model = again.open(runs);
      expect([model.count(), model.checkpoint()]).toEqual([0, undefined]);
      model.commit({ rows: [row('b')], checkpoint: 1n });
      expect(model.count()).toBe(1);
      again.close();
    }
  });

  test('damaged in the middle fail clearly, and are made anew at the next start', async () => {
    const at = folder();
    const store = await open(at);
    const body = 'x'.repeat(500);
    const rows = Array.from({ length: 200 }, (_, index) => row(`${index}`, {}, body));
    store.open(runs).commit({ rows, checkpoint: 10n });
    store.close();
    damage(fileOf(at), 4096 * 3);
    const damaged = await open(at);
    expect(() => damaged.open(runs).query()).toThrow(
      expect.objectContaining({ code: 'store.unavailable' }),
    );
    damaged.close();
    const again = await open(at);
    expect(again.open(runs).count()).toBe(0);
    again.close();
  });

  test('are readable and writable for their owner only', async () => {
    const at = folder();
    const umask = process.umask(0);
    try {
      const store = await open(at);
      store.open(runs).commit({ rows: [row('a')], checkpoint: 1n });
      for (const suffix of ['', '-wal', '-shm']) {
        expect(statSync(fileOf(at) + suffix).mode & 0o777).toBe(0o600);
      }
      store.close();
    } finally {
      process.umask(umask);
    }
  });

  test('are empty to a reader until a writer has made them, and then fresh', async () => {
    const at = folder();
    const reader = await open(at, 'read');
    const model = reader.open(runs);
    expect([model.count(), model.checkpoint(), model.get('a')]).toEqual([0, undefined, undefined]);
    expect(existsSync(at)).toBe(false);
    const writer = await open(at);
    expect(model.query()).toEqual([]);
    const written = writer.open(runs);
    written.commit({ rows: [row('a')], checkpoint: 1n });
    expect([model.count(), model.checkpoint()]).toEqual([1, 1n]);
    written.commit({ rows: [row('b')], checkpoint: 2n });
    expect([model.count(), model.checkpoint()]).toEqual([2, 2n]);
    const readOnly = expect.objectContaining({ code: 'store.read-only' });
    expect(() => model.commit({ rows: [], checkpoint: 3n })).toThrow(readOnly);
    expect(() => model.reset()).toThrow(readOnly);
    reader.close();
    writer.close();
  });
});
