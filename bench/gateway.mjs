/**
 * `npm run bench:gateway [-- <connection string>] [-- --rounds N]`: what a client gets through the gateway, with the real
 * client in this process and `ecl gateway` over a new store in another; one JSON line a measurement. With a connection
 * string it measures that server instead.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
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

/** Processor time that the server has used so far, in microseconds; NaN where it is not ours. */
const serverMicroseconds = () => {
  if (server.pid === undefined) return Number.NaN;
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return 10_000 * (Number(fields[11]) + Number(fields[12]));
};

/** What `work` gives, with the processor time of both sides for each of `total`. */
const withCost = async (total, work) => {
  const [own, serversOwn] = [process.cpuUsage(), serverMicroseconds()];
  const perSecond = await work();
  const { user, system } = process.cpuUsage(own);
  return {
    perSecond,
    client: (user + system) / total,
    server: (serverMicroseconds() - serversOwn) / total,
  };
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
  const pipelined = await withCost(appends, async () => {
    const { perSecond } = await inFlight(200, appends, () => append(200));
    return perSecond;
  });
  const alone = await latencies(300, () => append(1_000_000));
  const long = `${prefix}-long`;
  for (let stored = 0; stored < eventsRead; stored += 1_000) {
    await client.appendToStream(long, events(1_000), { streamState: 'any' });
  }
  const perSecond = (items, total) =>
    withCost(total, async () => {
      const started = performance.now();
      let seen = 0;
      for await (const _ of items) if ((seen += 1) === total) break;
      return (seen * 1_000) / (performance.now() - started);
    });
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

const printRates = (measurement, pick) => {
  const of = (name) => spread(results.map((result) => pick(result)[name]));
  print(measurement, {
    perSecond: of('perSecond'),
    clientMicroseconds: of('client'),
    serverMicroseconds: of('server'),
  });
};
printRates('gateway: appends of one event, 200 in flight', ({ pipelined }) => pipelined);
print('gateway: appends of one event, one at a time', {
  p50: spread(results.map(({ alone }) => alone.p50)),
  p99: spread(results.map(({ alone }) => alone.p99)),
});
printRates('gateway: events read, readStream', ({ readStream }) => readStream);
printRates('gateway: events read, readAll', ({ readAll }) => readAll);
printRates(
  'gateway: events caught up, filtered subscription to all',
  ({ subscribed }) => subscribed,
);
process.exit(0);
