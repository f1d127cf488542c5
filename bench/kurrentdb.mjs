/**
 * `npm run bench:kurrentdb [-- <connection string>] [-- --rounds N]`: what the KurrentDB adapter costs over the raw client,
 * and W1 through it with the share of each layer; one JSON line a measurement. Without a server it measures a gateway
 * over the embedded store, in a process of its own.
 *
 * Rounds are interleaved, since machines are noisy: read the differences of one round before the figures.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { rounded, spread } from './measure.mjs';

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '3' } },
  allowPositionals: true,
});
const child = join(dirname(fileURLToPath(import.meta.url)), 'kurrentdb-child.mjs');
const folder = await mkdtemp(join(tmpdir(), 'ecl-bench-'));

/** Starts a process of the benchmark; its first line is what it has to say. */
const start = (...args) => {
  const worker = spawn(process.execPath, [child, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = new Promise((resolve, reject) => {
    let text = '';
    worker.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(JSON.parse(text.split('\n')[0]));
    });
    worker.on('close', () => reject(new Error(`${args[0]} said nothing`)));
  });
  return { worker, said };
};

/** The next one begins when it is gone: what a process leaves behind is part of its cost. */
const measure = async (...args) => {
  const { worker, said } = start(...args);
  const ended = new Promise((resolve) => worker.on('exit', resolve));
  const figures = await said;
  await ended;
  return figures;
};

/** Microseconds of processor time of another process; 0 where it is on another machine. */
const processorMicroseconds = (pid) => {
  if (pid === undefined) return 0;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return 10_000 * (Number(fields[11]) + Number(fields[12]));
};

const openServer = async () => {
  if (positionals[0] !== undefined) return { connectionString: positionals[0], stop: () => {} };
  const { worker, said } = start('gateway', join(folder, 'gateway'));
  const { connectionString } = await said;
  return { connectionString, pid: worker.pid, stop: () => worker.kill('SIGKILL') };
};

const machine = { node: process.version, cpu: cpus()[0].model, cores: cpus().length };
const print = (measurement, figures) =>
  process.stdout.write(`${JSON.stringify({ measurement, ...figures, ...machine })}\n`);

const server = await openServer();
const results = { appends: [], reads: [], engine: [], w1: [], serverMicroseconds: [] };
try {
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const place = [server.connectionString, join(folder, `round-${round}`)];
    results.appends.push(await measure('appends', ...place));
    results.reads.push(await measure('reads', ...place));
    results.engine.push(await measure('engine', ...place));
    const before = processorMicroseconds(server.pid);
    const w1 = await measure('w1', ...place);
    results.w1.push(w1);
    results.serverMicroseconds.push((processorMicroseconds(server.pid) - before) / w1.runs);
  }
} finally {
  server.stop();
  await rm(folder, { recursive: true, force: true });
}

const of = (name, pick) => spread(results[name].map(pick));
const subject = positionals[0] === undefined ? 'gateway over the embedded store' : 'server';

print('one append of one event, one after the other, ms', {
  subject,
  client: {
    p50: of('appends', (each) => each.client.p50),
    p99: of('appends', (each) => each.client.p99),
  },
  adapter: {
    p50: of('appends', (each) => each.adapter.p50),
    p99: of('appends', (each) => each.adapter.p99),
  },
  difference: of('appends', (each) => each.adapter.p50 - each.client.p50),
});
print('appends of four events, 64 in flight, a second', {
  subject,
  client: of('appends', (each) => each.clientPerSecond),
  adapter: of('appends', (each) => each.adapterPerSecond),
});
print('a journal of ten events read, one after the other, ms', {
  subject,
  client: {
    p50: of('reads', (each) => each.client.p50),
    p99: of('reads', (each) => each.client.p99),
  },
  adapter: {
    p50: of('reads', (each) => each.adapter.p50),
    p99: of('reads', (each) => each.adapter.p99),
  },
});

const engine = spread(results.engine.map((each) => each.cpuMicroseconds)).median;
const whole = spread(results.w1.map((each) => each.cpuMicroseconds)).median;
const onServer = spread(results.serverMicroseconds).median;
print('W1, 64 in flight', {
  subject,
  perSecond: of('w1', (each) => each.perSecond),
  appendsOfACall: of('w1', (each) => each.appendsOfACall),
  processorMicrosecondsOfARun: {
    engine: rounded(engine),
    adapterAndClient: rounded(whole - engine),
    ...(server.pid === undefined ? {} : { gatewayAndItsStore: rounded(onServer) }),
  },
});
