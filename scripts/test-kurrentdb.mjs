/**
 * `npm run test:kurrentdb -- [connection string] [--bad-network]`: all tests of the event store in a KurrentDB, at their
 * full length, against a server; without one against the gateways that the tests start.
 *
 * With `--bad-network` they reach it through a proxy that loses the answers of a tenth of the appends and resets a
 * twentieth of the connections. The tests that have a bad network of their own, and those of other clients, stay out.
 *
 * They write to streams and tenants with names of their own, so any server will do. One file runs after the other: the
 * processes of a test would otherwise take over the runs of another.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const through = [
  'test/adapters/kurrentdb/event-store.test.ts',
  'test/kurrentdb/kills.test.ts',
  'test/kurrentdb/two-processes.test.ts',
  'test/ownership/three-servers.test.ts',
  'test/ownership/three-workers.test.ts',
];
const all = ['test/adapters/kurrentdb', 'test/kurrentdb', ...through.slice(3)];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'bad-network': { type: 'boolean', default: false } },
});
const [connectionString] = positionals;
const isBad = values['bad-network'];
const server =
  connectionString === undefined
    ? { ECL_SOAK: process.env.ECL_SOAK ?? '1' }
    : { ECL_TEST_KURRENTDB: connectionString };
const network = isBad ? { ECL_TEST_BAD_NETWORK: '1' } : {};
const files = isBad ? through : all;
const command = ['node_modules/vitest/vitest.mjs', 'run', '--no-file-parallelism', ...files];
const { status, signal } = spawnSync(process.execPath, command, {
  stdio: 'inherit',
  env: { ...process.env, ...server, ...network },
});
process.exitCode = signal === null ? (status ?? 1) : 1;
