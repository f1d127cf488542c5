import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import * as own from '../../projections/index.ts';
import { createMemoryReadStore } from '../../src/adapters/memory/read-store.ts';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openSqliteReadStore } from '../../src/adapters/sqlite/read-store.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import type { Projection } from '../../src/runtime/projection.ts';
import { RandomRun } from '../projections/random-run.ts';
import { Watched } from './projection-truth.ts';
import { project } from './projector-kit.ts';
import { compileProjectForever } from './projector-process/compile.ts';

/**
 * Starting a process takes its time: by default as many are killed as fit into it, on an idle machine all of them, and
 * on a busy one these few.
 */
const killsMin = 20;
const killsAsked = process.env['ECL_TEST_KILLS'];
const killsMax = Number(killsAsked ?? 200);
const killingMsMax = killsAsked === undefined ? 16_000 : Infinity;
const folder = mkdtempSync(join(tmpdir(), 'ecl-kills-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const projections: readonly Projection<unknown>[] = Object.values(own);

/** A number from 0 to n, the same in every run of the test; how processes interleave is not. */
const random = (() => {
  let seed = 42;
  return (n: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * n);
  };
})();

/** Appends to some runs at a time, one decision after the other, until it is told to stop. */
const write = async (store: EventStore, isOver: () => boolean): Promise<void> => {
  const open: RandomRun[] = [];
  for (let count = 0; !isOver(); await delay(2)) {
    const isFull = open.length >= 12;
    const run = isFull ? open[random(open.length)]! : new RandomRun(`office.k${(count += 1)}`);
    if (!isFull) open.push(run);
    const events = isFull ? run.next({ kind: random(12), pick: random(100_000) }) : run.events;
    if (events.length > 0) {
      const { stream } = events[0]!;
      await store.append({ stream, expectedRevision: 'any', events: [...events] });
    }
    const isLong = run.events.length > 60;
    if (run.state.ending !== undefined || isLong) open.splice(open.indexOf(run), 1);
  }
};

/** A run that every projection has a row of. */
const writeOne = async (store: EventStore): Promise<void> => {
  const run = new RandomRun('office.first');
  const place = { invocation: 'work#1' };
  run.take({ type: 'SignalReceived', data: { id: 's', event: { type: 'work' } } });
  run.take({
    type: 'ArtifactStored',
    data: { ...place, name: 'a', sha256: 'a'.repeat(64), bytes: 1, mediaType: 'text/plain' },
  });
  run.take({
    type: 'ModelReplied',
    data: {
      ...place,
      attempt: 1,
      call: 1,
      request: '',
      model: 'm',
      text: '',
      stopReason: 'end',
      cost: { usd: 0.1 },
      latencyMs: 1,
    },
  });
  const { stream } = run.events[0]!;
  await store.append({ stream, expectedRevision: 'any', events: [...run.events] });
};

/** Starts a projecting process and kills it: before or after it has caught up, at any moment. */
const startAndKill = (script: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const kill = (afterMs: number): void => {
      setTimeout(() => child.kill('SIGKILL'), afterMs);
    };
    let hasCaughtUp = false;
    child.stdout.on('data', () => {
      hasCaughtUp = true;
      kill(random(40));
    });
    if (random(4) === 0) kill(40 + random(120));
    child.on('error', reject);
    child.on('close', (_, signal) => {
      if (signal === 'SIGKILL') resolve(hasCaughtUp);
      else reject(new Error('the process ended by itself'));
    });
  });

test('the rows of a projector that is killed again and again are those of a rebuild, and at every look those of their checkpoint', async () => {
  const compiled = join(folder, 'compiled');
  mkdirSync(compiled);
  const script = compileProjectForever(compiled);
  const store = await openSqliteEventStore({ folder });
  const watching = await openSqliteReadStore({ folder, access: 'read' });
  const watched = projections.map((each) => new Watched(store, watching, each));
  let kills = 0;
  let caughtUp = 0;
  const compare = async (): Promise<void> => {
    for (const each of watched) await each.compare();
  };
  await writeOne(store);
  const killingUntil = performance.now() + killingMsMax;
  const killing = async (): Promise<void> => {
    while (kills < killsMin || (kills < killsMax && performance.now() < killingUntil)) {
      kills += 1;
      if (await startAndKill(script)) caughtUp += 1;
    }
  };
  let isOver = false;
  const isDone = (): boolean => isOver;
  const writing = write(store, isDone);
  const looking = (async () => {
    for (; !isDone(); await delay(300)) await compare();
  })();
  await Promise.all([killing(), killing(), killing()]);
  isOver = true;
  await Promise.all([writing, looking]);
  await compare();

  const reads = await openSqliteReadStore({ folder });
  const last = project({ projections, store, reads });
  const rebuilt = project({ projections, store, reads: createMemoryReadStore() });
  for (const { projector } of [last, rebuilt]) {
    projector.start();
    await projector.caughtUp();
    await projector.close();
  }
  const end = (await store.lastPosition())!;
  const sizes: number[] = [];
  for (const [n, { definition }] of projections.entries()) {
    const rows = reads.open(definition).query();
    expect(rows).toEqual(rebuilt.reads.open(definition).query());
    expect(rows).toEqual(await watched[n]!.truthAt(end));
    sizes.push(rows.length);
  }
  // Some projections follow rare events only, so their rows are few and seldom change.
  const looks = watched.map(({ checkpoints }) => checkpoints.size);
  const isProven = [
    kills >= killsMin,
    caughtUp > kills / 2,
    Math.max(...looks) > 10,
    Math.min(...looks) > 1,
    Math.max(...sizes) > 10,
    Math.min(...sizes) > 0,
  ];
  const said = `${kills} kills, looks: ${looks.join(', ')}, rows: ${sizes.join(', ')}`;
  expect(isProven, said).not.toContain(false);
  for (const each of [reads, watching]) each.close();
  await store.close();
}, 240_000);
