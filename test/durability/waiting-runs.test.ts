import { describe, expect, it } from 'vitest';
import { temporaryFolder, worker } from './processes.ts';
import { isSoak } from '../random.ts';

const count = isSoak ? 100_000 : 5_000;
const env = { ECL_TEST_MODEL: 'bare' };

/** The words after the first of a line. */
const numbersOf = (line: string | undefined): number[] =>
  (line ?? '').split(' ').slice(1).map(Number);

describe(`${count} waiting runs`, () => {
  it(
    'stay on the disk: starting beside them takes under 10 s, and under 500 MiB',
    { timeout: isSoak ? 1_800_000 : 300_000 },
    async () => {
      const folder = temporaryFolder();
      const parked = await worker(['park', folder, String(count)], { env }).exit;
      expect(parked.code, parked.stderr).toBe(0);
      expect(numbersOf(parked.lines.at(-1))[0]).toBeLessThan(500);
      const woken = await worker(['wake', folder, String(count)], { env }).exit;
      expect(woken.code, woken.stderr).toBe(0);
      const [ms] = numbersOf(woken.lines[0]);
      const [mib, actors] = numbersOf(woken.lines.at(-1));
      expect(ms, 'milliseconds to start').toBeLessThan(10_000);
      expect(mib, 'MiB at most').toBeLessThan(500);
      expect(actors, 'actors in memory').toBeLessThan(100);
    },
  );
});
