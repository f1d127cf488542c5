import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { all, code, event, events, revisionsOf } from '../../contracts/event-store/kit.ts';
import { damage, temporary, withRawDatabase } from './temporary.ts';

const { folder } = temporary();
const fileOf = (at: string): string => join(at, 'events.db');
const modeOf = (path: string): number => statSync(path).mode & 0o777;

const given = async (at: string, ...counts: number[]): Promise<void> => {
  const store = await openSqliteEventStore({ folder: at });
  for (const count of counts) {
    await store.append({ stream: 'a', expectedRevision: 'any', events: events(count) });
  }
  await store.close();
};

describe('files', () => {
  for (const umask of [0o000, 0o077, 0o022]) {
    test(`belong to their owner only, with umask ${umask.toString(8)}`, async () => {
      const at = join(folder(), 'deeper');
      const before = process.umask(umask);
      try {
        const store = await openSqliteEventStore({ folder: at });
        await store.append({ stream: 'a', expectedRevision: 'no-stream', events: events(1) });
        const files = readdirSync(at);
        expect(files.sort()).toEqual([
          'events.db',
          'events.db-shm',
          'events.db-wal',
          'lock.db',
          'lock.pid',
        ]);
        for (const file of files) expect([file, modeOf(join(at, file))]).toEqual([file, 0o600]);
        expect([modeOf(at), modeOf(dirname(at))]).toEqual([0o700, 0o700]);
        await store.close();
      } finally {
        process.umask(before);
      }
    });
  }

  test('that were open to others are closed to them, but not a folder that was there', async () => {
    const at = folder();
    mkdirSync(at, { mode: 0o755 });
    chmodSync(at, 0o755);
    await given(at, 1);
    chmodSync(fileOf(at), 0o666);
    await given(at, 1);
    expect(modeOf(fileOf(at))).toBe(0o600);
    expect(modeOf(at)).toBe(0o755);
  });
});

test('a place where no folder can be made is refused, not tried for ever', async () => {
  // On Linux /proc says of a new folder that it is not there; elsewhere it may not be made.
  const opened = openSqliteEventStore({ folder: '/proc/no/such/store' });
  await expect(opened).rejects.toMatchObject({ code: 'store.unavailable' });
});

describe('recorded events', () => {
  const raw = (at: string, sql: string) => () =>
    withRawDatabase(fileOf(at), (database) => database.exec(sql));

  test('are neither changed nor deleted nor replaced by anyone with SQL', async () => {
    const at = folder();
    await given(at, 3, 1, 2);
    const before = withRawDatabase(fileOf(at), (database) =>
      database.prepare('SELECT * FROM appends').all(),
    );
    for (const sql of [
      "UPDATE appends SET body = ''",
      'UPDATE appends SET revision = revision + 1',
      'DELETE FROM appends',
      'DELETE FROM appends WHERE position = 1',
      "INSERT OR REPLACE INTO appends VALUES (1, 1, 0, 3, '[]', '')",
      "INSERT OR REPLACE INTO appends VALUES (99, 1, 0, 3, '[]', '')",
      "INSERT INTO appends VALUES (5, 1, 4, 1, '[]', '') ON CONFLICT DO UPDATE SET body = ''",
    ]) {
      expect(raw(at, sql), sql).toThrow();
    }
    const after = withRawDatabase(fileOf(at), (database) =>
      database.prepare('SELECT * FROM appends').all(),
    );
    expect(after).toEqual(before);
  });

  test('leave no gap: a row that does not follow the one before it is refused', async () => {
    const at = folder();
    await given(at, 3);
    for (const values of ['(9, 1, 4, 1)', '(9, 1, 2, 1)', '(2, 1, 3, 1)', '(9, 77, 1, 1)']) {
      const sql = `INSERT INTO appends SELECT *, '[]', '' FROM (VALUES ${values})`;
      expect(raw(at, sql), values).toThrow(/at the end/);
    }
  });

  test('go only below the marker of their stream, which only grows', async () => {
    const at = folder();
    await given(at, 2, 2);
    expect(raw(at, 'DELETE FROM appends WHERE revision = 0')).toThrow(/truncate_before/);
    raw(at, 'UPDATE streams SET truncate_before = 2')();
    raw(at, 'DELETE FROM appends WHERE revision = 0')();
    expect(raw(at, 'DELETE FROM appends WHERE revision = 2')).toThrow(/truncate_before/);
    expect(raw(at, 'UPDATE streams SET truncate_before = 1')).toThrow(/grows/);
    expect(raw(at, "UPDATE streams SET name = 'b'")).toThrow(/names/);
    expect(raw(at, 'DELETE FROM streams')).toThrow(/never deleted/);
    const store = await openSqliteEventStore({ folder: at });
    expect(revisionsOf(await all(store.readStream('a')))).toEqual([2, 3]);
    await store.close();
  });
});

