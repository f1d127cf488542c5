/** Random machines, and random lives of their runs: whatever can happen at a state, happens sooner or later. */
import * as fc from 'fast-check';
import {
  assign,
  cancel,
  createMachine,
  emit,
  fromPromise,
  raise,
  sendTo,
  setup,
  spawnChild,
  stopChild,
} from 'xstate';
import { isEclError } from '../../src/core/errors.ts';
import type { Fact } from '../../src/core/journal-events.ts';
import type { RunState } from '../../src/core/run-state.ts';
import { Lab } from './kit.ts';

interface Counted {
  readonly n: number;
  readonly list: readonly object[];
}
const counted = (context: unknown): Counted => context as Counted;

const { createMachine: make } = setup({
  actors: {
    work: fromPromise(() => Promise.resolve(1)),
    kid: createMachine({ id: 'kid', initial: 'a', states: { a: {} } }),
  },
  guards: {
    even: ({ context }) => counted(context).n % 2 === 0,
    odd: ({ context }) => counted(context).n % 2 === 1,
  },
  actions: {
    count: assign({ n: ({ context }) => counted(context).n + 1 }),
    push: assign({ list: ({ context }) => [...counted(context).list, { n: counted(context).n }] }),
    clear: assign({ list: [], gone: undefined }),
    keep: assign({ last: ({ event }) => event['output'] ?? event['error'] ?? null }),
    say: emit(({ context }) => ({ type: 'said', n: counted(context).n })),
    remind: raise({ type: 'a' }, { id: 'r', delay: 5_000 }),
    ping: raise({ type: 'b' }, { delay: 7_000 }),
    forget: cancel('r'),
    tellSelf: sendTo(({ self }) => self, { type: 'c' }),
    spawnWork: spawnChild('work', { id: 'w', input: ({ context }) => counted(context).n }),
    spawnNameless: spawnChild('work'),
    spawnKid: spawnChild('kid', { id: 'k' }),
    tellKid: sendTo('k', { type: 'hello' }),
    tellKidLater: sendTo('k', { type: 'hello' }, { id: 'r', delay: 9_000 }),
    stopWork: stopChild('w'),
    stopKid: stopChild('k'),
  },
});

const action = fc.oneof(
  {
    arbitrary: fc.constantFrom(
      'count',
      'push',
      'clear',
      'keep',
      'say',
      'remind',
      'ping',
      'forget',
      'tellSelf',
      'spawnWork',
      'spawnNameless',
      'spawnKid',
      'stopWork',
      'stopKid',
    ),
    weight: 15,
  },
  // These throw where there is no such child: the run is quarantined.
  { arbitrary: fc.constantFrom('tellKid', 'tellKidLater'), weight: 1 },
);
const actions = fc.array(action, { maxLength: 3 });
const name = fc.constantFrom('s0', 's1', 's2');
const target = fc.option(name, { nil: undefined, freq: 3 });
const transition = fc.record(
  {
    target,
    actions,
    guard: fc.constantFrom('even', 'odd'),
    reenter: fc.boolean(),
  },
  { requiredKeys: ['target', 'actions'] },
);

const invoke = fc.record(
  {
    src: fc.constantFrom('work', 'kid'),
    onDone: transition,
    onError: transition,
    id: fc.constantFrom('i', 'j'),
  },
  { requiredKeys: ['src', 'onDone'] },
);

const state = fc.record(
  {
    entry: actions,
    exit: actions,
    on: fc.dictionary(fc.constantFrom('a', 'b', 'c', '*'), transition),
    invoke: fc.array(invoke, { maxLength: 2 }),
    after: fc.dictionary(fc.constantFrom('1000', '60000'), transition),
    tags: fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 2 }),
  },
  { requiredKeys: ['on'] },
);

const region = fc.record({
  initial: name,
  states: fc.record({ s0: state, s1: state, s2: fc.oneof(state, fc.constant({ type: 'final' })) }),
});

