/**
 * Drives a machine fact by fact, without I/O: `given(machine, ...facts).when(fact).draws(...consequences)`.
 *
 * Before every decision the run is rebuilt twice, once by a full replay of its journal and once from a snapshot that
 * went through JSON. All three lanes must draw the same events and stand in the same place afterwards.
 */
import { expect } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { causationOf } from '../../src/core/causation.ts';
import { decide, decideStart, type Decision } from '../../src/core/decide.ts';
import { durableMachine, type DurableMachine } from '../../src/core/durable-machine.ts';
import { owed } from '../../src/core/effects.ts';
import { applyDecision } from '../../src/core/evolve.ts';
import { journalStream } from '../../src/core/ids.ts';
import { sealDecision, type StoredEvent } from '../../src/core/journal-codec.ts';
import type {
  Fact,
  JournalData,
  JournalEvent,
  MachineEvent,
} from '../../src/core/journal-events.ts';
import { canonicalJson } from '../../src/core/json-value.ts';
import { Replay } from '../../src/core/replay.ts';
import { runStatus, waitingFor } from '../../src/core/run-status.ts';
import { newRun, type RunState } from '../../src/core/run-state.ts';
import { sha256 } from '../../src/core/sha256.ts';
import { restoreSnapshot, takeSnapshot, type RunSnapshot } from '../../src/core/snapshot.ts';

/** 2026-01-01T00:00:00.000Z */
export const startedAt = 1_767_225_600_000;
export const writer = '019b76da-a800-7000-8000-000000000001';

/** A fact, or how to make one of the state it meets. */
export type Given = Fact | ((state: RunState) => Fact);

export interface StartOptions {
  readonly id?: string;
  readonly input?: unknown;
  readonly depth?: number;
  readonly parent?: { run: string; actor: string };
  /** A full replay at each so many facts; the snapshot is taken up at each. @default 1 */
  readonly replayEvery?: number;
}

export const startedData = (
  machine: DurableMachine,
  { input, depth = 0, parent }: StartOptions = {},
): JournalData<'RunStarted'> => ({
  workflow: machine.id,
  version: machine.version,
  structure: machine.structure,
  tenant: 'default',
  ...(input === undefined ? {} : { input }),
  inputHash: sha256(canonicalJson(input ?? null)),
  ...(parent === undefined ? {} : { parent }),
  depth,
});

/** Rebuilds a run from stored events. */
export const replayed = (
  id: string,
  stored: readonly StoredEvent[],
  options: { machine: DurableMachine; blobs?: ReadonlyMap<string, string>; from?: RunState },
): RunState | undefined => {
  const { machine, blobs, from } = options;
  const replay = new Replay({
    id,
    machineOf: () => machine,
    blobText: (address) => blobs?.get(address),
    ...(from === undefined ? {} : { from }),
  });
  for (const event of stored) expect(replay.add(event)).toBe(undefined);
  return replay.finish();
};

export const throughJson = <Value>(value: Value): Value =>
  JSON.parse(JSON.stringify(value)) as Value;

/** What anyone can see of a state, in a form that does not depend on how it was built. */
export const visible = (state: RunState): unknown =>
  throughJson({
    revision: state.revision,
    hash: state.hash,
    status: runStatus(state),
    value: state.snapshot.value,
    context: state.snapshot.context as unknown,
    contextHash: state.contextHash,
    tags: [...(state.snapshot.tags as ReadonlySet<string>)],
    owed: owed(state).map((effect) =>
      'step' in effect ? { ...effect, values: [...effect.step.values] } : effect,
    ),
    waitingFor: waitingFor(state),
    books: takeSnapshot(state).books,
  });

/** A machine of any type: XState's types of two machines seldom fit each other. */
export const asDurable = (machine: object): DurableMachine => {
  if ('structure' in machine) return machine as DurableMachine;
  const { version = '1.0.0' } = machine as AnyStateMachine;
  return durableMachine(machine as AnyStateMachine, { version });
};

/** A run in memory, with its journal. */
export class Lab {
  readonly id: string;
  readonly machine: DurableMachine;
  readonly stored: StoredEvent[] = [];
  readonly blobs = new Map<string, string>();
  readonly events: JournalEvent[] = [];
  state: RunState;
  now = startedAt;
  readonly #replayEvery: number;
  #taken = 0;

