import { describe, expect, it } from 'vitest';
import { testFlows } from './flows.ts';
import { checkHistory } from './history.ts';
import { ModelServer } from './model-server.ts';
import { temporaryFolder, worker } from './processes.ts';
import { isSoak, randomOf, seedOf } from '../random.ts';

const lanes = 2;
const killsPerLane = (isSoak ? 1000 : 200) / lanes;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for a random number of calls and a little longer: so runs get on however slow the machine is. */
const someTime = async (server: ModelServer, random: () => number): Promise<void> => {
  let left = Math.floor(random() * 16);
  const patience = pause(5000);
  const called = new Promise<void>((resolve) => {
    server.onCall = () => {
      left -= 1;
      if (left <= 0) resolve();
      return true;
    };
    if (left === 0) resolve();
  });
  await Promise.race([called, patience]);
  await pause(random() * 50);
};

/** One process with four runs at a time, killed again and again, then left to end them all. */
const lane = async (seed: number): Promise<{ kills: number; repeated: number; ended: number }> => {
  const random = randomOf(seed);
  const server = await ModelServer.start();
  server.latencyMs = () => random() * 20;
  const folder = temporaryFolder();
  const env = { ...server.env, ECL_TEST_MODEL: 'bare' };
  try {
    for (let kill = 0; kill < killsPerLane; kill += 1) {
      const child = worker(['four', folder], { env });
      // One in eight dies while it starts.
      if (random() < 0.125) await pause(random() * 400);
      else {
        await child.line('ready');
        await someTime(server, random);
      }
      child.kill();
      const { signal, stderr } = await child.exit;
      if (signal !== 'SIGKILL') throw new Error(`it ended by itself: ${stderr}`);
    }
    const last = await worker(['finish', folder], { env }).exit;
    expect(last, last.stderr).toMatchObject({ code: 0 });
    const { ends, repeated } = await checkHistory(folder, await testFlows(), server.calls);
    const started = Number(last.lines.at(-1)?.split(' ')[1]);
    const completed = [...ends.values()].filter((type) => type === 'RunCompleted');
    expect(completed).toHaveLength(started);
    return { kills: killsPerLane, repeated, ended: started };
  } finally {
    await server.stop();
  }
};

describe(`${lanes * killsPerLane} SIGKILLs at random moments`, () => {
  it(
    'lose no run, and make no call again that was journaled',
    async () => {
      const seed = seedOf();
      const again = `ECL_SEED=${seed} npx vitest run test/durability/random-kills.test.ts`;
      try {
        const results = await Promise.all(
          Array.from({ length: lanes }, (_, number) => lane(seed + number)),
        );
        for (const { kills, repeated, ended } of results) {
          expect(ended).toBeGreaterThan(4);
          // Of four runs each has one call in flight.
          expect(repeated).toBeLessThanOrEqual(4 * kills);
        }
      } catch (error) {
        throw new Error(`seed=${seed} repro: ${again}`, { cause: error });
      }
    },
    isSoak ? 3_600_000 : 900_000,
  );
});
