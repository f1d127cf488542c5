/** One signal that says when a subscription is over: its reader left, its signal aborted or the store closed. */
export interface Ending {
  readonly signal: AbortSignal;
  readonly end: () => void;
}

/** Unlike `AbortSignal.any` it leaves nothing behind on a long-lived source once it has ended. */
export const endingWith = (sources: readonly (AbortSignal | undefined)[]): Ending => {
  const controller = new AbortController();
  const end = (): void => {
    for (const source of sources) source?.removeEventListener('abort', end);
    controller.abort();
  };
  for (const source of sources) source?.addEventListener('abort', end);
  if (sources.some((source) => source?.aborted)) end();
  return { signal: controller.signal, end };
};
