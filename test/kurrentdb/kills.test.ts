/** SIGKILL at every append and call, and at random moments, of processes that keep their runs on a server. */
import { describe, expect, test } from 'vitest';
import { testFlows } from '../durability/flows.ts';
import { lane } from '../durability/lane.ts';
import { sweep, type When } from '../durability/sweep.ts';
import { isSoak, seedOf } from '../random.ts';
import { isBadNetwork, namedServer, sharedServer, uniqueName } from './server.ts';

/** Where nobody waits for the whole suite. */
const isThorough = isSoak || namedServer !== undefined;
const kills = isThorough ? 200 : 3;
const hourMs = 3_600_000;

/** What `essay` appends and calls; a process that takes a run over may append that it began. */
const appends = 14;
const calls = 7;

const server = sharedServer();
const shared = async () => ({ connectionString: await server(), tenant: uniqueName() });

const sweepEssay = async (when: When) => {
  const options = { workflow: 'essay', when, workflows: await testFlows(), shared: await shared() };
  const swept = await sweep(options);
  const ended = [...swept.history.ends.values()].filter((type) => type === 'RunCompleted').length;
  expect(ended).toBe(swept.kills + 1);
  return { kills: swept.kills, repeated: swept.history.repeated };
};

describe.skipIf(!isThorough)(
  'a process killed by SIGKILL and started again (with ECL_SOAK=1)',
  () => {
    test(
      'before each append: only the call whose reply was not stored is made again',
      async () => {
        const swept = await sweepEssay('before');
        expect(swept.kills).toBeGreaterThanOrEqual(appends);
        // What is asked again may have been stored before, so then there is nothing to repeat.
        if (isBadNetwork) expect(swept.repeated).toBeLessThanOrEqual(swept.kills);
        else expect(swept.repeated).toBe(calls);
      },
      hourMs,
    );

    test(
      'after each append, before it is acknowledged: no call is made again',
      async () => {
        const swept = await sweepEssay('after');
        expect(swept.kills).toBeGreaterThanOrEqual(appends);
        expect(swept.repeated).toBe(0);
      },
      hourMs,
    );

    test(
      'during each model call: that call alone is made again, once',
      async () => {
        expect(await sweepEssay('call')).toEqual({ kills: calls, repeated: calls });
      },
      hourMs,
    );
  },
);

test(
  `${kills} SIGKILLs at random moments lose no run, and no journaled call is made again`,
  async () => {
    const seed = seedOf();
    try {
      const { ended, repeated } = await lane({ seed, kills, shared: await shared() });
      expect(ended).toBeGreaterThanOrEqual(4);
      expect(repeated).toBeLessThanOrEqual(4 * kills);
    } catch (error) {
      const again = `ECL_SEED=${seed} npx vitest run test/kurrentdb/kills.test.ts`;
      throw new Error(`seed=${seed} repro: ${again}`, { cause: error });
    }
  },
  hourMs,
);
