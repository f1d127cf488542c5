/**
 * What the store could not do, or is in doubt about, is done again, unchanged, until its outcome is known: an append is
 * never given up while it may have landed, and a paid answer never for a store that is away.
 */
import { isEclError, OutcomeUnknown } from '../core/errors.ts';
import type { Services } from './services.ts';

const retryMsMin = 100;
const retryMsMax = 5_000;

export class Persistence {
  readonly #services: Services;
  readonly #run: string;
  #ended: 'all' | 'unless in doubt' | undefined;
  #endWait = (): void => {};

  constructor(services: Services, run: string) {
    this.#services = services;
    this.#run = run;
  }

  /**
   * @param failure what the first try came to
   * @throws what is no matter of time, and whatever was the last failure once it has ended
   */
  async repeat(
    work: () => Promise<unknown>,
    failure: unknown,
    whenAway: 'reject' | 'wait',
  ): Promise<void> {
    let error = failure;
    for (let wait = retryMsMin; ; wait = Math.min(wait * 2, retryMsMax)) {
      if (!this.#isRepeated(error, whenAway)) throw error;
      this.#services.logger.warn({ run: this.#run, err: error, wait }, 'the store is asked again');
      await this.#pause(wait);
      try {
        await work();
        return;
      } catch (next) {
        error = next;
      }
    }
  }

  /** Repeats no more; `unless in doubt` still finds out about what may have landed. */
  end(what: 'all' | 'unless in doubt'): void {
    this.#ended = what;
    this.#endWait();
  }

  #isRepeated(error: unknown, whenAway: 'reject' | 'wait'): boolean {
    if (error instanceof OutcomeUnknown) return this.#ended !== 'all';
    const isAway = isEclError(error, 'store.unavailable') && whenAway === 'wait';
    return isAway && this.#ended === undefined;
  }

  #pause(milliseconds: number): Promise<void> {
    const { clock } = this.#services;
    return new Promise((resolve) => {
      const cancel = clock.schedule(clock.now() + milliseconds, resolve);
      this.#endWait = () => {
        cancel();
        resolve();
      };
    });
  }
}
