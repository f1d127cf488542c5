/**
 * What a run is at one revision: the machine's snapshot, and what stands open around it.
 *
 * 1. It is built by `evolve` from events alone. Its collections belong to it and are changed in place, since a decision
 *    that could not be appended is discarded with the whole state.
 * 2. Everything owed to the world can be read off it (effects.ts); nothing owed is kept elsewhere.
 */
import type { AnyMachineSnapshot } from 'xstate';
import type { DurableMachine } from './durable-machine.ts';
import type { ErrorDocument } from './errors.ts';
import { chainStart } from './hash-chain.ts';
import { rootRunId } from './ids.ts';
import type { ArtifactReference, Fact, JournalData, MachineEvent } from './journal-events.ts';

/** Where and when an event was recorded. */
export interface Recorded {
  readonly id: string;
  readonly revision: number;
  readonly hash: string;
  readonly at: string;
}

export interface OpenStep {
  readonly invocation: string;
  readonly name: string;
  readonly actor: string;
  readonly input: unknown;
  /** Id of the StepScheduled event: the cause of all that follows. */
  readonly scheduledBy: string;
  /** The attempt that runs, or comes next. */
  attempt: number;
  /** Starts of this attempt that were recorded; each one beyond the first found the one before interrupted. */
  starts: number;
  invalidOutputs: number;
  /** When the next attempt is due; undefined means now. */
  retryAt: number | undefined;
  /** Replies that the next execution gets instead of asking again. */
  replies: JournalData<'ModelReplied'>[];
  calls: number;
  values: Map<string, unknown>;
}

export interface OpenTimer {
  readonly id: string;
  /** Id of the TimerSet event. */
  readonly setBy: string;
  readonly dueAt: number;
  readonly event: MachineEvent;
  readonly to: string | undefined;
}

export interface OpenChild {
  readonly run: string;
  /** Id of the ChildSpawned event. */
  readonly spawnedBy: string;
  readonly actor: string;
  readonly source: string;
  readonly input: unknown;
  cancelled: boolean;
}

export interface OutboundSignal {
  readonly id: string;
  /** Id of the SignalSent event. */
  readonly sentBy: string;
  readonly to: string;
  readonly event: MachineEvent;
}

export interface Usage {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  usd: number;
  /** Calls whose cost is not known, so `usd` is a lower bound. */
  unpriced: number;
}

/** A fact that is stored, but not yet taken by the machine. */
export interface PendingFact {
  readonly fact: Fact;
  readonly recorded: Recorded;
}

export interface Quarantine {
  readonly revision: number;
  readonly reason: string;
  /** The fact that the machine could not take, and what came after it; a resume takes them in order. */
  readonly pending: readonly PendingFact[];
}

export type Ending = 'completed' | 'failed' | 'cancelled';

export interface RunState {
  readonly id: string;
  readonly started: JournalData<'RunStarted'>;
  readonly machine: DurableMachine;
  /** Id of the root run, the correlation of all events below it. */
  readonly root: string;
  readonly startedAt: string;
  /** Revision of the last event, and its chain hash. */
  revision: number;
  hash: string;
  updatedAt: string;
  snapshot: AnyMachineSnapshot;
  contextHash: string;
  ending: Ending | undefined;
  endedAt: string | undefined;
  output: unknown;
  error: ErrorDocument | undefined;
  pause: JournalData<'RunPaused'> | undefined;
  quarantine: Quarantine | undefined;
  readonly steps: Map<string, OpenStep>;
  /** Which invocation or child run an XState actor id stands for now: completions of older ones are stale. */
  readonly actors: Map<string, string>;
  readonly timers: Map<string, OpenTimer>;
  readonly children: Map<string, OpenChild>;
  readonly outbox: Map<string, OutboundSignal>;
  readonly signals: Set<string>;
  readonly artifacts: ArtifactReference[];
  readonly usage: Usage;
  invocations: number;
  spawned: number;
  timersSet: number;
  sent: number;
  /** Times that a person resumed it: each grants the budget once more. */
  resumes: number;
  /** When it started, or a person resumed it last: the time of its budget is counted from there. */
  grantedAt: string;
}

const initialUsage = (): Usage => ({
  calls: 0,
  inputTokens: 0,
  outputTokens: 0,
  usd: 0,
  unpriced: 0,
});

/** A run before its first event: revision -1, and no snapshot yet. */
export const newRun = (
  id: string,
  started: JournalData<'RunStarted'>,
  options: { machine: DurableMachine; at: string },
): RunState => ({
  id,
  started,
  machine: options.machine,
  root: rootRunId(id),
  startedAt: options.at,
  revision: -1,
  hash: chainStart,
  updatedAt: options.at,
  snapshot: undefined as unknown as AnyMachineSnapshot,
  contextHash: '',
  ending: undefined,
  endedAt: undefined,
  output: undefined,
  error: undefined,
  pause: undefined,
  quarantine: undefined,
  steps: new Map(),
  actors: new Map(),
  timers: new Map(),
  children: new Map(),
  outbox: new Map(),
  signals: new Set(),
  artifacts: [],
  usage: initialUsage(),
  invocations: 0,
  spawned: 0,
  timersSet: 0,
  sent: 0,
  resumes: 0,
  grantedAt: options.at,
});

/** A state of its own, to draw a decision on without touching the one it was copied from. */
export const copyState = (state: RunState): RunState => ({
  ...state,
  steps: new Map(
    [...state.steps].map(([invocation, step]) => [
      invocation,
      { ...step, replies: [...step.replies], values: new Map(step.values) },
    ]),
  ),
  actors: new Map(state.actors),
  timers: new Map(state.timers),
  children: new Map([...state.children].map(([run, child]) => [run, { ...child }])),
  outbox: new Map(state.outbox),
  signals: new Set(state.signals),
  artifacts: [...state.artifacts],
  usage: { ...state.usage },
});
