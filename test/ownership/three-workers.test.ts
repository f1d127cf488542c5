/**
 * Three processes on one server, of which one is killed and one is stopped for a while, again and again: nothing lost,
 * nothing recorded twice, and nothing recorded by a process that did not own the run at that place of the log.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import pino from 'pino';
import { createEcl, type Ecl } from 'ecl';
import { createFilesystemArtifactStore } from '../../src/adapters/filesystem/artifact-store.ts';
import { openKurrentDbEventStore } from '../../src/adapters/kurrentdb/event-store.ts';
import { createMemoryReadStore } from '../../src/adapters/memory/read-store.ts';
import { ModelServer } from '../durability/model-server.ts';
import { run, type Running } from '../durability/processes.ts';
import { namedServer, sharedServer, uniqueName } from '../kurrentdb/server.ts';
import { isSoak, randomOf, seedOf } from '../random.ts';
import { LogWitness } from './log-witness.ts';

const rounds = isSoak ? 200 : namedServer === undefined ? 2 : 10;
/** 300 runs and more at full length; a default run has fewer, since the processes share two cores with other tests. */
const runsPerRound = isSoak || namedServer !== undefined ? 100 : 75;
/** The others wait for signals and a timer. */
const isEssay = (n: number): boolean => n % 8 === 0;
const stopMs = { short: 1_000, long: 7_000 };
const timeLimitMs = isSoak ? 3 * 3_600_000 : 200_000 * rounds;

const script = fileURLToPath(new URL('worker.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ecl-three-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const server = sharedServer();
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Worker {
  readonly process: Running;
  writer: string;
}

/** The workers, and what they have acknowledged. */
class Crew {
  readonly workers: Worker[] = [];
  readonly acknowledged = new Set<string>();
  readonly writers: string[] = [];
  refused = 0;
  readonly #args: readonly string[];
  readonly #env: Record<string, string>;

  constructor(args: readonly string[], env: Record<string, string>) {
    this.#args = args;
    this.#env = env;
  }

  async hire(): Promise<Worker> {
    const process = run([script, ...this.#args], {
      env: this.#env,
      stdin: true,
      // One may live through all rounds.
      hungMs: timeLimitMs,
      onLine: (line) => {
        if (line.startsWith('refused')) this.refused += 1;
        else this.acknowledged.add(line);
      },
    });
    const writer = (await process.line('ready')).split(' ')[2]!;
    this.writers.push(writer);
    const worker = { process, writer };
    this.workers.push(worker);
    return worker;
  }

  async kill(worker: Worker): Promise<void> {
    this.workers.splice(this.workers.indexOf(worker), 1);
    worker.process.kill('SIGKILL');
    await worker.process.exit;
  }

  /** Asks one after the other, until one has acknowledged: one that was killed has not. */
  async ask(command: string, answer: string, random: () => number): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const at = Math.floor(random() * this.workers.length);
      this.workers[at]?.process.write(command);
      for (let waited = 0; waited < 1_000; waited += 20) {
        if (this.acknowledged.has(answer)) return;
        await pause(20);
      }
    }
    throw new Error(`nobody answered: ${command}`);
  }
}

const startRuns = async (crew: Crew, round: number, random: () => number): Promise<string[]> => {
  const keys = Array.from({ length: runsPerRound }, (_, n) => `r${round}-${n}`);
  await Promise.all(
    keys.map(async (key, n) => {
      await pause(random() * 3_000);
      const name = isEssay(n) ? 'essay' : 'naps';
      await crew.ask(`start ${key} ${name}`, `started ${key}`, random);
      if (name === 'essay') return;
      for (const signal of [1, 2]) {
        await crew.ask(`signal ${key} ${signal}`, `signalled ${key} ${signal}`, random);
      }
    }),
  );
  return keys;
};

/** Kills one, stops another and lets it go on; the third works. */
const disturb = async (crew: Crew, round: number, random: () => number): Promise<void> => {
  await pause(500 + random() * 1_000);
  const at = Math.floor(random() * crew.workers.length);
  const [killed, stopped] = [crew.workers[at]!, crew.workers[(at + 1) % crew.workers.length]!];
  stopped.process.kill('SIGSTOP');
  await crew.kill(killed);
  const [, ready] = await Promise.all([
    pause(round % 2 === 0 ? stopMs.long : stopMs.short),
    crew.hire(),
  ]);
  stopped.process.kill('SIGCONT');
  expect(ready.process.pid).toBeGreaterThan(0);
};

const observe = async (connectionString: string): Promise<Ecl> => {
  const { all } = (await import(new URL('flows.mjs', import.meta.url).href)) as { all: never[] };
  return createEcl({
    store: {
      events: await openKurrentDbEventStore({ connectionString }),
      artifacts: createFilesystemArtifactStore({ folder }),
      reads: createMemoryReadStore(),
    },
    workflows: all,
    leaveWork: true,
    logger: pino({ level: 'silent' }),
  });
};

test(
  `three processes, one killed and one stopped ${rounds} times, lose and repeat nothing`,
  async () => {
    const seed = seedOf();
    const random = randomOf(seed);
    console.info(
      `seed ${seed}: ECL_SEED=${seed} npx vitest run test/ownership/three-workers.test.ts`,
    );
    const connectionString = await server();
    const tenant = uniqueName();
    const model = await ModelServer.start();
    model.latencyMs = () => 50 + random() * 400;
    const witness = await LogWitness.on(connectionString, tenant);
    const crew = new Crew([connectionString, folder, tenant], model.env);
    await Promise.all([crew.hire(), crew.hire(), crew.hire()]);
    const keys: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const [started] = await Promise.all([
        startRuns(crew, round, random),
        disturb(crew, round, random),
      ]);
      keys.push(...started);
    }
    const watching = await observe(connectionString);
    const ids = keys.map(
      (key, n) => `${tenant}.${isEssay(n % runsPerRound) ? 'essay' : 'naps'}.${key}`,
    );
    const results: unknown[] = [];
    for (const id of ids) results.push(await (await watching.get(id)).result());
    expect(results).toHaveLength(rounds * runsPerRound);
    for (const [n, result] of results.entries()) {
      if (!isEssay(n % runsPerRound)) expect(new Set(result as number[])).toEqual(new Set([1, 2]));
      else expect((result as { page: string }).page).toContain(`#${tenant}-${keys[n]}#`);
    }
    const closing = crew.workers.map(async ({ process }) => {
      process.kill('SIGTERM');
      expect(await process.exit).toMatchObject({ code: 0 });
    });
    await Promise.all(closing);
    for (const id of ids) expect(await watching.verify(id)).toMatchObject({ ok: true });
    const seen = await witness.end();
    expect(seen.faults).toEqual([]);
    expect(seen.completed).toBe(ids.length);
    // What was under way in a process that was killed or stopped may have been asked again, and nothing else.
    // Runs that somebody else left on the server are finished too, and do not count.
    const calls = model.calls.filter(({ body }) => body.includes(`#${tenant}-`));
    const asked = new Set(calls.map(({ body }) => body)).size;
    expect(seen.replies).toBe(asked);
    console.info(
      `${ids.length} runs, ${crew.refused} late writes refused, ${calls.length - asked} of ${asked} calls repeated, ${seen.takeOvers} leases taken over`,
    );
    if (isSoak) expect(crew.refused).toBeGreaterThan(0);
    await watching.close();
    await model.stop();
  },
  timeLimitMs,
);
