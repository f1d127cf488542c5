import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { all, code, events, idsOf } from '../../contracts/event-store/kit.ts';
import { killed, printed, startProcess, temporary } from './temporary.ts';

const { folder } = temporary();

test('a second writer in another process is refused, naming the first, until that is killed', async () => {
  const at = folder();
  const holder = startProcess('hold-store.ts', at, '2');
  const pid = Number((await printed(holder, 'holding')).split(' ')[1]);
  const refusal = expect.objectContaining({
    code: 'store.locked',
    message: `The store ${at} is held by another process (pid ${pid})`,
    details: { store: at, holder: ` (pid ${pid})`, pid },
  });
  await expect(openSqliteEventStore({ folder: at })).rejects.toThrow(refusal);
  await expect(openSqliteEventStore({ folder: at })).rejects.toThrow(refusal);

  const reader = await openSqliteEventStore({ folder: at, access: 'read' });
  expect(idsOf(await all(reader.readStream('held')))).toEqual(['held-0', 'held-1']);

  await killed(holder);
  expect(idsOf(await all(reader.readStream('held')))).toEqual(['held-0', 'held-1']);
  const writer = await openSqliteEventStore({ folder: at });
  await writer.append({ stream: 'held', expectedRevision: 1, events: events(1) });
  expect(await reader.lastRevision('held')).toBe(2);
  await reader.close();
  await writer.close();
});

test('a reader opened after a writer was killed reads all that it had committed', async () => {
  const at = folder();
  const holder = startProcess('hold-store.ts', at, '20');
  await printed(holder, 'holding');
  await killed(holder);
  const wal = readFileSync(join(at, 'events.db-wal'));
  expect(wal.length).toBeGreaterThan(0);
  const bytes = readFileSync(join(at, 'events.db'));
  const reader = await openSqliteEventStore({ folder: at, access: 'read' });
  expect(await all(reader.readStream('held'))).toHaveLength(20);
  expect(await reader.lastPosition()).toBe(20n);
  await reader.close();
  expect(readFileSync(join(at, 'events.db'))).toEqual(bytes);
  expect(readFileSync(join(at, 'events.db-wal'))).toEqual(wal);
});

test('a second writer in the same process is refused, and let in after the first has closed', async () => {
  const at = folder();
  const first = await openSqliteEventStore({ folder: at });
  await expect(openSqliteEventStore({ folder: at })).rejects.toThrow(code('store.locked'));
  await first.append({ stream: 'a', expectedRevision: 'no-stream', events: events(1) });
  await first.close();
  expect(existsSync(join(at, 'lock.pid'))).toBe(false);
  const second = await openSqliteEventStore({ folder: at });
  expect(await second.lastRevision('a')).toBe(0);
  await second.close();
});

test('a pid that is left over from a dead process is not believed', async () => {
  const at = folder();
  const first = await openSqliteEventStore({ folder: at });
  writeFileSync(join(at, 'lock.pid'), 'no pid');
  await expect(openSqliteEventStore({ folder: at })).rejects.toThrow(
    expect.objectContaining({ details: { store: at, holder: '' } }),
  );
  await first.close();
  writeFileSync(join(at, 'lock.pid'), '1');
  const second = await openSqliteEventStore({ folder: at });
  await second.close();
});
