/**
 * Evolves: what an event that is stored makes of a run's state. Live running and replay both come through here.
 *
 * 1. It only keeps books; it never decides and never fails on an event that a decision produced.
 * 2. The machine's snapshot is moved by the decision's transition, the books around it by each event.
 * 3. A fact that the machine could not take changes no books until a resume takes it.
 */
import type { Decision } from './decision.ts';
import type { Fact, JournalEvent } from './journal-events.ts';
import { limits } from './limits.ts';
import type { Ending, OpenStep, Recorded, RunState } from './run-state.ts';

/**
 * Takes a stored decision into the state, in place.
 *
 * @param recorded one for each of the decision's events
 */
export const applyDecision = (
  state: RunState,
  decision: Decision,
  recorded: readonly Recorded[],
): void => {
  moveHead(state, recorded.at(-1)!);
  if (isUntaken(decision)) {
    keepPending(state, decision, recorded[0]!);
    return;
  }
  if (decision.transition !== undefined) state.snapshot = decision.transition.snapshot;
  if (decision.contextHash !== undefined) state.contextHash = decision.contextHash;
  const { taken = [] } = decision;
  decision.events.forEach((event, index) => {
    evolve(state, event, recorded[index]!);
    for (const { pending, after } of taken) {
      if (after === index) evolve(state, pending.fact, pending.recorded);
    }
  });
};

const moveHead = (state: RunState, { revision, hash, at }: Recorded): void => {
  state.revision = revision;
  state.hash = hash;
  state.updatedAt = at;
};

/** Whether the machine did not take the decision's fact: it could not, or it is quarantined. */
const isUntaken = ({ events, held }: Decision): boolean => {
  const last = events.at(-1)!;
  return held === true || (last.type === 'RunQuarantined' && last.data.pending);
};

const keepPending = (state: RunState, { events }: Decision, recorded: Recorded): void => {
  const fact = events[0] as Fact;
  const last = events.at(-1)!;
  const before = state.quarantine?.pending ?? [];
  // A resume that failed leaves the facts that it could not take, and is not one of them.
  const pending = fact.type === 'RunResumed' ? before : [...before, { fact, recorded }];
  const { revision, reason } = last.type === 'RunQuarantined' ? last.data : state.quarantine!;
  state.quarantine = { revision, reason, pending };
  if (fact.type === 'SignalReceived') rememberSignal(state.signals, fact.data.id);
};

const evolve = (state: RunState, event: JournalEvent, recorded: Recorded): void => {
  if (onStep(state, event) || onNeighbour(state, event, recorded)) return;
  onRun(state, event, recorded);
};

const settleStep = (state: RunState, invocation: string): void => {
  const step = state.steps.get(invocation);
  if (step === undefined) return;
  state.steps.delete(invocation);
  if (state.actors.get(step.actor) === invocation) state.actors.delete(step.actor);
};

const settleChild = (state: RunState, run: string): void => {
  const child = state.children.get(run);
  if (child === undefined) return;
  state.children.delete(run);
  if (state.actors.get(child.actor) === run) state.actors.delete(child.actor);
};

const nextAttempt = (
  step: OpenStep,
  failed: Extract<JournalEvent, { type: 'StepAttemptFailed' }>['data'],
): void => {
  step.attempt = failed.attempt + 1;
  step.starts = 0;
  step.retryAt = failed.retryAt;
  if (failed.error.code === 'step.output-invalid') step.invalidOutputs += 1;
  if (failed.replies === 'discarded') step.replies = [];
};

const countUsage = (
  state: RunState,
  { usage, cost }: Extract<JournalEvent, { type: 'ModelReplied' }>['data'],
): void => {
  state.usage.calls += 1;
  state.usage.inputTokens += usage?.inputTokens ?? 0;
  state.usage.outputTokens += usage?.outputTokens ?? 0;
  if ('usd' in cost) state.usage.usd += cost.usd;
  else state.usage.unpriced += 1;
};

/** Facts of steps in flight; each ignores an invocation that is no longer open. */
const onStep = (state: RunState, event: JournalEvent): boolean => {
  switch (event.type) {
    case 'StepAttemptStarted': {
      const step = state.steps.get(event.data.invocation);
      if (step !== undefined) step.starts += 1;
      return true;
    }
    case 'StepAttemptFailed': {
      const step = state.steps.get(event.data.invocation);
      if (step !== undefined) nextAttempt(step, event.data);
      return true;
    }
    case 'ModelReplied': {
      countUsage(state, event.data);
      const step = state.steps.get(event.data.invocation);
      step?.replies.push(event.data);
      // Calls made side by side are answered in any order.
      if (step !== undefined) step.calls = Math.max(step.calls, event.data.call);
      return true;
    }
    case 'ValueRecorded':
      state.steps.get(event.data.invocation)?.values.set(event.data.name, event.data.value);
      return true;
    case 'StepSucceeded':
    case 'StepFailed':
    case 'StepInterrupted':
    case 'StepCancelled':
      settleStep(state, event.data.invocation);
      return true;
    default:
      return false;
  }
};

