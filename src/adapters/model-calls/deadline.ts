/**
 * One signal for two ends of a call: the caller's wish and the time limit. It also remembers which of them it was,
 * since the errors that follow an abort do not tell.
 */

export interface Deadline {
  readonly signal: AbortSignal;
  /** Why the signal fired, or undefined while it has not. */
  readonly cause: () => 'aborted' | 'timeout' | undefined;
  /** Lets go of the caller's signal and of the timer. */
  readonly clear: () => void;
}

/** Longer delays overflow a timer, which then fires at once. */
const delayMsMax = 2 ** 31 - 1;

export const startDeadline = (caller: AbortSignal, timeoutMs: number): Deadline => {
  const controller = new AbortController();
  let cause: 'aborted' | 'timeout' | undefined;
  const end = (why: 'aborted' | 'timeout') => (): void => {
    cause ??= why;
    controller.abort();
  };
  const onAbort = end('aborted');
  const timer = setTimeout(end('timeout'), Math.min(timeoutMs, delayMsMax));
  caller.addEventListener('abort', onAbort, { once: true });
  if (caller.aborted) onAbort();
  return {
    signal: controller.signal,
    cause: () => cause,
    clear: () => {
      clearTimeout(timer);
      caller.removeEventListener('abort', onAbort);
    },
  };
};
