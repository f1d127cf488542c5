import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { testFlows } from './flows.ts';
import { checkHistory } from './history.ts';
import { temporaryFolder, worker, type Running } from './processes.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const preload = fileURLToPath(new URL('./shifted-clock.mjs', import.meta.url));

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A store whose processes see a wall clock that the test sets. */
class Shifted {
  readonly folder = temporaryFolder();
  readonly #file = join(this.folder, 'clock');
  readonly #start = Date.now();

  constructor() {
    this.set(0);
  }

  /** Sets the clock so many milliseconds from when this was made. */
  set(ms: number, running?: Running): void {
    writeFileSync(this.#file, String(this.#start + ms - Date.now()));
    running?.kill('SIGUSR2');
  }

  async start(delayMs: number): Promise<Running> {
    const env = {
      ECL_TEST_CLOCK: this.#file,
      ECL_TEST_MODEL: 'bare',
      NODE_OPTIONS: `--import=${preload}`,
    };
    const running = worker(['timer', this.folder, String(delayMs)], { env });
    await running.line('ready');
    return running;
  }

  /** Where the clock stood at each firing, from when this was made. */
  async fired(): Promise<number[]> {
    const { events } = await checkHistory(this.folder, await testFlows(), []);
    return events
      .filter(({ type }) => type === 'TimerFired')
      .map(({ metadata }) => Date.parse(metadata.at ?? '') - this.#start);
  }
}

const die = async (running: Running): Promise<void> => {
  running.kill();
  await running.exit;
};

/** Milliseconds of real time until the run woke. */
const wakes = async (running: Running): Promise<number> => {
  const before = performance.now();
  await running.line('woke');
  await running.exit;
  return performance.now() - before;
};

describe.concurrent('a timer in a process that is killed', { timeout: 120_000 }, () => {
  it('of an hour is not early after a restart, fires within 5 s of one that comes late, and once', async () => {
    const clock = new Shifted();
    await die(await clock.start(hour));
    clock.set(30 * minute);
    const second = await clock.start(hour);
    await pause(1500);
    await die(second);
    expect(await clock.fired()).toEqual([]);
    clock.set(3 * hour);
    expect(await wakes(await clock.start(hour))).toBeLessThan(5000);
    clock.set(5 * hour);
    await (
      await clock.start(hour)
    ).exit;
    const [at, ...more] = await clock.fired();
    expect(at).toBeGreaterThanOrEqual(3 * hour);
    expect(more).toEqual([]);
  });

  it('of thirty days does not fire at once, and fires when the clock jumps there', async () => {
    const clock = new Shifted();
    const running = await clock.start(30 * day);
    await pause(1500);
    expect(await clock.fired()).toEqual([]);
    clock.set(30 * day + minute, running);
    expect(await wakes(running)).toBeLessThan(5000);
    expect(await clock.fired()).toHaveLength(1);
  });

  it('is never early and fires once, however the clock jumps', async () => {
    const clock = new Shifted();
    const running = await clock.start(hour);
    for (const at of [59 * minute, -2 * hour, 30 * minute, 0, 59 * minute]) {
      clock.set(at, running);
      await pause(1200);
    }
    expect(await clock.fired()).toEqual([]);
    clock.set(hour + 5000, running);
    expect(await wakes(running)).toBeLessThan(5000);
    clock.set(-hour);
    await (
      await clock.start(hour)
    ).exit;
    const fired = await clock.fired();
    expect(fired).toHaveLength(1);
    expect(fired[0]).toBeGreaterThanOrEqual(hour);
  });
});
