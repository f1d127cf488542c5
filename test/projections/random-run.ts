/**
 * Runs that nobody would write: machines of all kinds driven through the real core by any sequence of facts, as far as
 * the runtime could record it.
 */
import { assign, emit, fromPromise, sendTo, setup } from 'xstate';
import { causationOf } from '../../src/core/causation.ts';
import { decide, decideStart, type Decision } from '../../src/core/decide.ts';
import { durableMachine } from '../../src/core/durable-machine.ts';
import { applyDecision } from '../../src/core/evolve.ts';
import { journalStream } from '../../src/core/ids.ts';
import { sealDecision } from '../../src/core/journal-codec.ts';
import type { Fact, JournalData, MachineEvent } from '../../src/core/journal-events.ts';
import { newRun, type RunState } from '../../src/core/run-state.ts';
import type { EventData, RecordedEvent } from '../../src/ports/event-store.ts';

/** While it is set, guards fail, and so the machine cannot take the events that they guard. */
const trap = { isSet: false };

const kid = setup({}).createMachine({
  id: 'kid',
  version: '1.0.0',
  initial: 'here',
  states: { here: { on: { hello: 'gone', later: 'gone' } }, gone: { type: 'final' } },
});

const guarded = { guard: 'isSafe', actions: 'count' } as const;

const office = setup({
  types: {
    context: {} as { n: number },
    events: {} as MachineEvent,
    emitted: {} as { type: 'rang' },
    children: {} as { kid: 'kid' },
  },
  actors: { work: fromPromise(() => Promise.resolve(1)), kid },
  guards: {
    isSafe: () => {
      if (trap.isSet) throw new Error('the guard failed');
      return true;
    },
  },
  actions: { count: assign({ n: ({ context }) => context.n + 1 }) },
}).createMachine({
  id: 'office',
  version: '1.0.0',
  context: { n: 0 },
  initial: 'idle',
  states: {
    idle: {
      on: { work: 'working', split: 'split', wait: 'waiting', adopt: 'family', sleep: 'sleeping' },
    },
    working: {
      invoke: {
        src: 'work',
        onDone: { target: 'idle', ...guarded },
        onError: { target: 'broken', ...guarded },
      },
      after: { 10_000: { target: 'idle', ...guarded } },
      on: { stop: 'idle', poison: guarded },
    },
    split: {
      type: 'parallel',
      states: {
        left: {
          initial: 'busy',
          states: {
            busy: { invoke: { src: 'work', onDone: 'done', onError: 'done' } },
            done: { type: 'final' },
          },
        },
        right: {
          initial: 'busy',
          states: {
            busy: {
              invoke: { src: 'work', onDone: { target: 'done', ...guarded }, onError: 'done' },
              after: { 500: 'done' },
            },
            done: { type: 'final' },
          },
        },
      },
      onDone: 'idle',
    },
    waiting: {
      after: { 60_000: 'idle' },
      on: {
        approved: 'done',
        rejected: 'broken',
        ring: { actions: emit({ type: 'rang' }) },
        poison: guarded,
      },
    },
    sleeping: { after: { 90_000: 'idle' } },
    family: {
      invoke: { src: 'kid', id: 'kid', onDone: { target: 'waiting', ...guarded }, onError: 'idle' },
      entry: [
        sendTo('kid', { type: 'hello' }),
        sendTo('kid', { type: 'later' }, { delay: 3_000, id: 'reminder' }),
      ],
      on: { leave: 'working', poison: guarded },
    },
    done: { type: 'final' },
    broken: { type: 'final', tags: ['failed'] },
  },
});

const machine = durableMachine(office as never);
const signals = 'work split wait adopt sleep stop poison approved rejected ring leave'.split(' ');
const startedAt = Date.parse('2026-01-01T00:00:00.000Z');

/** One thing that may happen, chosen by numbers. */
export interface Choice {
  readonly kind: number;
  readonly pick: number;
}

export class RandomRun {
  readonly id: string;
  readonly state: RunState;
  readonly events: RecordedEvent[] = [];
  #now = startedAt;

  constructor(id = 'office.k', parent?: { run: string; actor: string }) {
    this.id = id;
    const data: JournalData<'RunStarted'> = {
      workflow: 'office',
      version: machine.version,
      structure: machine.structure,
      tenant: 'default',
      input: { topic: 'the sea', pages: 12 },
      inputHash: '',
      depth: parent === undefined ? 0 : 1,
      ...(parent === undefined ? {} : { parent }),
    };
    this.state = newRun(id, data, { machine, at: this.#at() });
    this.#store(decideStart(this.state, { type: 'RunStarted', data }, this.#now));
  }

  /** Lets something happen; returns the events of the decision, none when it cannot happen now. */
  next({ kind, pick }: Choice): RecordedEvent[] {
    const before = this.events.length;
    trap.isSet = pick % 3 === 0;
    this.#now += 1_000 + pick;
    const makers = [
      () => this.#signal(pick),
      () => this.#signal(pick),
      () => this.#signal(pick),
      () => this.#stepEnds(pick),
      () => this.#stepEnds(pick),
      () => this.#stepGoesOn(pick),
      () => this.#timer(pick),
      () => this.#child(pick),
      () => this.#delivered(pick),
      () => this.#hold(pick),
      () => this.#resume(),
      () => this.#rare(pick),
    ];
    const fact = makers[kind % makers.length]!();
    if (fact !== undefined) this.#store(decide(this.state, fact, this.#now));
    trap.isSet = false;
    return this.events.slice(before);
  }

  /** Takes a fact that a test has chosen. */
  take(fact: Fact): RecordedEvent[] {
    const before = this.events.length;
    this.#now += 1_000;
    this.#store(decide(this.state, fact, this.#now));
    return this.events.slice(before);
  }

  /** As `take`, with a machine whose guards fail. */
  takeInTrap(fact: Fact): RecordedEvent[] {
    trap.isSet = true;
    const events = this.take(fact);
    trap.isSet = false;
    return events;
  }

  #signal(pick: number): Fact {
    const type = signals[pick % signals.length]!;
    return { type: 'SignalReceived', data: { id: `s${this.events.length}`, event: { type } } };
  }

  /** An open step, or now and then one that is not open any more. */
  #invocation(pick: number): string | undefined {
    const open = [...this.state.steps.keys()];
    return pick % 7 === 0 ? 'work#1' : open[pick % Math.max(1, open.length)];
  }

