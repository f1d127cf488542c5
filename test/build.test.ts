/** The build of the package, on a package of two files: what is there stays until what takes its place is whole. */
import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { on, once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from './durability/processes.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

let folder = '';

const write = (path: string, text: string): void => writeFileSync(join(folder, path), text);
const built = (path = 'src/index.js'): string => readFileSync(join(folder, 'dist', path), 'utf8');
const inode = (): number => statSync(join(folder, 'dist')).ino;

/** As if everything had been there for a while; a time stamp is no finer than the clock. */
const age = (): void => {
  const then = new Date(Date.now() - 60_000);
  const paths = ['src', 'machines', 'projections'].flatMap((each) => [
    each,
    ...readdirSync(join(folder, each), { recursive: true, encoding: 'utf8' }).map((name) =>
      join(each, name),
    ),
  ]);
  const settings = ['package.json', 'tsconfig.json', 'tsconfig.build.json'];
  for (const path of [...paths, ...settings]) utimesSync(join(folder, path), then, then);
};

const build = (...flags: string[]): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, ['scripts/build.mjs', ...flags], { cwd: folder, encoding: 'utf8' });

beforeEach(() => {
  folder = temporaryFolder();
  for (const path of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts']) {
    cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const each of ['src/cli', 'machines', 'projections']) {
    mkdirSync(join(folder, each), { recursive: true });
  }
  write('src/index.ts', 'export const value: number = 1;\n');
  write('src/gone.ts', 'export {};\n');
  write('src/cli/bin.ts', "#!/usr/bin/env node\nconsole.log('hello');\n");
  age();
  expect(build('--if-stale')).toMatchObject({ status: 0 });
});

test('npm prepares again what is built, and it stays as it is', () => {
  const before = inode();
  expect(build('--if-stale')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  expect(inode()).toBe(before);
  expect(statSync(join(folder, 'dist/src/cli/bin.js')).mode & 0o111).toBe(0o111);
});

test('a source that was changed, and one that was deleted, are built again', () => {
  write('src/index.ts', 'export const value: number = 2;\n');
  expect(build('--if-stale')).toMatchObject({ status: 0 });
  expect(built()).toContain('value = 2');

  age();
  rmSync(join(folder, 'src/gone.ts'));
  expect(build('--if-stale')).toMatchObject({ status: 0 });
  expect(() => built('src/gone.js')).toThrow('ENOENT');
});

test('a build that fails leaves the one before', () => {
  write('src/index.ts', "export const value: number = 'two';\n");
  const failed = build();
  expect(failed.status).not.toBe(0);
  expect(failed.stdout).toContain('TS2322');
  expect(built()).toContain('value = 1');
  expect(readdirSync(folder).filter((name) => name.startsWith('.dist-'))).toEqual([]);
});

test('a build that is killed leaves one that is whole, and the next one tidies up', async () => {
  write('src/index.ts', 'export const value: number = 2;\n');
  const watcher = watch(folder);
  const child = spawn(process.execPath, ['scripts/build.mjs'], { cwd: folder, detached: true });
  const exit = once(child, 'exit');
  for await (const [, name] of on(watcher, 'change')) if (name === `.dist-${child.pid}`) break;
  watcher.close();
  process.kill(-child.pid!, 'SIGKILL');
  await exit;
  expect(built()).toMatch(/value = [12]/);
  expect(built('src/cli/bin.js')).toContain('hello');

  expect(build()).toMatchObject({ status: 0 });
  expect(built()).toContain('value = 2');
  expect(readdirSync(folder).filter((name) => name.startsWith('.dist-'))).toEqual([]);
});
