/** Patience with a server, in real time: nothing here is part of a run, so no replay meets it. */

/** Thrown where a server did not answer in time. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Milliseconds of a clock that never goes back. */
export const monotonicMs = (): number => performance.now();

/** What `work` comes to, or `NoAnswer` after `ms`; the work itself goes on unheard. */
export const within = <T>(ms: number, what: string, work: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new NoAnswer(`there was no answer to ${what} within ${ms} ms`));
    }, ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });

/** Resolves after `ms`, or at once when a signal aborts. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, signal?.aborted ? 0 : ms);
    signal?.addEventListener('abort', end);
  });

/** Calls `work` every `ms` until it is stopped; it keeps no process alive. */
export const every = (ms: number, work: () => void): (() => void) => {
  const timer = setInterval(work, ms);
  timer.unref();
  return () => clearInterval(timer);
};

/** Waits that double from `firstMs` to `lastMs`, a little apart from process to process. */
export function* backoff(firstMs: number, lastMs: number): Generator<number, never> {
  const spread = 0.8 + (process.pid % 40) / 100;
  for (let wait = firstMs; ; wait = Math.min(wait * 2, lastMs)) yield Math.round(wait * spread);
}

/** Lets no more than a number of tasks run at the same time; the others wait in their order. */
export class Slots {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves when there is a free one; what it resolves to gives it back. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
  }
}
