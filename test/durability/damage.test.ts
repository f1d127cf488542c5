import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createEcl, type Ecl } from 'ecl';
import { openDatabase } from '../../src/adapters/sqlite/driver.ts';
import { notes } from '../runtime/machines.ts';
import { temporaryFolder } from './processes.ts';

const keys = Array.from({ length: 20 }, (_, n) => `n${n}`);
const damagedRun = 'notes.n7';

const open = (folder: string): Promise<Ecl> =>
  createEcl({
    store: `sqlite:${folder}`,
    model: 'rules',
    workflows: [notes],
    logger: pino({ level: 'silent' }),
  });

/** Changes rows of one journal behind the store's back, as a failing disk or a hand would. */
const damage = (folder: string, change: string, where = ''): void => {
  const database = openDatabase(join(folder, 'events.db'), { busyTimeoutMs: 1000 });
  const id = database
    .prepare('SELECT id FROM streams WHERE name = ?')
    .get(`run-default.${damagedRun}`);
  database.exec('DROP TRIGGER events_are_never_changed');
  database.exec(`UPDATE appends SET ${change} WHERE stream = ${String(id?.['id'])} ${where}`);
  database.close();
};

const filled = async (): Promise<string> => {
  const folder = temporaryFolder();
  const ecl = await open(folder);
  for (const key of keys) {
    const run = await ecl.spawn(notes, { key });
    for (const what of ['one', 'two', 'three']) await run.send({ type: 'note', what });
  }
  await ecl.close();
  return folder;
};

const damages: Record<string, (folder: string) => void> = {
  'a letter of a payload is another': (folder) =>
    damage(folder, `body = replace(body, '"two"', '"owt"')`),
  'an append is at another revision': (folder) =>
    damage(folder, 'revision = revision + 1', 'AND revision > 4'),
  'a row cannot be read': (folder) => damage(folder, `head = 'x'`, 'AND revision > 4'),
};

describe('a journal that is damaged on the disk', () => {
  for (const [what, harm] of Object.entries(damages)) {
    it.each(['kept', 'lost'])(
      `is named, and stops its own run only: ${what}; read models %s`,
      async (models) => {
        const folder = await filled();
        harm(folder);
        for (const suffix of models === 'kept' ? [] : ['', '-wal', '-shm']) {
          rmSync(join(folder, `read-models.db${suffix}`), { force: true });
        }
        const ecl = await open(folder);
        const document = await (await ecl.get(damagedRun)).document();
        expect(document).toMatchObject({
          id: damagedRun,
          status: 'quarantined',
          error: { code: 'run.quarantined', details: { revision: expect.any(Number) } },
        });
        for (const key of keys.filter((each) => `notes.${each}` !== damagedRun)) {
          const run = await ecl.get(`notes.${key}`);
          await run.send({ type: 'end' });
          expect(await run.result()).toEqual(['one', 'two', 'three']);
        }
        const { ok, runs } = await ecl.verify();
        expect(ok).toBe(false);
        const bad = runs.filter(({ result }) => result === 'fault');
        expect(bad.map((each) => each.run)).toEqual([damagedRun]);
        await ecl.close();
        const again = await open(folder);
        expect((await (await again.get(damagedRun)).document()).status).toBe('quarantined');
        await again.close();
      },
    );
  }
});
