/**
 * A run's state as a value that can be stored and taken up again: a cache, always discardable.
 *
 * 1. It is bound to one event of one journal by revision and chain hash, and to one structure of the machine.
 * 2. Taking it up gives what a full replay to that revision gives; a test compares the two.
 */
import { contextHash } from './context-hash.ts';
import type { DurableMachine } from './durable-machine.ts';
import type { JournalData } from './journal-events.ts';
import { newRun, type OpenStep, type RunState } from './run-state.ts';

export const snapshotFormat = 3;

export interface RunSnapshot {
  readonly format: number;
  readonly revision: number;
  readonly hash: string;
  readonly structure: string;
  readonly started: JournalData<'RunStarted'>;
  readonly startedAt: string;
  readonly machine: unknown;
  readonly books: Record<string, unknown>;
}

/** A value that is undefined stands as a name alone, since JSON would make it null. */
const plainStep = (step: OpenStep): unknown => ({
  ...step,
  values: [...step.values].map(([name, value]) => (value === undefined ? [name] : [name, value])),
});

const counters = ['invocations', 'spawned', 'timersSet', 'sent', 'resumes'] as const;
const plain = [
  'updatedAt',
  'grantedAt',
  'ending',
  'endedAt',
  'output',
  'error',
  'pause',
  'quarantine',
] as const;

export const takeSnapshot = (state: RunState): RunSnapshot => ({
  format: snapshotFormat,
  revision: state.revision,
  hash: state.hash,
  structure: state.machine.structure,
  started: state.started,
  startedAt: state.startedAt,
  machine: state.machine.persist(state.snapshot),
  books: {
    ...Object.fromEntries([...counters, ...plain].map((name) => [name, state[name]])),
    contextHash: state.contextHash,
    steps: [...state.steps.values()].map(plainStep),
    actors: [...state.actors],
    timers: [...state.timers.values()],
    children: [...state.children.values()],
    outbox: [...state.outbox.values()],
    signals: [...state.signals],
    artifacts: state.artifacts,
    usage: state.usage,
  },
});

const byKey = <Value>(values: unknown, key: keyof Value): Map<string, Value> =>
  new Map((values as Value[]).map((value) => [value[key] as string, value]));

/**
 * The state that a snapshot stands for, or undefined when it does not fit this machine or does not hold together.
 */
export const restoreSnapshot = (
  id: string,
  snapshot: RunSnapshot,
  machine: DurableMachine,
): RunState | undefined => {
  if (snapshot.format !== snapshotFormat || snapshot.structure !== machine.structure) {
    return undefined;
  }
  try {
    const restored = machine.restore(snapshot.machine);
    const { status } = snapshot.machine as { status?: unknown };
    const fits = restored.status === status;
    if (!fits || contextHash(restored.context) !== snapshot.books['contextHash']) return undefined;
    return withBooks(id, snapshot, { machine, restored });
  } catch {
    return undefined;
  }
};

const withBooks = (
  id: string,
  { books, started, startedAt, revision, hash }: RunSnapshot,
  { machine, restored }: { machine: DurableMachine; restored: RunState['snapshot'] },
): RunState => {
  const steps = (books['steps'] as (OpenStep & { values: [string, unknown][] })[]).map(
    (step): OpenStep => ({ ...step, values: new Map(step.values) }),
  );
  return {
    ...newRun(id, started, { machine, at: startedAt }),
    ...Object.fromEntries([...counters, ...plain].map((name) => [name, books[name]])),
    revision,
    hash,
    snapshot: restored,
    contextHash: books['contextHash'] as string,
    steps: new Map(steps.map((step) => [step.invocation, step])),
    actors: new Map(books['actors'] as [string, string][]),
    timers: byKey(books['timers'], 'id'),
    children: byKey(books['children'], 'run'),
    outbox: byKey(books['outbox'], 'id'),
    signals: new Set(books['signals'] as string[]),
    artifacts: books['artifacts'] as RunState['artifacts'],
    usage: books['usage'] as RunState['usage'],
  };
};
