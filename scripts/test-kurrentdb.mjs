/**
 * `npm run test:kurrentdb -- <connection string>`: all tests of the event store in a KurrentDB, at their full length,
 * against a server; without an argument against the gateways that the tests start.
 *
 * They write to streams and tenants with names of their own, so any server will do. One file runs after the other: the
 * processes of a test would otherwise take over the runs of another.
 */
import { spawnSync } from 'node:child_process';

const files = [
  'test/adapters/kurrentdb',
  'test/kurrentdb',
  'test/ownership/three-servers.test.ts',
  'test/ownership/three-workers.test.ts',
];

const [connectionString] = process.argv.slice(2);
const server =
  connectionString === undefined
    ? { ECL_SOAK: process.env.ECL_SOAK ?? '1' }
    : { ECL_TEST_KURRENTDB: connectionString };
const command = ['node_modules/vitest/vitest.mjs', 'run', '--no-file-parallelism', ...files];
const { status, signal } = spawnSync(process.execPath, command, {
  stdio: 'inherit',
  env: { ...process.env, ...server },
});
process.exitCode = signal === null ? (status ?? 1) : 1;
