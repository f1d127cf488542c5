/** Commands of people and programs to a run: each becomes a fact, or is rejected with what to do instead. */
import { decide } from '../core/decide.ts';
import { acceptedEvents, covers } from '../core/durable-machine.ts';
import { EclError } from '../core/errors.ts';
import { refusalOf } from '../core/guard-refusal.ts';
import type { Fact, MachineEvent } from '../core/journal-events.ts';
import { assertJson } from '../core/json-value.ts';
import { runStatus } from '../core/run-status.ts';
import type { RunState } from '../core/run-state.ts';
import type { Command } from './run-actor.ts';

const possible = (events: readonly string[]): string =>
  events.length === 0 ? ' No event is possible now.' : ` Possible now: ${events.join(', ')}.`;

const rejectOver = (state: RunState, what: string): void => {
  if (state.quarantine !== undefined) {
    const { revision, reason } = state.quarantine;
    throw new EclError('run.quarantined', { run: state.id, revision, reason });
  }
  if (state.ending === undefined) return;
  throw new EclError('run.over', { run: state.id, status: state.ending, what });
};

const isTaken = ({ snapshot }: RunState, event: MachineEvent): boolean => {
  try {
    return snapshot.can(event);
  } catch (error) {
    const what = `the signal ${event.type}`;
    const issues = error instanceof Error ? error.message : String(error);
    throw new EclError('input.invalid', { what, issues }, { cause: error });
  }
};

/** Rejects a signal that the machine can never take, or not now. */
const checkPossible = (state: RunState, event: MachineEvent): void => {
  const { machine, snapshot } = state;
  if (![...machine.events].some((descriptor) => covers(descriptor, event.type))) {
    const known = [...machine.events].toSorted();
    throw new EclError('signal.impossible', {
      workflow: machine.id,
      event: event.type,
      possible: known.length === 0 ? ' It takes no events.' : ` It knows: ${known.join(', ')}.`,
      events: known,
    });
  }
  rejectOver(state, 'signals');
  const events = acceptedEvents(snapshot);
  const isKnown = events.some((descriptor) => covers(descriptor, event.type));
  if (isKnown && isTaken(state, event)) return;
  const refusal = isKnown ? refusalOf(machine.machine, snapshot, event) : undefined;
  if (refusal !== undefined) {
    throw new EclError('input.invalid', { what: `the signal ${event.type}`, issues: refusal });
  }
  throw new EclError('signal.not-now', {
    run: state.id,
    event: event.type,
    possible: possible(events),
    events,
  });
};

/**
 * @param id the signal's own id; a second signal with it changes nothing
 * @throws EclError `input.not-json`, and when it is decided `input.invalid`, `signal.impossible`, `signal.not-now`
 */
export const signalCommand = (id: string, event: MachineEvent): Command => {
  assertJson(event, 'the signal');
  return (state) => {
    if (state.signals.has(id)) return undefined;
    checkPossible(state, event);
    return { type: 'SignalReceived', data: { id, event } };
  };
};

export const cancelCommand =
  (reason: string): Command =>
  (state) => {
    if (state.ending === 'cancelled') return undefined;
    if (state.ending !== undefined) rejectOver(state, 'cancellations');
    return { type: 'CancelRequested', data: { reason } };
  };

/** @param now milliseconds since 1970 */
export const resumeCommand =
  (now: () => number, reason?: string): Command =>
  (state) => {
    if (state.pause === undefined && state.quarantine === undefined) {
      throw new EclError('run.not-paused', { run: state.id, status: runStatus(state) });
    }
    const fact: Fact = { type: 'RunResumed', data: reason === undefined ? {} : { reason } };
    const last = decide(state, fact, now()).events.at(-1)!;
    if (last.type !== 'RunQuarantined') return fact;
    const { revision, reason: why } = last.data;
    throw new EclError('run.quarantined', { run: state.id, revision, reason: why });
  };

/** The command while the run is at this revision; one that changes nothing any more holds at any. */
export const onlyAt =
  (revision: number, command: Command): Command =>
  (state) => {
    if (state.revision === revision) return command(state);
    if (changesNothing(command, state)) return undefined;
    const { id: run, revision: actual } = state;
    throw new EclError('run.moved-on', { run, actual, expected: revision });
  };

const changesNothing = (command: Command, state: RunState): boolean => {
  try {
    return command(state) === undefined;
  } catch {
    return false;
  }
};
