/**
 * Decides: what a run makes of a fact. `[fact, ...consequences]` is one atomic append.
 *
 * 1. Pure: the instant comes with the fact, so a replay with the recorded instant draws the same consequences.
 * 2. It changes nothing; `evolve` does, once the decision is stored.
 * 3. A fact that the machine cannot take is kept all the same, with a RunQuarantined after it: a paid answer is never
 *    thrown away.
 */
import { consequencesOf, machineEnding } from './consequences.ts';
import { contextHash } from './context-hash.ts';
import type { Decision } from './decision.ts';
import {
  acceptedEvents,
  isExternal,
  type MachineAction,
  type Transition,
} from './durable-machine.ts';
import { EclError, toErrorDocument, type ErrorDocument } from './errors.ts';
import { applyDecision } from './evolve.ts';
import type { Consequence, Fact, JournalEvent } from './journal-events.ts';
import { asJson, jsonEquals } from './json-value.ts';
import { copyState, type PendingFact, type RunState } from './run-state.ts';

export type { Decision };

const nothing: readonly MachineAction[] = [];

const without = (fact: Fact, consequences: readonly JournalEvent[] = []): Decision => ({
  events: [fact, ...consequences],
  transition: undefined,
  contextHash: undefined,
  notifications: nothing,
});

/** What XState gets to see of a fact, or undefined when the fact is none of the machine's business. */
const machineEventOf = (state: RunState, fact: Fact): { type: string } | undefined => {
  switch (fact.type) {
    case 'SignalReceived':
      // What XState says of its own actors and of itself cannot come from outside.
      if (!isExternal(fact.data.event.type)) return undefined;
      return asJson(fact.data.event, 'the signal');
    case 'StepSucceeded':
      return doneEvent(state, fact.data.invocation, fact.data.output);
    case 'StepFailed':
      return errorEvent(state, fact.data.invocation, fact.data.error);
    case 'StepInterrupted': {
      const step = state.steps.get(fact.data.invocation)?.name ?? fact.data.invocation;
      const error = toErrorDocument(new EclError('step.interrupted', { step }));
      return errorEvent(state, fact.data.invocation, error);
    }
    case 'ChildCompleted':
      return doneEvent(state, fact.data.run, fact.data.output);
    case 'ChildFailed':
      return errorEvent(state, fact.data.run, fact.data.error);
    case 'TimerFired': {
      const timer = state.timers.get(fact.data.id);
      return timer?.to === undefined ? timer?.event : undefined;
    }
    default:
      return undefined;
  }
};

/** The actor that an invocation or a child run answers for, unless another one took its place since. */
const currentActor = (state: RunState, reference: string): string | undefined => {
  const actor = state.steps.get(reference)?.actor ?? state.children.get(reference)?.actor;
  return actor !== undefined && state.actors.get(actor) === reference ? actor : undefined;
};

const doneEvent = (
  state: RunState,
  reference: string,
  output: unknown,
): { type: string } | undefined => {
  const actorId = currentActor(state, reference);
  if (actorId === undefined) return undefined;
  return {
    type: `xstate.done.actor.${actorId}`,
    output: asJson(output, `the output of ${actorId}`),
    actorId,
  } as { type: string };
};

const errorEvent = (
  state: RunState,
  reference: string,
  error: ErrorDocument,
): { type: string } | undefined => {
  const actorId = currentActor(state, reference);
  if (actorId === undefined) return undefined;
  return { type: `xstate.error.actor.${actorId}`, error, actorId } as { type: string };
};

/**
 * Whether the machine has a way on, or the invocation no place in it any more; else its failure would end the run. Where a
 * guard fails over the question, the failure is the machine's to take, and the run is quarantined with it.
 */
export const survivesFailure = (
  state: RunState,
  invocation: string,
  error: ErrorDocument,
): boolean => {
  const event = errorEvent(state, invocation, error);
  try {
    return event === undefined || state.snapshot.can(event);
  } catch {
    return true;
  }
};

const sameValue = (left: unknown, right: unknown): boolean =>
  left === right || (typeof left === 'object' && jsonEquals(left, right));

const stateChanged = (
  state: RunState,
  transition: Transition,
  hash: string,
): Consequence<'StateChanged'> | undefined => {
  const { snapshot } = transition;
  const first = state.revision < 0;
  const moved = first || !sameValue(state.snapshot.value, snapshot.value);
  if (!moved && hash === state.contextHash && snapshot.status === state.snapshot.status) {
    return undefined;
  }
  const accepts = acceptedEvents(snapshot);
  return {
    type: 'StateChanged',
    data: {
      from: first ? null : (state.snapshot.value as string),
      to: snapshot.value as string,
      tags: [...(snapshot.tags as ReadonlySet<string>)].toSorted(),
      contextHash: hash,
      ...(accepts.length > 0 ? { accepts: [...accepts] } : {}),
    },
  };
};

