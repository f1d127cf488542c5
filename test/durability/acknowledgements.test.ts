import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createEcl } from 'ecl';
import { run, temporaryFolder, worker } from './processes.ts';
import { isSoak, randomOf, seedOf } from '../random.ts';

const lanes = 2;
const killsPerLane = isSoak ? 100 : 15;
const env = { ECL_TEST_MODEL: 'bare' };
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Highest revision that was acknowledged, by run. */
const acknowledged = (lines: readonly string[], into: Map<string, number>): void => {
  for (const line of lines) {
    const [what, id = '', revision = '0'] = line.split(' ');
    if (what === 'spawned' || what === 'sent') into.set(id, Number(revision));
  }
};

const lane = async (seed: number): Promise<number> => {
  const random = randomOf(seed);
  const folder = temporaryFolder();
  const expected = new Map<string, number>();
  for (let kill = 0; kill < killsPerLane; kill += 1) {
    const child = worker(['acks', folder, `${seed}-${kill}`], { env });
    await child.line('sent');
    await pause(random() * 100);
    child.kill();
    acknowledged((await child.exit).lines, expected);
  }
  const logger = pino({ level: 'silent' });
  const ecl = await createEcl({ store: `sqlite:${folder}`, access: 'read', logger });
  const stored = new Map<string, number>();
  for await (const { stream, revision } of ecl.events()) {
    stored.set(stream.replace('run-default.', ''), revision);
  }
  await ecl.close();
  for (const [id, revision] of expected) {
    expect(stored.get(id), `${id} was acknowledged at ${revision}`).toBeGreaterThanOrEqual(
      revision,
    );
  }
  return expected.size;
};

describe('what was acknowledged', () => {
  it(
    `is in the store after SIGKILL, ${lanes * killsPerLane} times`,
    { timeout: 600_000 },
    async () => {
      const seed = seedOf();
      try {
        const counts = await Promise.all(
          Array.from({ length: lanes }, (_, number) => lane(seed + number)),
        );
        expect(Math.min(...counts)).toBeGreaterThan(killsPerLane);
      } catch (error) {
        const again = `ECL_SEED=${seed} npx vitest run test/durability/acknowledgements.test.ts`;
        throw new Error(`seed=${seed} repro: ${again}`, { cause: error });
      }
    },
  );
});

const hasStrace = spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0;
const why = hasStrace ? '' : ' (skipped: strace is not here, or may not trace)';

/** System calls of a trace, each once and where it ended. */
const callsOf = (trace: string): { name: string; path: string; text: string }[] => {
  const open = new Map<string, string>();
  const calls: { name: string; path: string; text: string }[] = [];
  for (const line of trace.split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const unfinished = rest.endsWith('<unfinished ...>');
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    if (unfinished) open.set(thread, rest.replace('<unfinished ...>', ''));
    if (unfinished) continue;
    const text = resumed === null ? rest : `${open.get(thread) ?? ''}${resumed[1]}`;
    const [, name = '', path = ''] = /^(\w+)\(\d+<([^>]*)>/.exec(text) ?? [];
    if (name !== '') calls.push({ name, path, text });
  }
  return calls;
};

describe(`before an acknowledgement${why}`, () => {
  it.skipIf(!hasStrace)(
    'its append is written to the log, and the log is synced',
    { timeout: 120_000 },
    async () => {
      const folder = temporaryFolder();
      const trace = join(folder, 'trace');
      const script = fileURLToPath(new URL('./worker.mjs', import.meta.url));
      const traced = ['write', 'pwrite64', 'fsync', 'fdatasync'].join();
      const node = [process.execPath, script, 'acks', join(folder, 'store'), 's', '1', '20'];
      const command = ['-f', '-y', '-s', '64', '-e', `trace=${traced}`, '-o', trace, ...node];
      const child = run(command, { env, program: 'strace' });
      const { code, stderr } = await child.exit;
      expect(code, stderr).toBe(0);
      let isSynced = true;
      let appends = 0;
      let acks = 0;
      for (const { name, path, text } of callsOf(readFileSync(trace, 'utf8'))) {
        if (path.endsWith('events.db-wal')) {
          if (name === 'pwrite64') appends += 1;
          isSynced = name !== 'pwrite64';
        }
        if (name !== 'write' || !/"(?:sent|spawned) /.test(text)) continue;
        acks += 1;
        expect(isSynced, `acknowledged before the sync: ${text}`).toBe(true);
        expect(appends, `acknowledged before the append: ${text}`).toBeGreaterThan(0);
        appends = 0;
      }
      expect(acks).toBeGreaterThan(100);
    },
  );
});
