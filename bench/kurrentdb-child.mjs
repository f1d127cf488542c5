/** One measurement in a process of its own: `node bench/kurrentdb-child.mjs <name> <server | folder> [<folder>]`. */
import { randomUUID } from 'node:crypto';
import { KurrentDBClient, NO_STREAM, START } from '@kurrent/kurrentdb-client';
import { createEcl } from 'ecl';
import pino from 'pino';
import { inFlight, percentiles } from './measure.mjs';
import { w1 } from './workloads.mjs';

const built = (path) => import(new URL(`../dist/src/${path}`, import.meta.url).href);
const [name, connectionString, folder] = process.argv.slice(2);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const logger = pino({ level: 'silent' });
const noModel = { id: 'none', isLanguageModel: false, complete: () => {}, stream: () => {} };
const openEvents = async () => {
  const { openKurrentDbEventStore } = await built('adapters/kurrentdb/event-store.js');
  return openKurrentDbEventStore({ connectionString });
};

const prefix = `bench${randomUUID().slice(0, 8)}`;
let streams = 0;
const newStream = () => `${prefix}-${(streams += 1)}`;

const metadata = {
  $correlationId: 'w1.k1',
  $causationId: randomUUID(),
  tenant: 'default',
  at: '2026-11-24T10:00:00.000Z',
  prev: '0'.repeat(64),
  hash: '0'.repeat(64),
  writer: randomUUID(),
};
const data = { invocation: '0.w1.generating', output: { text: 'x'.repeat(150) } };
const text = JSON.stringify(data);

const clientEvents = (count) =>
  Array.from({ length: count }, () => ({
    id: randomUUID(),
    type: 'StepSucceeded',
    contentType: 'application/json',
    data,
    metadata: { ...metadata, schema: 1 },
  }));
const events = (count) =>
  Array.from({ length: count }, () => ({
    id: randomUUID(),
    type: 'StepSucceeded',
    data: text,
    metadata: { ...metadata, schema: 1 },
  }));

const byClient = (client, count) => () =>
  client.appendToStream(newStream(), clientEvents(count), { streamState: NO_STREAM });
const byAdapter = (store, count) => () =>
  store.append({ stream: newStream(), expectedRevision: 'no-stream', events: events(count) });

/** One after the other, in turns, so that both meet the same machine. */
const inTurns = async (one, other, total) => {
  const slices = 10;
  const taken = { one: [], other: [] };
  for (let slice = 0; slice < slices; slice += 1) {
    for (const [which, work] of [
      ['one', one],
      ['other', other],
    ]) {
      for (let n = 0; n < total / slices; n += 1) {
        const begun = performance.now();
        await work();
        taken[which].push(performance.now() - begun);
      }
    }
  }
  return [percentiles(taken.one), percentiles(taken.other)];
};

let keys = 0;
const runOnce = (ecl) => async () => {
  const run = await ecl.spawn(w1, { key: `${prefix}-${(keys += 1)}`, input: { topic: 'the sea' } });
  return run.result();
};

const warmUp = 1500;
const runs = 3000;

const measurements = {
  /** A server over the embedded store, until it is killed. */
  gateway: async () => {
    const { openSqliteEventStore } = await built('adapters/sqlite/event-store.js');
    const { createSystemClock } = await built('adapters/system/clock.js');
    const { createSystemIdGenerator } = await built('adapters/system/id-generator.js');
    const { startGateway } = await built('kurrent-gateway/gateway.js');
    const store = await openSqliteEventStore({ folder: connectionString });
    const gateway = await startGateway({
      store,
      clock: createSystemClock(),
      ids: createSystemIdGenerator(),
    });
    say({ connectionString: gateway.connectionString });
  },

  appends: async () => {
    const client = KurrentDBClient.connectionString(connectionString);
    const store = await openEvents();
    await inTurns(byClient(client, 1), byAdapter(store, 1), 100);
    const [raw, adapted] = await inTurns(byClient(client, 1), byAdapter(store, 1), 500);
    await inFlight(64, 1000, byClient(client, 4));
    const clientRate = await inFlight(64, 3000, byClient(client, 4));
    await inFlight(64, 1000, byAdapter(store, 4));
    const adapterRate = await inFlight(64, 3000, byAdapter(store, 4));
    say({
      client: raw,
      adapter: adapted,
      clientPerSecond: clientRate.perSecond,
      adapterPerSecond: adapterRate.perSecond,
    });
    await store.close();
    process.exit(0);
  },

  reads: async () => {
    const client = KurrentDBClient.connectionString(connectionString);
    const store = await openEvents();
    const stream = newStream();
    await store.append({ stream, expectedRevision: 'no-stream', events: events(10) });
    const readByClient = async () => {
      let count = 0;
      for await (const { event } of client.readStream(stream, {
        fromRevision: START,
        maxCount: 1000,
      }))
        count += event === undefined ? 0 : 1;
      return count;
    };
    const readByAdapter = async () => {
      let count = 0;
      for await (const { revision } of store.readStream(stream)) count = revision + 1;
      return count;
    };
    await inTurns(readByClient, readByAdapter, 100);
    const [raw, adapted] = await inTurns(readByClient, readByAdapter, 400);
    say({ client: raw, adapter: adapted });
    await store.close();
    process.exit(0);
  },

  /** What the engine takes of a processor without any server. */
  engine: async () => {
    const ecl = await createEcl({ store: 'memory:', model: noModel, workflows: [w1], logger });
    await inFlight(64, warmUp, runOnce(ecl));
    say(await inFlight(64, runs, runOnce(ecl)));
    await ecl.close();
  },

  w1: async () => {
    const { createFilesystemArtifactStore } = await built('adapters/filesystem/artifact-store.js');
    const { createMemoryReadStore } = await built('adapters/memory/read-store.js');
    const store = await openEvents();
    const ecl = await createEcl({
      // Read models in memory, as those of the engine: what is compared is the store.
      store: {
        events: store,
        artifacts: createFilesystemArtifactStore({ folder }),
        reads: createMemoryReadStore(),
      },
      model: noModel,
      workflows: [w1],
      logger,
    });
    await inFlight(64, warmUp, runOnce(ecl));
    const counts = async () => (await store.describe()).details;
    const before = await counts();
    const figures = await inFlight(64, runs, runOnce(ecl));
    const after = await counts();
    const appendsOfACall = (after.appends - before.appends) / (after.calls - before.calls);
    say({ ...figures, appendsOfACall, runs: runs + warmUp });
    await ecl.close();
    process.exit(0);
  },
};

await measurements[name]();
