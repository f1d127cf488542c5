/** One process with four runs at a time, killed again and again at random moments, then left to end them all. */
import { expect } from 'vitest';
import { randomOf } from '../random.ts';
import { testFlows } from './flows.ts';
import { checkHistory, type SharedPlace } from './history.ts';
import { ModelServer } from './model-server.ts';
import { temporaryFolder, worker } from './processes.ts';
import { sharedEnv } from './sweep.ts';

export interface LaneOptions {
  readonly seed: number;
  readonly kills: number;
  /** A store that others share. @default the database of a folder of its own */
  readonly shared?: Omit<SharedPlace, 'folder'>;
}

export interface Lane {
  readonly kills: number;
  /** Calls that were made more than once. */
  readonly repeated: number;
  /** Runs that were started, all of which completed. */
  readonly ended: number;
}

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

export const lane = async ({ seed, kills, shared }: LaneOptions): Promise<Lane> => {
  const random = randomOf(seed);
  const server = await ModelServer.start();
  server.latencyMs = () => random() * 20;
  const folder = temporaryFolder();
  const env = { ...server.env, ...sharedEnv(shared), ECL_TEST_MODEL: 'bare' };
  const place = shared === undefined ? folder : { ...shared, folder };
  try {
    for (let kill = 0; kill < kills; kill += 1) {
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
    const { ends, repeated } = await checkHistory(place, await testFlows(), server.calls);
    const started = Number(last.lines.at(-1)?.split(' ')[1]);
    const completed = [...ends.values()].filter((type) => type === 'RunCompleted');
    expect(completed).toHaveLength(started);
    return { kills, repeated, ended: started };
  } finally {
    await server.stop();
  }
};