const afterTransition = (
  state: RunState,
  fact: Fact,
  transition: Transition,
  now: number,
): Decision => {
  const hash = contextHash(transition.snapshot.context);
  const changed = stateChanged(state, transition, hash);
  const { consequences, notifications } = consequencesOf(state, fact, transition, now);
  const ending = machineEnding(transition.snapshot);
  return {
    events: [
      fact,
      ...(changed === undefined ? [] : [changed]),
      ...consequences,
      ...(ending === undefined ? [] : [ending]),
    ],
    transition,
    contextHash: hash,
    notifications,
  };
};

/** The decision that keeps a fact whose consequences cannot be drawn or stored. */
export const quarantined = (state: RunState, fact: Fact, error: unknown): Decision =>
  without(fact, [
    {
      type: 'RunQuarantined',
      data: {
        revision: state.revision + 1,
        reason: error instanceof Error ? error.message : String(error),
        pending: true,
      },
    },
  ]);

const cancelled = (state: RunState, fact: Fact<'CancelRequested'>): Decision =>
  without(fact, [
    ...[...state.steps.keys()].map((invocation): Consequence => ({
      type: 'StepCancelled',
      data: { invocation },
    })),
    ...[...state.children.values()]
      .filter((child) => !child.cancelled)
      .map((child): Consequence => ({ type: 'ChildCancelled', data: { run: child.run } })),
    { type: 'RunCancelled', data: { reason: fact.data.reason } },
  ]);

const timerForAnother = (state: RunState, fact: Fact<'TimerFired'>): Decision | undefined => {
  const timer = state.timers.get(fact.data.id);
  if (timer?.to === undefined) return undefined;
  const id = `${state.id}/${state.sent + 1}`;
  return without(fact, [{ type: 'SignalSent', data: { id, to: timer.to, event: timer.event } }]);
};

/**
 * The decision that a run at this state takes on a fact.
 *
 * @param now when the fact was recorded, in milliseconds since 1970
 */
export const decide = (state: RunState, fact: Fact, now: number): Decision => {
  if (state.ending !== undefined) return without(fact);
  if (fact.type === 'CancelRequested') return cancelled(state, fact);
  if (fact.type === 'RunResumed') return resume(state, fact, now);
  if (fact.type === 'TimerFired') {
    const decision = timerForAnother(state, fact);
    if (decision !== undefined) return decision;
  }
  return transitionOn(state, fact, now);
};

const transitionOn = (state: RunState, fact: Fact, now: number): Decision => {
  const parent = state.started.parent !== undefined;
  try {
    const event = machineEventOf(state, fact);
    if (event === undefined) return without(fact);
    if (state.quarantine !== undefined) return { ...without(fact), held: true };
    const transition = state.machine.next(state.snapshot, event, parent);
    return afterTransition(state, fact, transition, now);
  } catch (error) {
    return quarantined(state, fact, error);
  }
};

/** Resuming takes what the machine did not take before: all of it in order, or nothing. */
const resume = (state: RunState, fact: Fact<'RunResumed'>, now: number): Decision => {
  const facts = state.quarantine?.pending ?? [];
  if (facts.length === 0) return without(fact);
  const ahead = copyState(state);
  ahead.quarantine = undefined;
  const events: JournalEvent[] = [fact];
  const notifications: MachineAction[] = [];
  const taken: { pending: PendingFact; after: number }[] = [];
  for (const pending of facts) {
    const decision = decide(ahead, pending.fact, now);
    const last = decision.events.at(-1)!;
    if (last.type === 'RunQuarantined') {
      const { revision } = pending.recorded;
      return without(fact, [{ ...last, data: { ...last.data, revision } }]);
    }
    taken.push({ pending, after: events.length - 1 });
    events.push(...decision.events.slice(1));
    notifications.push(...decision.notifications);
    applyDecision(
      ahead,
      decision,
      decision.events.map(() => pending.recorded),
    );
  }
  const transition = { snapshot: ahead.snapshot, actions: [] };
  return { events, transition, contextHash: ahead.contextHash, notifications, taken };
};

/**
 * The first decision of a run.
 *
 * @param state a run before its first event: revision -1, no snapshot
 * @throws EclError `workflow.start-failed`, `input.not-json`: nothing is stored of such a run
 */
export const decideStart = (state: RunState, fact: Fact<'RunStarted'>, now: number): Decision => {
  const transition = state.machine.start(fact.data.input, fact.data.parent !== undefined);
  if (transition.snapshot.status === 'error') {
    throw new EclError(
      'workflow.start-failed',
      {
        workflow: fact.data.workflow,
        reason: toErrorDocument(transition.snapshot.error).message,
      },
      { cause: transition.snapshot.error },
    );
  }
  return afterTransition(state, fact, transition, now);
};
