/** One measurement in a process of its own: `node bench/child.mjs <name> <folder> [<number>]`; one JSON line on stdout. */
import { createEcl } from 'ecl';
import { openBareJournal } from './bare-journal.mjs';
import { inFlight, latencies, peakRssMiB, quantile } from './measure.mjs';
import { parked, w1, w2, w3 } from './workloads.mjs';

const [name, folder, number = '0'] = process.argv.slice(2);
const count = Number(number);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const open = (workflows) => createEcl({ store: `sqlite:${folder}`, model: noModel, workflows });

/** Steps of the workloads call no model. */
const noModel = { id: 'none', isLanguageModel: false, complete: () => {}, stream: () => {} };

let keys = 0;
const runOnce = (ecl, workflow) => async () => {
  const run = await ecl.spawn(workflow, { key: `k${(keys += 1)}`, input: { topic: 'the sea' } });
  return run.result();
};

/** The compiler is still at work during the first thousands of runs, which would be measured otherwise. */
const warmUp = 6000;

const throughput = async (work, flight) => {
  await inFlight(flight, warmUp, work);
  return inFlight(flight, 6000, work);
};

/** Microseconds of the machine's pure transitions in one run of W1: what XState itself takes on this machine, now. */
const transitionsOfW1 = async () => {
  const { durableMachine } = await import('../dist/src/core/durable-machine.js');
  const machine = durableMachine(w1.machine);
  const ids = ['generating', 'critiquing', 'revising', 'checking'].map((state) => `0.w1.${state}`);
  const run = () => {
    let { snapshot } = machine.start({ topic: 'the sea' }, false);
    for (const actorId of ids) {
      const event = { type: `xstate.done.actor.${actorId}`, output: { text: '' }, actorId };
      snapshot = machine.next(snapshot, event, false).snapshot;
    }
    if (snapshot.status !== 'done') throw new Error('the run is not done');
  };
  const slices = Array.from({ length: 5 }, () => {
    const started = performance.now();
    for (let n = 0; n < 3000; n += 1) run();
    return ((performance.now() - started) * 1000) / 3000;
  });
  return Math.min(...slices);
};

const measurements = {
  bare: async () => {
    const bare = openBareJournal(folder);
    const at64 = await throughput(bare.run, 64);
    const at256 = await throughput(bare.run, 256);
    const one = await latencies(500, bare.run);
    say({ at64, at256, one, durability: bare.durability });
    bare.close();
  },
  w1: async () => {
    const ecl = await open([w1]);
    const work = runOnce(ecl, w1);
    const at64 = await throughput(work, 64);
    const at256 = await throughput(work, 256);
    const one = await latencies(500, work);
    const { durability } = await ecl.describeStore();
    const peak = peakRssMiB();
    say({ at64, at256, one, durability, peakRssMiB: peak, transitions: await transitionsOfW1() });
    await ecl.close();
  },
  w2: async () => {
    const ecl = await open([w2]);
    const signal = async () => {
      const run = await ecl.spawn(w2, { key: `k${(keys += 1)}`, input: { topic: 'the sea' } });
      await run.rest();
      const started = performance.now();
      await run.send({ type: 'go' });
      await run.result();
      return performance.now() - started;
    };
    for (let n = 0; n < 300; n += 1) await signal();
    const taken = [];
    for (let n = 0; n < 500; n += 1) taken.push(await signal());
    say({ p50: quantile(taken, 0.5), p99: quantile(taken, 0.99) });
    await ecl.close();
  },
  w3: async () => {
    const ecl = await open([w3]);
    const once = async () => {
      const at = [];
      const run = await ecl.spawn(w3, { key: `k${(keys += 1)}` });
      run.subscribe(() => at.push(performance.now()));
      const started = performance.now();
      await run.result();
      const first = at[99] - at[0];
      const last = at.at(-1) - at.at(-100);
      return { ms: performance.now() - started, lastToFirst: last / first };
    };
    await once();
    say(await once());
    await ecl.close();
  },
  park: async () => {
    const ecl = await open([w2]);
    for (let n = 0; n < count; n += 1) {
      const run = await ecl.spawn(w2, { key: `p${n}`, input: { topic: 'the sea' } });
      await run.rest();
    }
    say({ parked: count });
    setInterval(() => {}, 1000);
  },
  resume: async () => {
    const started = performance.now();
    const ecl = await open([w2]);
    const opened = performance.now() - started;
    await Promise.all(
      Array.from({ length: count }, async (_, n) => {
        const run = await ecl.get(`w2.p${n}`);
        await run.send({ type: 'go' });
        await run.result();
      }),
    );
    say({ opened, ms: performance.now() - started });
    await ecl.close();
  },
  parkMany: async () => {
    const ecl = await open([parked]);
    await inFlight(256, count, async () => {
      await ecl.spawn(parked, { key: `m${(keys += 1)}` });
    });
    say({ parked: count, peakRssMiB: peakRssMiB() });
    await ecl.close();
  },
  startMany: async () => {
    const started = performance.now();
    const ecl = await open([parked]);
    const ms = performance.now() - started;
    const { items } = await ecl.list({ status: 'waiting', limit: 1 });
    say({ ms, found: items.length, peakRssMiB: peakRssMiB() });
    await ecl.close();
  },
};

await measurements[name]();
