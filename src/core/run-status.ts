/** The status of a run and what it waits for, read off its state. */
import { acceptedEvents } from './durable-machine.ts';
import { isBusy } from './effects.ts';
import type { RunState } from './run-state.ts';
import type { RunStatus } from './run-statuses.ts';

export interface WaitingFor {
  /** Type of the machine event that goes on, or `timer`. */
  readonly event: string;
  readonly dueAt?: string;
}

/**
 * `waiting` is a run that owes nothing but a signal, whether or not a deadline is set; one that owes only a timer is
 * `running`, as it goes on by itself.
 */
export const runStatus = (state: RunState): Exclude<RunStatus, 'blocked'> => {
  if (state.quarantine !== undefined) return 'quarantined';
  if (state.ending !== undefined) return state.ending;
  if (state.pause !== undefined) return 'paused';
  if (isBusy(state)) return 'running';
  return acceptedEvents(state.snapshot).length > 0 || state.timers.size === 0
    ? 'waiting'
    : 'running';
};

/** Whether nothing moves this run now but a person or, when `timers` says so, time. */
export const isAtRest = (state: RunState): boolean => runStatus(state) !== 'running';

/**
 * Whether nothing moves this run but a person, at itself or at the children it waits for.
 *
 * @param stateOf the state of a child, where it is known
 */
export const restsWithChildren = (
  state: RunState,
  stateOf: (run: string) => RunState | undefined,
): boolean => {
  if (isAtRest(state)) return true;
  if (state.children.size === 0 || state.steps.size > 0 || state.outbox.size > 0) return false;
  return [...state.children.keys()].every((run) => {
    const child = stateOf(run);
    return child !== undefined && child.ending === undefined && restsWithChildren(child, stateOf);
  });
};

export const waitingFor = (state: RunState): WaitingFor[] => {
  if (state.ending !== undefined || state.quarantine !== undefined || isBusy(state)) return [];
  const signals = acceptedEvents(state.snapshot).map((event): WaitingFor => ({ event }));
  const timers = [...state.timers.values()].map(({ dueAt }): WaitingFor => ({
    event: 'timer',
    dueAt: new Date(dueAt).toISOString(),
  }));
  return [...signals, ...timers];
};
