/**
 * A clock that a test moves: nothing happens by itself, and everything happens in order.
 *
 * 1. Callbacks run by due time, those of one instant in the order of their scheduling.
 * 2. Moving on stops at each due time and lets what it set off settle, so a timer that a timer sets fires too.
 * 3. Set back, the clock shows the earlier time, and what was scheduled waits for it to come round again.
 */
import type { Clock } from '../ports/clock.ts';

interface Entry {
  readonly at: number;
  readonly callback: () => void;
}

const epoch = '2026-01-01T00:00:00.000Z';

/** Taken at load, so that a test that fakes the global timers does not stop this clock. */
const immediately = setImmediate;

/** Lets what is under way in memory come to its end; work that waits for the outside world does not. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise<void>((resolve) => {
      immediately(resolve);
    });
  }
};

const instantOf = (iso: string): number => {
  const instant = Date.parse(iso);
  if (Number.isNaN(instant))
    throw new TypeError(`"${iso}" is not an instant, for example ${epoch}`);
  return instant;
};

/**
 * @example
 * const clock = new SimulatedClock('2026-03-01T09:00:00.000Z');
 * const ecl = await createTestEcl({ workflows: [flow], clock });
 * await clock.advance(24 * 60 * 60 * 1000);
 */
export class SimulatedClock implements Clock {
  #now: number;
  readonly #entries: Entry[] = [];

  /** @param start an ISO instant. @default '2026-01-01T00:00:00.000Z' */
  constructor(start = epoch) {
    this.#now = instantOf(start);
  }

  now(): number {
    return this.#now;
  }

  schedule(at: number, callback: () => void): () => void {
    const entry: Entry = { at, callback };
    this.#entries.push(entry);
    if (at <= this.#now) immediately(() => this.#fire(entry));
    return () => {
      this.#remove(entry);
    };
  }

  /** How many callbacks are due at some later time. */
  get scheduled(): number {
    return this.#entries.length;
  }

  /** Moves on by this many milliseconds; resolves when everything due by then has run and settled. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new TypeError(`a clock advances by 0 ms or more, not ${ms}`);
    await this.#moveTo(this.#now + ms);
  }

  /** Moves to an instant, forwards or back. */
  async set(iso: string): Promise<void> {
    await this.#moveTo(instantOf(iso));
  }

  async #moveTo(target: number): Promise<void> {
    await settled();
    for (let next = this.#next(target); next !== undefined; next = this.#next(target)) {
      this.#now = Math.max(this.#now, next.at);
      this.#fire(next);
      await settled();
    }
    this.#now = target;
  }

  #next(target: number): Entry | undefined {
    const due = this.#entries.filter(({ at }) => at <= target);
    return due.toSorted((left, right) => left.at - right.at)[0];
  }

  #fire(entry: Entry): void {
    if (this.#remove(entry)) entry.callback();
  }

  #remove(entry: Entry): boolean {
    const at = this.#entries.indexOf(entry);
    if (at === -1) return false;
    this.#entries.splice(at, 1);
    return true;
  }
}
