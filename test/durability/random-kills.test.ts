import { describe, expect, it } from 'vitest';
import { isSoak, seedOf } from '../random.ts';
import { lane } from './lane.ts';

const lanes = 2;
const killsPerLane = (isSoak ? 1000 : 200) / lanes;

describe(`${lanes * killsPerLane} SIGKILLs at random moments`, () => {
  it(
    'lose no run, and make no call again that was journaled',
    async () => {
      const seed = seedOf();
      const again = `ECL_SEED=${seed} npx vitest run test/durability/random-kills.test.ts`;
      try {
        const results = await Promise.all(
          Array.from({ length: lanes }, (_, number) =>
            lane({ seed: seed + number, kills: killsPerLane }),
          ),
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