  #stepEnds(pick: number): Fact | undefined {
    const invocation = this.#invocation(pick);
    if (invocation === undefined) return undefined;
    const error = { code: 'step.failed', message: 'it went wrong' };
    const types: Fact[] = [
      { type: 'StepSucceeded', data: { invocation, attempt: 1, output: { text: 'x' } } },
      { type: 'StepFailed', data: { invocation, attempt: 1, error } },
      { type: 'StepInterrupted', data: { invocation, attempt: 1 } },
      { type: 'StepSucceeded', data: { invocation, attempt: 1 } },
    ];
    return types[pick % types.length];
  }

  #stepGoesOn(pick: number): Fact | undefined {
    const invocation = this.#invocation(pick);
    if (invocation === undefined) return undefined;
    const details = { model: 'anthropic:m' };
    const error = { code: 'model.timeout', message: 'no answer', details };
    const retryAt = this.#now + (pick % 30_000);
    const reply = {
      request: '',
      model: 'm',
      text: 'y',
      stopReason: 'end',
      usage: { inputTokens: pick % 100, outputTokens: 7 },
      cost: pick % 2 === 0 ? { usd: 0.25 } : { unknown: 'no price' },
      latencyMs: 5,
    };
    const types: Fact[] = [
      {
        type: 'StepAttemptFailed',
        data: { invocation, attempt: 1, error, retryAt, replies: 'kept' },
      },
      { type: 'StepAttemptStarted', data: { invocation, attempt: 1 } },
      { type: 'ModelReplied', data: { invocation, attempt: 1, call: 1, ...reply } },
      { type: 'ValueRecorded', data: { invocation, name: 'v', value: pick } },
      {
        type: 'ArtifactStored',
        data: {
          invocation,
          name: `${pick}.md`,
          sha256: String(pick % 10).repeat(64),
          bytes: pick,
          mediaType: 'text/markdown',
        },
      },
    ];
    return types[pick % types.length];
  }

  /** A run that is held fires no timers. */
  #timer(pick: number): Fact | undefined {
    const { pause, quarantine, timers } = this.state;
    const ids = [...timers.keys()];
    const id = ids[pick % Math.max(1, ids.length)];
    if (id === undefined || pause !== undefined || quarantine !== undefined) return undefined;
    return { type: 'TimerFired', data: { id } };
  }

  #child(pick: number): Fact | undefined {
    const runs = [...this.state.children.keys()];
    const run = pick % 9 === 0 ? 'office.k~99' : runs[pick % Math.max(1, runs.length)];
    if (run === undefined) return undefined;
    return pick % 2 === 0
      ? { type: 'ChildCompleted', data: { run, output: 1 } }
      : { type: 'ChildFailed', data: { run, error: { code: 'run.failed', message: 'no' } } };
  }

  #delivered(pick: number): Fact | undefined {
    const ids = [...this.state.outbox.keys()];
    const id = ids[pick % Math.max(1, ids.length)];
    return id === undefined ? undefined : { type: 'SignalDelivered', data: { id } };
  }

  #hold(pick: number): Fact | undefined {
    const error = { code: 'budget.exhausted', message: 'no money' };
    if (this.state.ending !== undefined || pick % 3 === 0) return undefined;
    if (pick % 2 === 0) return { type: 'RunPaused', data: { reason: 'a person wants it' } };
    const open = [...this.state.steps.keys()];
    const invocation = open[pick % Math.max(1, open.length)];
    const asked = invocation === undefined ? {} : { invocation };
    return { type: 'RunPaused', data: { reason: 'budget', error, ...asked } };
  }

  #resume(): Fact | undefined {
    const { pause, quarantine } = this.state;
    if (pause === undefined && quarantine === undefined) return undefined;
    return { type: 'RunResumed', data: {} };
  }

  #rare(pick: number): Fact | undefined {
    if (pick % 4 === 0 && this.state.ending === undefined) {
      return { type: 'CancelRequested', data: { reason: 'enough' } };
    }
    if (pick % 4 !== 1) return undefined;
    const { revision } = this.state;
    return { type: 'RunQuarantined', data: { revision, reason: 'it diverges', pending: false } };
  }

  #at(): string {
    return new Date(this.#now).toISOString();
  }

  #store(decision: Decision): void {
    const { state } = this;
    const stream = journalStream(this.id);
    const head = { stream, revision: state.revision, hash: state.hash };
    const sealed = sealDecision(decision.events, head, {
      correlation: state.root,
      causation: causationOf(state, decision.events[0] as Fact),
      tenant: 'default',
      at: this.#at(),
      writer: '019b76da-a800-7000-8000-000000000001',
    });
    applyDecision(state, decision, sealed.recorded);
    for (const event of sealed.events as readonly EventData[]) {
      const revision = this.events.length;
      this.events.push({ ...event, stream, revision, position: BigInt(revision + 1) });
    }
  }
}
