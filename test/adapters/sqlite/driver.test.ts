import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadDriver, openDatabase } from '../../../src/adapters/sqlite/driver.ts';
import { runProcess, temporary } from './temporary.ts';

const { root } = temporary();

test('without any driver the error says what to install', () => {
  expect(() => loadDriver(['no-such-module', 'node:no-such-module'])).toThrow(
    expect.objectContaining({
      code: 'store.unavailable',
      message: expect.stringMatching(/Node 22\.13 or newer.*npm install @photostructure\/sqlite/),
    }),
  );
});

test('the first driver that is there is taken', () => {
  expect(loadDriver(['no-such-module', '@photostructure/sqlite']).name).toBe(
    '@photostructure/sqlite',
  );
});

test('loading the driver prints nothing, warns nobody and leaves warnings as they were', () => {
  const { stdout, stderr } = runProcess('load-driver.ts');
  expect([stdout, stderr]).toEqual(['loaded\n', '']);
});

test('a database speaks SQL', () => {
  const database = openDatabase(join(root, 'a.db'), { busyTimeoutMs: 100 });
  database.exec('CREATE TABLE a (b)');
  expect(database.prepare('INSERT INTO a VALUES (?)').run('é').changes).toBe(1);
  expect(database.prepare('SELECT b FROM a').all()).toMatchObject([{ b: 'é' }]);
  expect(database.prepare('SELECT b FROM a WHERE b = ?').get('x')).toBeUndefined();
  database.close();
});
