/**
 * Builds dist/ when a source is newer, before any test: tests that start processes run the built package, since Node 20
 * runs no TypeScript. Types are not checked here; `npm run types` does that.
 *
 * The new dist/ takes the place of the old one by a rename, so that a process which starts meanwhile sees one of them whole.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const sources = ['src', 'machines', 'projections'];
const settings = ['package.json', 'tsconfig.json', 'tsconfig.build.json'];
const entry = 'dist/src/index.js';

const newestSource = (): number => {
  const files = sources.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  return Math.max(...[...files, ...settings].map((file) => statSync(file).mtimeMs));
};

const isStale = (): boolean => !existsSync(entry) || statSync(entry).mtimeMs < newestSource();

export const setup = (): void => {
  if (!isStale()) return;
  const fresh = `.dist-${process.pid}`;
  const old = `${fresh}-old`;
  try {
    const tsc = 'node_modules/typescript/bin/tsc';
    const flags = ['-p', 'tsconfig.build.json', '--noCheck', '--outDir', fresh];
    const { status } = spawnSync(process.execPath, [tsc, ...flags], { stdio: 'inherit' });
    if (status !== 0) throw new Error('dist/ cannot be built: see `npm run build`');
    const bin = join(fresh, 'src/cli/bin.js');
    if (existsSync(bin)) chmodSync(bin, 0o755);
    if (existsSync('dist')) renameSync('dist', old);
    renameSync(fresh, 'dist');
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
};
