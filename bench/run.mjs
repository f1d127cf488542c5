/**
 * `npm run bench [-- --rounds N] [-- --quick]`: measures the engine against a bare journal on this machine, and prints
 * one JSON line a measurement. Rounds are interleaved, each in a fresh process and folder, since machines are noisy:
 * read the ratio to the bare journal of the same round before the figure.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { rounded, spread } from './measure.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    parked: { type: 'string', default: '100000' },
  },
});
const rounds = values.quick ? 1 : Number(values.rounds);
const manyParked = values.quick ? 10_000 : Number(values.parked);
const child = join(dirname(fileURLToPath(import.meta.url)), 'child.mjs');

/** Runs a measurement; with `kill` its process is killed as soon as it has answered. */
const measure = (name, folder, { count = 0, kill = false } = {}) =>
  new Promise((resolve, reject) => {
    const worker = spawn(process.execPath, [child, name, folder, String(count)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    worker.stdout.on('data', (chunk) => {
      text += chunk;
      if (kill && text.includes('\n')) worker.kill('SIGKILL');
    });
    worker.on('close', () => {
      if (text.trim() === '') reject(new Error(`the measurement ${name} printed nothing`));
      else resolve(JSON.parse(text));
    });
  });

const inFolder = async (work) => {
  const folder = await mkdtemp(join(tmpdir(), 'ecl-bench-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const machine = { node: process.version, cpu: cpus()[0].model, cores: cpus().length };
const print = (measurement, figures) =>
  process.stdout.write(`${JSON.stringify({ measurement, ...figures, ...machine })}\n`);

const results = { bare: [], w1: [], w2: [], w3: [], resumed: [] };
for (let round = 0; round < rounds; round += 1) {
  results.bare.push(await inFolder((folder) => measure('bare', folder)));
  results.w1.push(await inFolder((folder) => measure('w1', folder)));
  results.w2.push(await inFolder((folder) => measure('w2', folder)));
  results.w3.push(await inFolder((folder) => measure('w3', folder)));
  results.resumed.push(
    await inFolder(async (folder) => {
      await measure('park', folder, { count: 1000, kill: true });
      return measure('resume', folder, { count: 1000 });
    }),
  );
}

const of = (kind, pick) => spread(results[kind].map(pick));
const ratios = (at) =>
  spread(results.w1.map((w1, round) => w1[at].perSecond / results.bare[round][at].perSecond));
const { durability } = results.w1[0];

for (const at of ['at64', 'at256']) {
  const flight = Number(at.slice(2));
  const unit = 'runs/s';
  const bare = of('bare', (each) => each[at].perSecond);
  print(`bare journal, ${flight} in flight`, {
    unit,
    ...bare,
    durability: results.bare[0].durability,
  });
  print(`W1, ${flight} in flight`, {
    unit,
    ...of('w1', (each) => each[at].perSecond),
    ratioToBare: ratios(at),
    cpuMicrosecondsPerRun: of('w1', (each) => each[at].cpuMicroseconds).median,
    durability,
  });
}
print("XState's own transitions in one run of W1", {
  unit: 'microseconds',
  ...of('w1', (each) => each.transitions),
});
for (const kind of ['bare', 'w1']) {
  print(`${kind === 'bare' ? 'bare journal' : 'W1'}, one at a time`, {
    unit: 'ms',
    p50: of(kind, (each) => each.one.p50),
    p99: of(kind, (each) => each.one.p99),
  });
}
print('W2, signal to result', {
  unit: 'ms',
  p50: of('w2', (each) => each.p50),
  p99: of('w2', (each) => each.p99),
});
print('W3, 1000 steps in one run', {
  unit: 'ms',
  ...of('w3', (each) => each.ms),
  last100ToFirst100: of('w3', (each) => each.lastToFirst),
});
print('1000 runs parked, SIGKILL, start, all done', {
  unit: 'ms',
  ...of('resumed', (each) => each.ms),
});
print('peak memory of W1 at 256', { unit: 'MiB', ...of('w1', (each) => each.peakRssMiB) });

const many = await inFolder(async (folder) => {
  await measure('parkMany', folder, { count: manyParked });
  return measure('startMany', folder);
});
print(`start with ${manyParked} parked runs`, {
  unit: 'ms',
  median: rounded(many.ms),
  peakRssMiB: many.peakRssMiB,
  runsFound: many.found > 0,
});
