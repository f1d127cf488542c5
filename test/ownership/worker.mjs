/**
 * One of several processes on one server: `node worker.mjs <connection string> <folder of artifacts> <tenant>`. It runs
 * the built package as a user would, and is told what to start line by line:
 *
 *   start <key> <essay | naps>     a run of its own, through this process
 *   signal <key> <n>               to a run of `naps`
 */
import { mkdtempSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pino from 'pino';
import { createEcl } from 'ecl';
import { all, naps } from './flows.mjs';

const built = (path) => import(new URL(`../../dist/src/${path}`, import.meta.url).href);
const [connectionString, folder, tenant] = process.argv.slice(2);
const say = (...words) => writeSync(1, `${words.join(' ')}\n`);

const { openKurrentDbEventStore } = await built('adapters/kurrentdb/event-store.js');
const { createFilesystemArtifactStore } = await built('adapters/filesystem/artifact-store.js');
const { openSqliteReadStore } = await built('adapters/sqlite/read-store.js');

const events = await openKurrentDbEventStore({ connectionString });
const append = events.append.bind(events);
events.append = async (...each) => {
  try {
    return await append(...each);
  } catch (error) {
    if (error.code === 'store.check-failed') say('refused', each[0].stream);
    throw error;
  }
};

const ecl = await createEcl({
  store: {
    events,
    artifacts: createFilesystemArtifactStore({ folder }),
    // Its own: a process that is stopped in the middle of a commit would hold up the others of this machine.
    reads: await openSqliteReadStore({ folder: mkdtempSync(join(folder, 'reads-')) }),
  },
  model: 'anthropic:claude-test',
  workflows: all,
  logger: pino({ level: process.env.ECL_TEST_LOG ?? 'fatal' }, pino.destination(2)),
});

const commands = {
  start: async (key, name) => {
    const input = name === 'essay' ? { topic: `the sea of #${tenant}-${key}#` } : {};
    await ecl.spawn(name, { key, tenant, input });
    say('started', key);
  },
  signal: async (key, n) => {
    const run = await ecl.get(`${tenant}.${naps.id}.${key}`);
    await run.send({ type: 'note', n: Number(n) }, { id: `${key}/${n}` });
    say('signalled', key, n);
  },
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const [command, ...args] = line.split(' ');
  commands[command](...args).catch((error) => say('failed', line, error.code ?? error.message));
});

process.on('SIGTERM', () => {
  void ecl.close().then(() => {
    say('closed');
    process.exit(0);
  });
});

say('ready', process.pid, ecl.system.services.writer);
