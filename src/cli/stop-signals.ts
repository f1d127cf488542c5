/**
 * SIGINT and SIGTERM. A command that drives a run takes the first one over, to leave in order; a second one, one that
 * nobody took over, and a leaving that takes too long end the process at once. What is stored needs no goodbye.
 */
import { exitCodes } from './exit-codes.ts';

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** A promise of ten seconds, with a margin. */
const leavingMsMax = 9_000;

export const exitCodeOfSignal = (signal: StopSignal): number =>
  signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated;

let takenOver: ((signal: StopSignal) => void) | undefined;
let isLeaving = false;

const onSignal = (signal: StopSignal): void => {
  const code = exitCodeOfSignal(signal);
  if (isLeaving || takenOver === undefined) process.exit(code);
  isLeaving = true;
  setTimeout(() => process.exit(code), leavingMsMax).unref();
  takenOver(signal);
};

/** Called once, when the process starts. */
export const installStopSignals = (): void => {
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
};

/** Resolves with the first signal from now on, which does not end the process any more. */
export const stopAsked = (): Promise<StopSignal> =>
  new Promise((resolve) => {
    takenOver = resolve;
  });

/** Signals end the process at once again. */
export const releaseStop = (): void => {
  takenOver = undefined;
};