const openStep = (
  state: RunState,
  { invocation, name, actor, input }: Extract<JournalEvent, { type: 'StepScheduled' }>['data'],
  scheduledBy: string,
): void => {
  state.invocations += 1;
  state.actors.set(actor, invocation);
  state.steps.set(invocation, {
    invocation,
    name,
    actor,
    input,
    scheduledBy,
    attempt: 1,
    starts: 0,
    invalidOutputs: 0,
    retryAt: undefined,
    replies: [],
    calls: 0,
    values: new Map(),
  });
};

const openChild = (
  state: RunState,
  { run, actor, source, input }: Extract<JournalEvent, { type: 'ChildSpawned' }>['data'],
  spawnedBy: string,
): void => {
  state.spawned += 1;
  state.actors.set(actor, run);
  state.children.set(run, { run, spawnedBy, actor, source, input, cancelled: false });
};

/** A timer without a name of its own was numbered `timer-<n>`. */
const countTimer = (state: RunState, id: string): void => {
  if (id === `timer-${state.timersSet + 1}`) state.timersSet += 1;
};

/** What stands open beside the machine: steps, timers, children, signals. */
const onNeighbour = (state: RunState, event: JournalEvent, { id }: Recorded): boolean => {
  switch (event.type) {
    case 'StepScheduled':
      openStep(state, event.data, id);
      return true;
    case 'TimerSet': {
      const { id: timer, dueAt, event: due, to } = event.data;
      countTimer(state, timer);
      state.timers.set(timer, { id: timer, setBy: id, dueAt, event: due, to });
      return true;
    }
    case 'TimerFired':
    case 'TimerCancelled':
      state.timers.delete(event.data.id);
      return true;
    case 'ChildSpawned':
      openChild(state, event.data, id);
      return true;
    case 'ChildCancelled': {
      const child = state.children.get(event.data.run);
      if (child === undefined) return true;
      child.cancelled = true;
      if (state.actors.get(child.actor) === child.run) state.actors.delete(child.actor);
      return true;
    }
    case 'ChildCompleted':
    case 'ChildFailed':
      settleChild(state, event.data.run);
      return true;
    case 'SignalSent':
      state.sent += 1;
      state.outbox.set(event.data.id, { ...event.data, sentBy: id });
      return true;
    case 'SignalDelivered':
      state.outbox.delete(event.data.id);
      return true;
    default:
      return false;
  }
};

const end = (state: RunState, ending: Ending, at: string): void => {
  state.ending = ending;
  state.endedAt = at;
  state.pause = undefined;
  state.quarantine = undefined;
  state.steps.clear();
  state.timers.clear();
  state.actors.clear();
};

/** Only the newest ids are kept; a set keeps the order in which they came. */
const rememberSignal = (signals: Set<string>, id: string): void => {
  signals.add(id);
  if (signals.size <= limits.signalIdsMax) return;
  const [oldest] = signals;
  signals.delete(oldest!);
};

/** The run as a whole. */
const onRun = (state: RunState, event: JournalEvent, { at }: Recorded): void => {
  switch (event.type) {
    case 'SignalReceived':
      rememberSignal(state.signals, event.data.id);
      return;
    case 'ArtifactStored': {
      const { name, sha256, bytes, mediaType } = event.data;
      state.artifacts.push({ name, sha256, bytes, mediaType });
      return;
    }
    case 'RunCompleted':
      end(state, 'completed', at);
      state.output = event.data.output;
      return;
    case 'RunFailed':
      end(state, 'failed', at);
      state.error = event.data.error;
      return;
    case 'RunCancelled':
      end(state, 'cancelled', at);
      state.error = { code: 'run.cancelled', message: event.data.reason };
      return;
    case 'RunPaused': {
      state.pause = event.data;
      const step = state.steps.get(event.data.invocation ?? '');
      if (step !== undefined) step.starts = 0;
      return;
    }
    case 'RunResumed':
      state.pause = undefined;
      state.quarantine = undefined;
      state.resumes += 1;
      state.grantedAt = at;
      return;
    case 'RunQuarantined': {
      // Another machine may not replay what this one could not take: what waits for a resume waits on.
      const { revision, reason } = event.data;
      state.quarantine = { revision, reason, pending: state.quarantine?.pending ?? [] };
      return;
    }
    default:
  }
};