const history = (kind: string): object => ({ type: 'history', history: kind });

const regions = fc.oneof(
  region,
  fc.record({
    type: fc.constant('parallel'),
    states: fc.record({ q: region, p: region, m: region }),
  }),
);

/** The config of a machine that can also be left and entered again, by `pause` and `back`. */
export const randomConfig = fc
  .tuple(regions, fc.constantFrom('shallow', 'deep'), fc.boolean())
  .map(([inner, kind, fails]): object => ({
    id: 'm',
    version: '1',
    context: { n: 0, list: [] },
    initial: 'active',
    states: {
      active: { ...inner, states: { ...inner.states, back: history(kind) }, onDone: 'over' },
      paused: { on: { back: 'active.back', end: 'over' } },
      over: { type: 'final', ...(fails ? { tags: 'failed' } : {}) },
    },
    on: { pause: '.paused' },
  }));

const bookings = (invocation: string, attempt: number): Fact[] => [
  { type: 'StepAttemptStarted', data: { invocation, attempt } },
  {
    type: 'StepAttemptFailed',
    data: {
      invocation,
      attempt,
      error: { code: 'model.timeout', message: 'slow' },
      retryAt: 5,
      replies: attempt % 2 === 0 ? 'kept' : 'discarded',
    },
  },
  { type: 'ValueRecorded', data: { invocation, name: `v${attempt}` } },
];

/** Everything that could come next. */
const possibleFacts = (state: RunState, n: number): Fact[] => [
  ...['a', 'b', 'c', 'd', 'a', 'b', 'c', 'pause', 'back', 'end'].map((type): Fact => ({
    type: 'SignalReceived',
    data: { id: `s${n}`, event: { type } },
  })),
  ...[...state.steps.values()].flatMap(({ invocation, attempt }): Fact[] => [
    { type: 'StepSucceeded', data: { invocation, attempt, output: { n, none: undefined } } },
    { type: 'StepFailed', data: { invocation, attempt, error: { code: 'x', message: 'no' } } },
    { type: 'StepInterrupted', data: { invocation, attempt } },
    ...bookings(invocation, attempt),
  ]),
  ...[...state.timers.keys()].map((id): Fact => ({ type: 'TimerFired', data: { id } })),
  ...[...state.children.keys()].flatMap((run): Fact[] => [
    { type: 'ChildCompleted', data: { run, output: n } },
    { type: 'ChildFailed', data: { run, error: { code: 'x', message: 'no' } } },
  ]),
  ...[...state.outbox.keys()].map((id): Fact => ({ type: 'SignalDelivered', data: { id } })),
  { type: 'StepSucceeded', data: { invocation: `work#${n}`, attempt: 1 } },
  { type: 'RunResumed', data: {} },
  ...(n % 7 === 0 ? ([{ type: 'RunPaused', data: { reason: 'r' } }] satisfies Fact[]) : []),
  ...(n > 12 ? ([{ type: 'CancelRequested', data: { reason: 'enough' } }] satisfies Fact[]) : []),
];

/** Which of the possible facts comes next, again and again. */
export const randomPicks = fc.array(fc.nat({ max: 1_000 }), { maxLength: 20 });

export const randomMachine = (config: object): object => {
  const output = ({ context }: never): object => ({ n: counted(context).n });
  return make({ ...config, output } as never);
};

/** A machine that cannot start is no example. */
const started = (config: object): Lab => {
  try {
    return new Lab(randomMachine(config), { replayEvery: 7 });
  } catch (error) {
    fc.pre(!isEclError(error, 'workflow.start-failed'));
    throw error;
  }
};

export const play = (config: object, picks: readonly number[]): Lab => {
  const lab = started(config);
  picks.forEach((pick, n) => {
    const facts = possibleFacts(lab.state, n);
    lab.take(facts[pick % facts.length]!);
  });
  return lab;
};
