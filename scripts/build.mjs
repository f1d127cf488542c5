/**
 * Builds dist/.
 *
 *   node scripts/build.mjs              from nothing, types checked: a stale file must not survive a rename
 *   node scripts/build.mjs --if-stale   nothing where no source is newer; npm runs `prepare` more often than it installs
 *   node scripts/build.mjs --no-check   types not checked
 *
 * The new dist/ takes the place of the old one by a rename: a process that starts meanwhile sees one of them whole, and a
 * build that is killed leaves the old one.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const sources = ['src', 'machines', 'projections'];
const settings = ['package.json', 'tsconfig.json', 'tsconfig.build.json'];
const entry = 'src/index.js';
const bin = 'src/cli/bin.js';
const has = (flag) => process.argv.includes(flag);

/** A folder is as new as the last file that was taken from it. */
const newestSource = () => {
  const within = sources.flatMap((folder) =>
    readdirSync(folder, { recursive: true }).map((file) => join(folder, file)),
  );
  return Math.max(...[...within, ...sources, ...settings].map((file) => statSync(file).mtimeMs));
};

const isStale = () =>
  [entry, bin].some((file) => !existsSync(join('dist', file))) ||
  statSync(join('dist', entry)).mtimeMs < newestSource();

const isAlive = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
};

/** What builds have left behind that were killed. */
const sweep = () => {
  for (const name of readdirSync('.')) {
    const [, pid] = /^\.dist-(\d+)(-old)?$/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(name, { recursive: true, force: true });
  }
};

const build = () => {
  const fresh = `.dist-${process.pid}`;
  const old = `${fresh}-old`;
  const startedAt = new Date();
  try {
    const flags = ['-p', 'tsconfig.build.json', '--outDir', fresh];
    if (has('--no-check')) flags.push('--noCheck');
    const tsc = ['node_modules/typescript/bin/tsc', ...flags];
    const { status } = spawnSync(process.execPath, tsc, { stdio: 'inherit' });
    if (status !== 0) return status ?? 1;
    chmodSync(join(fresh, bin), 0o755);
    // A source that was edited while it was built is newer than what was built.
    utimesSync(join(fresh, entry), startedAt, startedAt);
    if (existsSync('dist')) renameSync('dist', old);
    renameSync(fresh, 'dist');
    return 0;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
};

if (!has('--if-stale') || isStale()) {
  sweep();
  process.exitCode = build();
}