describe('a database', () => {
  test('of a newer format is refused, to writers and readers, and stays as it is', async () => {
    const [made, killed, copied] = [folder(), folder(), folder()];
    await given(made, 2);
    for (const at of [killed, copied]) mkdirSync(at);
    withRawDatabase(fileOf(made), (database) => {
      database.exec('PRAGMA user_version = 2');
      // As a newer process leaves it when it is killed, with a log that is not written back; and as a copy has it.
      for (const suffix of ['', '-wal']) {
        copyFileSync(fileOf(made) + suffix, fileOf(killed) + suffix);
      }
      database.exec(`VACUUM INTO '${fileOf(copied)}'`);
    });
    for (const at of [killed, copied]) {
      const files = readdirSync(at).map((file) => join(at, file));
      const before = files.map((file) => readFileSync(file));
      for (const access of ['write', 'read', 'write'] as const) {
        await expect(openSqliteEventStore({ folder: at, access })).rejects.toThrow(
          expect.objectContaining({
            code: 'store.newer-format',
            details: { store: at, found: 2, known: 1 },
          }),
        );
      }
      expect(files.map((file) => readFileSync(file))).toEqual(before);
    }
  });

  test('of someone else, or none at all, is refused', async () => {
    const at = folder();
    mkdirSync(at);
    withRawDatabase(fileOf(at), (database) => database.exec('CREATE TABLE theirs (a)'));
    await expect(openSqliteEventStore({ folder: at })).rejects.toThrow(/not a database of ECL/);
    const other = folder();
    await given(other, 2);
    damage(fileOf(other), 0);
    for (const access of ['write', 'read'] as const) {
      await expect(openSqliteEventStore({ folder: other, access })).rejects.toThrow(
        code('store.damaged'),
      );
    }
  });

  test('whose creation was interrupted is made when it is opened again', async () => {
    const at = folder();
    mkdirSync(at);
    withRawDatabase(fileOf(at), (database) => database.exec('PRAGMA journal_mode = WAL'));
    const reader = await openSqliteEventStore({ folder: at, access: 'read' });
    expect(await reader.lastPosition()).toBeUndefined();
    await given(at, 1);
    expect(await reader.lastPosition()).toBe(1n);
    await reader.close();
  });
});

describe('a damaged row', () => {
  const harmed = async (change: string): Promise<string> => {
    const at = folder();
    await given(at, 3, 2, 3);
    withRawDatabase(fileOf(at), (database) =>
      database.exec(
        `DROP TRIGGER events_are_never_changed; UPDATE appends SET ${change} WHERE revision = 3`,
      ),
    );
    return at;
  };

  const damages: Record<string, [string, number]> = {
    'a head that is no JSON': ["head = 'x' || head", 3],
    'a head of another shape': ["head = '{}'", 3],
    'a head for fewer events': ['count = 1', 3],
    'an entry that is missing': [
      'head = replace(head, \',[0,"Noted",7,{},"\', \',[0,"Noted","7",{},"\')',
      3,
    ],
    'data that is cut': ['body = substr(body, 2)', 3],
  };
  for (const [what, [change, revision]] of Object.entries(damages)) {
    test(`is named: ${what}`, async () => {
      const at = await harmed(change);
      const store = await openSqliteEventStore({ folder: at });
      const corrupt = expect.objectContaining({
        code: 'store.corrupt',
        details: expect.objectContaining({ stream: 'a', revision }),
      });
      const seen: number[] = [];
      const read = async (): Promise<void> => {
        for await (const one of store.readStream('a')) seen.push(one.revision);
      };
      await expect(read()).rejects.toThrow(corrupt);
      expect(seen).toEqual([0, 1, 2]);
      await expect(all(store.readAll())).rejects.toThrow(corrupt);
      await expect(all(store.subscribe())).rejects.toThrow(corrupt);
      expect(await all(store.readStream('a', { from: 0, limit: 3 }))).toHaveLength(3);
      await store.close();
    });
  }

  test('that is a page of the file names the stream and where it was to be read', async () => {
    const at = folder();
    const store = await openSqliteEventStore({ folder: at });
    for (let index = 0; index < 40; index += 1) {
      const one = event({ data: JSON.stringify('x'.repeat(2_000)) });
      await store.append({ stream: 'a', expectedRevision: 'any', events: [one] });
    }
    await store.close();
    damage(fileOf(at), 4096 * 12);
    const reader = await openSqliteEventStore({ folder: at, access: 'read' });
    await expect(all(reader.readStream('a'))).rejects.toThrow(
      expect.objectContaining({ code: 'store.corrupt', message: expect.stringContaining('a ') }),
    );
    await reader.close();
  });
});
