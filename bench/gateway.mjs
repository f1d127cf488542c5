/**
 * `npm run bench:gateway [-- <connection string>] [-- --rounds N]`: what a client gets through the gateway, with the real
 * client in this process and `ecl gateway` over a new store in another; one JSON line a measurement. With a connection
 * string it measures that server instead.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { jsonEvent, KurrentDBClient, START, streamNameFilter } from '@kurrent/kurrentdb-client';
import { inFlight, latencies, spread } from './measure.mjs';

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '3' } },
  allowPositionals: true,
});
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = await mkdtemp(join(tmpdir(), 'ecl-bench-'));

const openServer = async () => {
  if (positionals[0] !== undefined) return { connectionString: positionals[0], stop: () => {} };
  const args = ['gateway', '--port', '0', '--json', '--store', `sqlite:${join(folder, 'store')}`];
  const server = spawn(process.execPath, [join(root, 'dist/src/cli/bin.js'), ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const document = await new Promise((resolve, reject) => {
    let text = '';
    server.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.includes('}')) resolve(JSON.parse(text));
    });
    server.on('exit', () => reject(new Error('the gateway ended')));
  });
  return { ...document, stop: () => server.kill('SIGKILL') };
};

const data = { invocation: '0.w1.generating', output: { text: 'x'.repeat(150) } };
const events = (count) => Array.from({ length: count }, () => jsonEvent({ type: 'Noted', data }));

const appends = 6_000;
const eventsRead = 20_000;

const round = async (client, prefix) => {
  let n = 0;
  const append = async (streams) =>
    client.appendToStream(`${prefix}-${(n += 1) % streams}`, events(1), { streamState: 'any' });
  await inFlight(50, 500, () => append(50));
  const pipelined = await inFlight(200, appends, () => append(200));
  const alone = await latencies(300, () => append(1_000_000));
  const long = `${prefix}-long`;
  for (let stored = 0; stored < eventsRead; stored += 1_000) {
    await client.appendToStream(long, events(1_000), { streamState: 'any' });
  }
  const perSecond = async (items, total) => {
    const started = performance.now();
    let seen = 0;
    for await (const _ of items) if ((seen += 1) === total) break;
    return (seen * 1_000) / (performance.now() - started);
  };
  const readStream = await perSecond(client.readStream(long, { maxCount: eventsRead }), eventsRead);
  const readAll = await perSecond(client.readAll({ maxCount: eventsRead }), eventsRead);
  const filter = streamNameFilter({ prefixes: [long] });
  const subscription = client.subscribeToAll({ fromPosition: START, filter });
  const subscribed = await perSecond(subscription, eventsRead);
  await subscription.unsubscribe();
  return { pipelined, alone, readStream, readAll, subscribed };
};

const machine = { node: process.version, cpu: cpus()[0].model, cores: cpus().length };
const print = (measurement, figures) =>
  process.stdout.write(`${JSON.stringify({ measurement, ...figures, ...machine })}\n`);

const server = await openServer();
const client = KurrentDBClient.connectionString(server.connectionString);
const results = [];
try {
  for (let count = 0; count < Number(values.rounds); count += 1) {
    results.push(await round(client, `bench${randomUUID().slice(0, 8)}`));
  }
} finally {
  await client.dispose();
  server.stop();
  await rm(folder, { recursive: true, force: true });
}

const of = (pick) => spread(results.map(pick));
print('gateway: appends of one event, 200 in flight', {
  perSecond: of(({ pipelined }) => pipelined.perSecond),
  clientMicroseconds: of(({ pipelined }) => pipelined.cpuMicroseconds),
});
print('gateway: appends of one event, one at a time', {
  p50: of(({ alone }) => alone.p50),
  p99: of(({ alone }) => alone.p99),
});
print('gateway: events read, readStream', { perSecond: of(({ readStream }) => readStream) });
print('gateway: events read, readAll', { perSecond: of(({ readAll }) => readAll) });
print('gateway: events caught up, filtered subscription to all', {
  perSecond: of(({ subscribed }) => subscribed),
});
process.exit(0);