  constructor(machine: object, options: StartOptions = {}) {
    this.machine = asDurable(machine);
    this.#replayEvery = options.replayEvery ?? 1;
    this.id = options.id ?? `${this.machine.id.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')}.k`;
    const data = startedData(this.machine, options);
    this.state = newRun(this.id, data, { machine: this.machine, at: this.#at() });
    this.#store(this.state, decideStart(this.state, { type: 'RunStarted', data }, this.now));
  }

  #at(): string {
    return new Date(this.now).toISOString();
  }

  /** As a store and another process give it. */
  byReplay(): RunState {
    return replayed(this.id, this.stored, { machine: this.machine, blobs: this.blobs })!;
  }

  bySnapshot(): RunState {
    const snapshot = JSON.parse(JSON.stringify(takeSnapshot(this.state))) as RunSnapshot;
    const restored = restoreSnapshot(this.id, snapshot, this.machine);
    expect(restored, 'the snapshot is taken up').toBeDefined();
    return restored!;
  }

  /** Takes a fact in all lanes and goes on with the live one; returns what was appended, the fact first. */
  take(given: Given): readonly JournalEvent[] {
    this.now += 1_000;
    const fact = typeof given === 'function' ? given(this.state) : given;
    this.#taken += 1;
    const replays = this.#taken % this.#replayEvery === 0;
    const lanes = {
      snapshot: this.bySnapshot(),
      ...(replays ? { replay: this.byReplay() } : {}),
    };
    const decision = decide(this.state, fact, this.now);
    const drawn = this.#seal(this.state, decision);
    for (const [name, state] of Object.entries(lanes)) {
      const again = this.#seal(state, decide(state, fact, this.now));
      expect(again.events, `drawn after a ${name}`).toEqual(drawn.events);
    }
    this.#store(this.state, decision);
    const now = visible(this.state);
    if (replays) expect(visible(this.byReplay()), 'the state after a replay').toEqual(now);
    expect(visible(this.bySnapshot()), 'the state after a snapshot').toEqual(now);
    return decision.events;
  }

  #seal(state: RunState, decision: Decision): ReturnType<typeof sealDecision> {
    const head = { stream: journalStream(this.id), revision: state.revision, hash: state.hash };
    return sealDecision(decision.events, head, {
      correlation: state.root,
      causation: causationOf(state, decision.events[0] as Fact),
      tenant: 'default',
      at: this.#at(),
      writer,
    });
  }

  #store(state: RunState, decision: Decision): void {
    const sealed = this.#seal(state, decision);
    for (const { sha256: address, text } of sealed.blobs) this.blobs.set(address, text);
    sealed.events.forEach((event, index) => {
      const revision = state.revision + 1 + index;
      this.stored.push({ ...event, stream: journalStream(this.id), revision });
    });
    this.events.push(...decision.events);
    applyDecision(state, decision, sealed.recorded);
  }
}

/** A consequence by type, and by the part of its data that the test is about. */
export type Expected = readonly [JournalEvent['type'], object?];

const asExpected = ([type, data]: Expected): unknown =>
  data === undefined
    ? expect.objectContaining({ type })
    : { type, data: expect.objectContaining(data) as unknown };

interface When {
  /** What follows the fact, in order, and nothing else. */
  draws(...expected: Expected[]): Lab;
}

export const given = (
  machine: object,
  ...facts: Given[]
): Lab & { when: (fact: Given) => When } => {
  const lab = machine instanceof Lab ? machine : new Lab(machine);
  for (const fact of facts) lab.take(fact);
  const when = (fact: Given): When => {
    const drawn = lab.take(fact).slice(1);
    return {
      draws: (...expected) => {
        expect(drawn).toEqual(expected.map(asExpected));
        return lab;
      },
    };
  };
  return Object.assign(lab, { when });
};

let signals = 0;
export const signal = (event: MachineEvent | string, id?: string): Fact<'SignalReceived'> => ({
  type: 'SignalReceived',
  data: {
    id: id ?? `s${(signals += 1)}`,
    event: typeof event === 'string' ? { type: event } : event,
  },
});

const openStep = (state: RunState, name: string): { invocation: string; attempt: number } => {
  const step = [...state.steps.values()].find((each) =>
    [each.name, each.actor, each.invocation].includes(name),
  );
  expect(step, `an open step ${name}`).toBeDefined();
  return { invocation: step!.invocation, attempt: step!.attempt };
};

/** The open step of that name, actor id or invocation succeeds. */
export const succeeds =
  (name: string, output?: unknown): Given =>
  (state) => ({
    type: 'StepSucceeded',
    data: { ...openStep(state, name), ...(output === undefined ? {} : { output }) },
  });

export const fails =
  (name: string, error = { code: 'step.failed', message: 'no' }): Given =>
  (state) => ({ type: 'StepFailed', data: { ...openStep(state, name), error } });

export const fires = (id: string): Fact<'TimerFired'> => ({ type: 'TimerFired', data: { id } });

const openChild = (state: RunState, actor: string): string => {
  const run = [...state.children.values()].find((each) => each.actor === actor)?.run;
  expect(run, `an open child ${actor}`).toBeDefined();
  return run!;
};

export const childCompletes =
  (actor: string, output?: unknown): Given =>
  (state) => ({
    type: 'ChildCompleted',
    data: { run: openChild(state, actor), ...(output === undefined ? {} : { output }) },
  });

export const childFails =
  (actor: string, error = { code: 'run.failed', message: 'no' }): Given =>
  (state) => ({ type: 'ChildFailed', data: { run: openChild(state, actor), error } });

export const cancels = (reason = 'enough'): Fact<'CancelRequested'> => ({
  type: 'CancelRequested',
  data: { reason },
});
