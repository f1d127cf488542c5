// Builds dist/ from nothing: a stale file of an earlier build must not survive a rename.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
const result = spawnSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'],
  { stdio: 'inherit' },
);
if (result.status !== 0) process.exit(result.status ?? 1);
const bin = 'dist/src/cli/bin.js';
if (existsSync(bin)) chmodSync(bin, 0o755);
