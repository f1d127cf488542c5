/**
 * Waiting for runs on behalf of clients that come and go: one listener for all that wait for the same of the same run,
 * so that clients that ask again and again leave nothing behind.
 */
import type { Clock } from '../ports/clock.ts';
import type { RunHandle } from '../runtime/run-handle.ts';

/** `rest`: nothing moves the run but a person. `end`: it is over, or cannot go on. */
export const waitGoals = ['rest', 'end'] as const;
export type WaitGoal = (typeof waitGoals)[number];

const ignore = (): void => {};

const reach = (run: RunHandle, goal: WaitGoal): Promise<unknown> =>
  goal === 'rest' ? run.rest() : run.result();

export class RunWaits {
  readonly #clock: Clock;
  readonly #pending = new Map<string, Promise<void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param options.signal ends the wait
   * @returns whether the run got there in time
   */
  async wait(
    run: RunHandle,
    goal: WaitGoal,
    { milliseconds, signal }: { milliseconds: number; signal: AbortSignal },
  ): Promise<boolean> {
    let end = ignore;
    let cancel = ignore;
    const late = new Promise<false>((resolve) => {
      end = () => resolve(false);
      cancel = this.#clock.schedule(this.#clock.now() + milliseconds, end);
      signal.addEventListener('abort', end);
    });
    try {
      return await Promise.race([this.#reached(run, goal).then(() => true), late]);
    } finally {
      cancel();
      signal.removeEventListener('abort', end);
    }
  }

  /** Resolves however the run ends: its document says how. */
  #reached(run: RunHandle, goal: WaitGoal): Promise<void> {
    const key = `${goal} ${run.id}`;
    const known = this.#pending.get(key);
    if (known !== undefined) return known;
    const pending = reach(run, goal)
      .then(ignore, ignore)
      .finally(() => this.#pending.delete(key));
    this.#pending.set(key, pending);
    return pending;
  }
}
