/**
 * The process that is killed: `node worker.mjs <mode> <folder> [<argument>…]`. It runs the built package as a user
 * would; only its event store is wrapped, to end the process at an exact append.
 */
import { writeSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { createEcl } from 'ecl';
import { all, essay, notes, waits } from './flows.mjs';

const built = (path) => import(new URL(`../../dist/src/${path}`, import.meta.url).href);
const [mode, folder, ...args] = process.argv.slice(2);

const say = (...words) => writeSync(1, `${words.join(' ')}\n`);
const die = () => {
  process.kill(process.pid, 'SIGKILL');
  // The signal may take a moment; nothing may happen in it.
  for (;;);
};

const maxRssMiB = () => Math.round(process.resourceUsage().maxRSS / 1024);

/** Called before and after each append. */
let boundary = () => {};

/** A KurrentDB that is shared with everybody, or the database of the folder. */
const openEvents = async () => {
  const connectionString = process.env.ECL_TEST_STORE;
  if (connectionString === undefined) {
    const { openSqliteEventStore } = await built('adapters/sqlite/event-store.js');
    return openSqliteEventStore({ folder });
  }
  const { openKurrentDbEventStore } = await built('adapters/kurrentdb/event-store.js');
  return openKurrentDbEventStore({ connectionString });
};

/** Of all runs of this test, where others share the store. */
const ours =
  process.env.ECL_TEST_TENANT === undefined ? {} : { tenant: process.env.ECL_TEST_TENANT };

/** The database of the read models, which ends the process at the nth statement that may change it. */
const openMortal = async (nth) => {
  const { openDatabase } = await built('adapters/sqlite/driver.js');
  let left = nth;
  const count = () => {
    left -= 1;
    if (left === 0) die();
  };
  return (...args) => {
    const database = openDatabase(...args);
    return {
      exec: (sql) => {
        count();
        database.exec(sql);
      },
      prepare: (sql) => {
        const statement = database.prepare(sql);
        return {
          run: (...parameters) => {
            count();
            return statement.run(...parameters);
          },
          get: (...parameters) => statement.get(...parameters),
          all: (...parameters) => statement.all(...parameters),
        };
      },
      close: () => database.close(),
    };
  };
};

const openReads = async () => {
  const { openSqliteReadStore } = await built('adapters/sqlite/read-store.js');
  const nth = process.env.ECL_TEST_DIE_AT;
  if (nth === undefined) return openSqliteReadStore({ folder });
  return openSqliteReadStore({ folder, openDatabase: await openMortal(Number(nth)) });
};

const openStores = async () => {
  const { createFilesystemArtifactStore } = await built('adapters/filesystem/artifact-store.js');
  const events = await openEvents();
  const append = events.append.bind(events);
  events.append = async (each, options) => {
    boundary('before', each);
    const result = await append(each, options);
    boundary('after', each);
    return result;
  };
  return {
    events,
    artifacts: createFilesystemArtifactStore({ folder: join(folder, 'artifacts') }),
    reads: await openReads(),
  };
};

/** Speaks to the provider of the test without an SDK: for tests of many starts, which wait for nothing else. */
const bareModel = () => {
  const complete = ({ messages, output }) =>
    new Promise((resolve, reject) => {
      const post = request(process.env.ECL_ANTHROPIC_BASE_URL, { method: 'POST' }, (response) => {
        let text = '';
        response.on('data', (chunk) => (text += chunk));
        response.on('end', () => {
          const [content] = JSON.parse(text).content;
          const usage = { inputTokens: 10, outputTokens: 5 };
          resolve({ model: 'bare', text: content.text, toolCalls: [], stopReason: 'end', usage });
        });
      });
      post.on('error', reject);
      post.end(JSON.stringify({ messages, output }));
    });
  return { id: 'bare', isLanguageModel: true, complete };
};

const claude = `anthropic:${process.env.ECL_TEST_MODEL ?? 'claude-test'}`;

const open = async (options = {}) =>
  createEcl({
    store: await openStores(),
    model: process.env.ECL_TEST_MODEL === 'bare' ? bareModel() : claude,
    workflows: all,
    // Who starts again soon takes over soon: other processes of the test do not live beside it.
    ...(process.env.ECL_TEST_STORE === undefined ? {} : { limits: { leaseBeatMs: 200 } }),
    ...options,
  });

const workflowOf = async (name) => {
  if (name === essay.id)
    return { flow: essay, inputOf: (key) => ({ topic: `the sea of #${key}#` }) };
  const machines = await import(new URL('../../dist/machines/index.js', import.meta.url).href);
  const flow = Object.values(machines).find((each) => each?.id === name);
  return { flow, inputOf: (key) => JSON.parse(process.env.ECL_TEST_INPUT.replaceAll('$key', key)) };
};

const start = (ecl, { flow, inputOf }, key) =>
  ecl.spawn(flow, { key, input: inputOf(key), ...ours });

const keepFour = async (ecl) => {
  const { items } = await ecl.list({ workflow: essay.id, limit: 1000, ...ours });
  let next = items.length;
  const lane = async (first) => {
    if (first !== undefined) await (await ecl.get(first)).result();
    for (;;) {
      const key = `k${(next += 1)}`;
      await (await start(ecl, await workflowOf(essay.id), key)).result();
    }
  };
  const open4 = items.filter(({ status }) => status === 'running').map(({ id }) => id);
  say('ready', process.pid);
  await Promise.all(Array.from({ length: 4 }, (_, number) => lane(open4[number])));
};

const modes = {
  /** Ends the run of the kill before, then starts one that is killed at its nth append. */
  sweep: async (name, nth, when) => {
    const target = await workflowOf(name);
    const ecl = await open({ workflows: [target.flow] });
    const n = Number(nth);
    if (n > 1) await (await start(ecl, target, `${when}-${n - 1}`)).result();
    const key = `${when}-${n}`;
    let count = 0;
    boundary = (side, { stream }) => {
      if (!stream.startsWith('run-') || !stream.endsWith(`.${key}`)) return;
      // On a bad network an append may fail and be tried again: only what got this far counts.
      if (side === when) count += 1;
      if (count === n) die();
    };
    say('ready', process.pid);
    await (await start(ecl, target, key)).result();
    say('complete');
    await ecl.close();
  },

  /** Keeps four runs going until it is killed. */
  four: async () => keepFour(await open()),

  /** The same with all read models folded as it lives, and one more run that waits for a person. */
  followed: async (n) => {
    const ecl = await open();
    ecl.readModels.caughtUp().catch(() => {});
    await ecl.spawn(notes, { key: `n${n}`, ...ours });
    await keepFour(ecl);
  },

  /** Starts many runs, and closes when it is asked to. */
  many: async (count) => {
    const ecl = await open();
    const stop = async () => {
      await ecl.close();
      say('closed');
      process.exit(0);
    };
    process.on('SIGTERM', () => void stop());
    const target = await workflowOf(essay.id);
    for (let n = 1; n <= Number(count); n += 1) await start(ecl, target, `k${n}`);
    say('ready', process.pid);
  },

  /** Ends all that was started; when it is followed, with all read models caught up. */
  finish: async (followed) => {
    const ecl = await open();
    say('ready', process.pid);
    const { items } = await ecl.list({ limit: 1000, ...ours });
    const live = items.filter(({ status }) => status === 'running');
    for (const { id } of live) await (await ecl.get(id)).result();
    if (followed !== undefined) await ecl.readModels.caughtUp();
    say('complete', items.length);
    await ecl.close();
  },

  /** Starts runs and signals them, and prints each acknowledgement. */
  acks: async (seed, lanes = '4', runs = 'Infinity') => {
    const ecl = await open();
    say('ready', process.pid);
    const lane = async (number) => {
      for (let n = 0; n < Number(runs); n += 1) {
        const run = await ecl.spawn(notes, { key: `${seed}-${number}-${n}` });
        say('spawned', run.id);
        for (let signal = 0; signal < 5; signal += 1) {
          const { revision } = await run.send({ type: 'note', signal });
          say('sent', run.id, revision);
        }
        const { revision } = await run.send({ type: 'end' });
        say('sent', run.id, revision);
      }
    };
    await Promise.all(Array.from({ length: Number(lanes) }, (_, index) => lane(index + 1)));
    await ecl.close();
  },

  /** Signals a run at fixed moments, as another process does at the same ones. */
  signals: async (run, name, ...numbers) => {
    const [count, startAt, everyMs] = numbers.map(Number);
    const ecl = await open();
    const handle = await ecl.get(run);
    say('ready', process.pid);
    const lane = async (n) => {
      const at = startAt + n * everyMs;
      await new Promise((resolve) => setTimeout(resolve, at - Date.now() - 2));
      while (Date.now() < at);
      try {
        const { revision } = await handle.send({ type: 'note', signal: `${name}-${n}` });
        say('sent', `${name}-${n}`, revision);
      } catch (error) {
        say('refused', `${name}-${n}`, error.code);
      }
    };
    await Promise.all(Array.from({ length: count }, (_, n) => lane(n)));
    await ecl.close();
  },

  /** Starts one run that waits, and says when it woke. */
  timer: async (delayMs) => {
    const ecl = await open();
    const run = await ecl.spawn(waits, { key: 'a', input: { delayMs: Number(delayMs) } });
    say('ready', process.pid);
    await run.result();
    say('woke', Date.now());
    await ecl.close();
  },

  /** Starts many runs that wait for a signal and for a timer far away. */
  park: async (count) => {
    const ecl = await open();
    say('ready', process.pid);
    const input = { delayMs: 365 * 86_400_000 };
    let next = 0;
    const lane = async () => {
      while (next < Number(count)) await ecl.spawn(waits, { key: `p${(next += 1)}`, input });
    };
    await Promise.all(Array.from({ length: 256 }, lane));
    say('complete', maxRssMiB());
    await ecl.close();
  },

  /** Starts beside many waiting runs, and ends a few of them. */
  wake: async (count) => {
    const before = performance.now();
    const ecl = await open();
    say('ready', Math.round(performance.now() - before));
    for (let n = 1; n <= Number(count); n += Math.ceil(count / 50)) {
      const run = await ecl.get(`waits.p${n}`);
      await run.send({ type: 'stop' });
      await run.result();
    }
    say('complete', maxRssMiB(), ecl.system.size);
    await ecl.close();
  },

  /** Holds the store until it is killed. */
  hold: async () => {
    const ecl = await open();
    const run = await ecl.spawn(notes, { key: 'held' });
    say('ready', process.pid);
    for (;;) {
      await run.send({ type: 'note' });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
};

await modes[mode](...args);
