/** Runs that are not in memory and want to be looked at again at an instant: one instant a run, the last one said. */
import type { Clock } from '../ports/clock.ts';

export class Wakes {
  readonly #clock: Clock;
  readonly #wake: (run: string) => void;
  readonly #scheduled = new Map<string, () => void>();

  constructor(clock: Clock, wake: (run: string) => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  at(run: string, instant: number): void {
    this.cancel(run);
    const cancel = this.#clock.schedule(instant, () => {
      this.#scheduled.delete(run);
      this.#wake(run);
    });
    this.#scheduled.set(run, cancel);
  }

  cancel(run: string): void {
    this.#scheduled.get(run)?.();
    this.#scheduled.delete(run);
  }

  cancelWhere(matches: (run: string) => boolean): void {
    for (const run of this.#scheduled.keys()) if (matches(run)) this.cancel(run);
  }
}
