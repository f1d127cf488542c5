/**
 * `npm run bench:read-models [-- --events N] [-- --folder F]`: fills a store with runs of a reviewed draft (four model calls
 * each, some waiting for a person), forgets all read models, and measures how fast they are folded again and how long
 * answers take. One JSON line a measurement. A folder that is given is kept, and filled only once.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEcl } from 'ecl';
import { inFlight, latencies, peakRssMiB, rounded } from './measure.mjs';
import { reviewed } from './workloads.mjs';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    folder: { type: 'string' },
    samples: { type: 'string', default: '500' },
  },
});
const events = Number(values.events);
const samples = Number(values.samples);
const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'ecl-bench-')));

const text = 'y'.repeat(200);
const model = {
  id: 'bench',
  isLanguageModel: false,
  complete: () =>
    Promise.resolve({
      model: 'bench',
      text,
      toolCalls: [],
      stopReason: 'end',
      usage: { inputTokens: 500, outputTokens: 60 },
    }),
};

const machine = { node: process.version, cpu: cpus()[0].model, cores: cpus().length };
const say = (measurement, figures) =>
  process.stdout.write(`${JSON.stringify({ measurement, ...figures, ...machine })}\n`);

const open = (options = {}) =>
  createEcl({ store: `sqlite:${folder}`, model, workflows: [reviewed], ...options });

const eventsOfRun = 19;
const runs = Math.ceil(events / eventsOfRun);

const fill = async () => {
  const ecl = await open();
  let made = 0;
  await inFlight(128, runs, async () => {
    made += 1;
    const input = { topic: `topic ${made} of the sea`, waits: made % 20 === 0 };
    const run = await ecl.spawn(reviewed, { key: `k${made}`, input });
    await run.rest();
  });
  await ecl.close();
};

const forget = async () => {
  for (const suffix of ['', '-wal', '-shm']) {
    await rm(join(folder, `read-models.db${suffix}`), { force: true });
  }
};

const timed = async (work) => {
  const started = performance.now();
  const cpu = process.cpuUsage();
  const result = await work();
  const used = process.cpuUsage(cpu);
  return { result, ms: performance.now() - started, cpuMs: (used.user + used.system) / 1000 };
};

/** The time of the processor beside that of the wall: on a busy machine the two are far apart. */
const speed = ({ ms, cpuMs }, events) => ({
  unit: 'events/s',
  events,
  ms: rounded(ms),
  perSecond: Math.round((events * 1000) / ms),
  perCpuSecond: Math.round((events * 1000) / cpuMs),
});

const last = async (ecl) => {
  let position = 0n;
  for await (const each of ecl.system.services.store.readAll({
    direction: 'backwards',
    limit: 1,
  })) {
    ({ position } = each);
  }
  return Number(position);
};

if (!existsSync(join(folder, 'events.db'))) await fill();
await forget();

const opened = await timed(() => open());
const ecl = opened.result;
const stored = await last(ecl);
say('catch-up of run-summaries, with the start', speed(opened, stored));
const others = await timed(() => ecl.readModels.caughtUp());
say('catch-up of run-timeline, model-usage and artifacts together', speed(others, stored));

const anyRun = () => `reviewed.k${1 + Math.floor(Math.random() * runs)}`;

let cursor;
const answers = {
  'a page of the newest runs': () => ecl.list(),
  'a page of runs of a status': () => ecl.list({ status: 'waiting' }),
  'a page of runs of a workflow, after another': async () => {
    const page = await ecl.list({
      workflow: 'reviewed',
      ...(cursor === undefined ? {} : { cursor }),
    });
    cursor = page.nextCursor;
  },
  'a page with counts by status': () => ecl.list({ counts: true }),
  'a page of runs with a text that many have': () => ecl.list({ search: 'sea' }),
  'a page of pending gates': () => ecl.gates({ limit: 50 }),
  'status of a run: document, timeline and usage': async () => {
    const id = anyRun();
    await (await ecl.get(id)).document();
    await ecl.timeline(id);
    await ecl.usage({ run: id });
  },
  'usage by model and day': () => ecl.usage({ by: ['model', 'day'] }),
};
for (const [name, ask] of Object.entries(answers)) {
  for (let n = 0; n < 20; n += 1) await ask();
  const { p50, p99 } = await latencies(samples, ask);
  say(name, { unit: 'ms', events: stored, p50: rounded(p50), p99: rounded(p99) });
}
const rare = await timed(() => ecl.list({ search: 'no such text' }));
say('a search that finds nothing reads all runs', { unit: 'ms', ms: rounded(rare.ms), runs });
say('peak memory', { unit: 'MiB', value: peakRssMiB() });
await ecl.close();
if (values.folder === undefined) await rm(folder, { recursive: true, force: true });
