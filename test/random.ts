/** Chance from a seed, so that a failure can be repeated. */

export const randomOf = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** From ECL_SEED, to repeat a failure, or by chance. */
export const seedOf = (): number =>
  Number(process.env['ECL_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Whether to take the time for many more repetitions. */
export const isSoak = process.env['ECL_SOAK'] === '1';
