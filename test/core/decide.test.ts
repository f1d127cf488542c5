import { describe, expect, test, vi } from 'vitest';
import { assign, createMachine, enqueueActions, fromPromise, setup, spawnChild } from 'xstate';
import { decide, decideStart, quarantined } from '../../src/core/decide.ts';
import { owed } from '../../src/core/effects.ts';
import type { Fact } from '../../src/core/journal-events.ts';
import { newRun } from '../../src/core/run-state.ts';
import {
  asDurable,
  cancels,
  fails,
  given,
  Lab,
  signal,
  startedData,
  succeeds,
  visible,
  type Given,
} from './kit.ts';

const work = fromPromise(() => Promise.resolve(1));
const { createMachine: make } = setup({ actors: { work } });

const startOf = (machine: object, input?: unknown) => {
  const durable = asDurable(machine);
  const data = startedData(durable, input === undefined ? {} : { input });
  const state = newRun('m.k', data, { machine: durable, at: '2026-01-01T00:00:00.000Z' });
  return decideStart(state, { type: 'RunStarted', data }, 0);
};

describe('the start', () => {
  test('the state it leads to comes first, from nowhere', () => {
    const machine = make({ id: 'm', version: '1', initial: 'a', states: { a: {} } });
    expect(startOf(machine).events.map(({ type }) => type)).toEqual(['RunStarted', 'StateChanged']);
    expect(startOf(machine).events[1]?.data).toMatchObject({ from: null, to: 'a', tags: [] });
  });

  test.each([
    [
      'a context that throws',
      {
        context: () => {
          throw new Error('boom');
        },
      },
      'workflow.start-failed',
    ],
    [
      'an entry action that throws',
      {
        entry: assign(() => {
          throw new Error('boom');
        }),
      },
      'workflow.start-failed',
    ],
    [
      'a context with a spawned actor',
      { context: ({ spawn }: never) => ({ a: (spawn as (n: string) => unknown)('work') }) },
      'workflow.start-failed',
    ],
    ['a context that JSON cannot hold', { context: { at: new Date(0) } }, 'input.not-json'],
    [
      'a child’s input that JSON cannot hold',
      { entry: spawnChild('work', { id: 'w', input: (() => new Map()) as never }) },
      'input.not-json',
    ],
  ])('%s is refused, and nothing is to be stored', (_, config, code) => {
    const machine = make({ id: 'm', version: '1', ...config } as never);
    expect(() => startOf(machine)).toThrow(expect.objectContaining({ code }) as Error);
  });

  test('the context is made of the input once, and not again at any later transition', () => {
    const context = vi.fn(({ input }: { input: unknown }) => ({ input }));
    const machine = make({
      id: 'm',
      version: '1',
      context,
      on: { go: { actions: assign({ n: 1 }) } },
    } as never);
    const durable = asDurable(machine);
    const { snapshot } = durable.start({ a: 1 }, false);
    durable.next(durable.next(snapshot, { type: 'go' }, false).snapshot, { type: 'go' }, false);
    expect(context).toHaveBeenCalledTimes(1);
  });
});

describe('facts that are none of the machine’s business', () => {
  const machine = make({ id: 'm', version: '1', invoke: { src: 'work', id: 'w' } });
  const invocation = 'work#1';

  test.each<Fact>([
    { type: 'StepAttemptStarted', data: { invocation, attempt: 1 } },
    {
      type: 'StepAttemptFailed',
      data: {
        invocation,
        attempt: 1,
        error: { code: 'x', message: '' },
        retryAt: 5,
        replies: 'kept',
      },
    },
    { type: 'ValueRecorded', data: { invocation, name: 'n', value: 1 } },
    {
      type: 'ArtifactStored',
      data: { invocation, name: 'a.md', sha256: '0'.repeat(64), bytes: 1, mediaType: 'text/plain' },
    },
    { type: 'TimerFired', data: { id: 'nobody' } },
    { type: 'ChildCompleted', data: { run: 'm.k~9' } },
    { type: 'SignalDelivered', data: { id: 'm.k/1' } },
    { type: 'RunPaused', data: { reason: 'r' } },
    { type: 'RunResumed', data: {} },
    { type: 'RunQuarantined', data: { revision: 1, reason: 'r', pending: false } },
  ])('$type is recorded alone', (fact) => {
    given(machine).when(fact).draws();
  });
});

describe('StateChanged', () => {
  const machine = make({
    id: 'm',
    version: '1',
    context: { n: 0 },
    on: {
      count: { actions: assign({ n: ({ context }) => context.n + 1 }) },
      same: { actions: assign({ n: ({ context }) => context.n }) },
    },
  });

  test('is drawn for a context that changed, even where the state did not', () => {
    given(machine)
      .when(signal('count'))
      .draws(['StateChanged', { from: {}, to: {} }]);
  });

  test('is not drawn when the context is another object of the same value', () => {
    given(machine).when(signal('same')).draws();
  });

  test('carries the hash of the context, so a replay that counts otherwise is found', () => {
    const [first, second] = [
      given(machine, signal('count')),
      given(machine, signal('count'), signal('count')),
    ];
    expect(first.state.contextHash).not.toBe(second.state.contextHash);
  });
});

describe('a fact that the machine cannot take', () => {
  let broken = true;
  const guard = (): boolean => {
    if (broken) throw new Error('boom');
    return true;
  };
  const region = (src: string) => ({
    initial: 'on',
    states: {
      on: { invoke: { id: src, src: 'work', onDone: { guard, target: 'off' }, onError: 'off' } },
      off: { type: 'final' as const },
    },
  });
  const machine = make({
    id: 'm',
    version: '1',
    initial: 'both',
    states: {
      both: {
        type: 'parallel',
        states: { a: region('a'), b: region('b') },
        onDone: 'next',
        on: { poke: {} },
      },
      next: { invoke: { id: 'c', src: 'work', onDone: 'end' } },
      end: { type: 'final' },
    },
  } as never);
  const broke = (...facts: Given[]): Lab => {
    broken = true;
    return given(machine, succeeds('a', 'paid'), ...facts);
  };

  test('is kept, and the run is quarantined at its revision', () => {
    const lab = broke();
    expect(lab.events.slice(-2)).toEqual([
      { type: 'StepSucceeded', data: { invocation: 'work#1', attempt: 1, output: 'paid' } },
      {
        type: 'RunQuarantined',
        data: { revision: 4, pending: true, reason: expect.stringMatching(/boom/) as string },
      },
    ]);
    expect(owed(lab.state)).toEqual([]);
  });

  test('what comes after it is kept in order, and moves nothing', () => {
    const lab = broke();
    given(lab).when(succeeds('b', 'paid too')).draws();
    given(lab).when(signal('poke', 'once')).draws();
    expect(lab.state.quarantine?.pending.map(({ fact }) => fact.type)).toEqual([
      'StepSucceeded',
      'StepSucceeded',
      'SignalReceived',
    ]);
    expect(lab.state.signals.has('once')).toBe(true);
    expect(lab.state.snapshot.value).toEqual({ both: { a: 'on', b: 'on' } });
  });

  test('a resume takes all of it, so no recorded result is ever asked for again', () => {
    const lab = broke(succeeds('b', 'paid too'), signal('poke'));
    broken = false;
    given(lab)
      .when({ type: 'RunResumed', data: {} })
      .draws(
        ['StateChanged', { to: { both: { a: 'off', b: 'on' } } }],
        ['StateChanged', { from: { both: { a: 'off', b: 'on' } }, to: 'next' }],
        ['StepScheduled', { invocation: 'work#3', actor: 'c' }],
      );
    expect(lab.state.quarantine).toBe(undefined);
    expect([...lab.state.steps.keys()]).toEqual(['work#3']);
    given(lab)
      .when(succeeds('c'))
      .draws(['StateChanged', { to: 'end' }], ['RunCompleted']);
  });

  test('a run that does not replay for a while forgets nothing of it', () => {
    const lab = broke(succeeds('b', 'paid too'));
    const data = { revision: 3, reason: 'another machine drew otherwise', pending: false };
    given(lab).when({ type: 'RunQuarantined', data }).draws();
    expect(lab.state.quarantine).toMatchObject({ revision: 3, reason: data.reason });
    broken = false;
    given(lab)
      .when({ type: 'RunResumed', data: {} })
      .draws(['StateChanged'], ['StateChanged', { to: 'next' }], ['StepScheduled', { actor: 'c' }]);
    expect([...lab.state.steps.keys()]).toEqual(['work#3']);
  });

  test('a resume that fails at one of them changes nothing and names its revision', () => {
    const lab = broke(succeeds('b', 'paid too'));
    given(lab)
      .when({ type: 'RunResumed', data: {} })
      .draws(['RunQuarantined', { revision: 4, pending: true }]);
    expect(lab.state.quarantine?.pending).toHaveLength(2);
    expect([lab.state.steps.size, lab.state.resumes]).toEqual([2, 0]);
  });

  test('the replies of a step that is still in flight are booked meanwhile', () => {
    const data = { invocation: 'work#2', attempt: 1, name: 'v', value: 1 };
    const lab = broke({ type: 'ValueRecorded', data });
    expect(lab.state.steps.get('work#2')?.values.get('v')).toBe(1);
  });

  test('a cancellation ends the run, and what it held is history', () => {
    const lab = broke(succeeds('b'));
    given(lab)
      .when(cancels())
      .draws(['StepCancelled'], ['StepCancelled'], ['RunCancelled', { reason: 'enough' }]);
    expect(lab.state.quarantine).toBe(undefined);
  });

  test('a fact that ends the run during a resume leaves the others without effect', () => {
    const ending = make({
      id: 'm',
      version: '1',
      initial: 'a',
      states: {
        a: {
          invoke: [
            { id: 'x', src: 'work', onDone: { guard, target: 'z' } },
            { id: 'y', src: 'work' },
          ],
        },
        z: { type: 'final' },
      },
    } as never);
    broken = true;
    const lab = given(ending, succeeds('x'), fails('y'));
    broken = false;
    given(lab)
      .when({ type: 'RunResumed', data: {} })
      .draws(
        ['StateChanged', { to: 'z' }],
        ['StepCancelled', { invocation: 'work#2' }],
        ['RunCompleted'],
      );
    expect(lab.state.ending).toBe('completed');
  });
});

describe('what cannot be taken by any machine', () => {
  const doing = (actions: unknown) =>
    make({ id: 'm', version: '1', context: {}, on: { go: { actions } } } as never);

  test('spawn() in assign is refused with what to use instead', () => {
    for (const keep of [true, false]) {
      const spawning = assign(({ spawn }) => {
        const ref: unknown = spawn('work' as never, { id: 'w' } as never);
        return keep ? { ref } : {};
      });
      given(doing(spawning))
        .when(signal('go'))
        .draws(['RunQuarantined', { reason: expect.stringMatching(/use spawnChild with an id/) }]);
    }
  });

  test('a reference to an actor in the context is refused with its path', () => {
    given(doing(assign(({ self }) => ({ me: { deep: self } }))))
      .when(signal('go'))
      .draws([
        'RunQuarantined',
        { reason: expect.stringMatching(/at \$\.me\.deep: an actor reference does not survive/) },
      ]);
  });

  test('a context that nests too deep, or in a circle, is refused without overflowing the stack', () => {
    const deep = assign(() => {
      let value: object = {};
      for (let n = 0; n < 100_000; n += 1) value = { value };
      return { value };
    });
    const circle = assign(() => {
      const value: Record<string, unknown> = {};
      value['self'] = value;
      return { value };
    });
    for (const actions of [deep, circle]) {
      given(doing(actions))
        .when(signal('go'))
        .draws(['RunQuarantined', { reason: expect.stringMatching(/nests deeper than 64/) }]);
    }
  });

  test.each([
    ['an inline actor', [createMachine({ id: 'kid' }), { id: 'k' }], /inline actor/],
    ['a systemId', ['work', { id: 'w', systemId: 's' }], /systemId/],
    ['an unknown actor', ['nobody', { id: 'n' }], /setup\(\{ actors \}\) lacks/],
  ])('%s that enqueueActions hides is refused at its decision', (_, spawn, reason) => {
    const hidden = enqueueActions(({ enqueue }) =>
      enqueue.spawnChild(...(spawn as [never, never])),
    );
    vi.spyOn(console, 'warn').mockReturnValueOnce();
    given(doing(hidden))
      .when(signal('go'))
      .draws(['RunQuarantined', { reason: expect.stringMatching(reason) }]);
  });
});

test('quarantined keeps a fact whose consequences could not be stored', () => {
  const lab = new Lab(make({ id: 'm', version: '1' }));
  const fact = signal('go');
  expect(quarantined(lab.state, fact, new Error('too large')).events).toEqual([
    fact,
    { type: 'RunQuarantined', data: { revision: 2, reason: 'too large', pending: true } },
  ]);
});

test('a decision changes nothing by itself, and is the same when it is drawn again', () => {
  const machine = make({
    id: 'm',
    version: '1',
    invoke: { src: 'work', id: 'w' },
    on: { go: { actions: spawnChild('work', { id: 'v' }) } },
  });
  const { state, now } = new Lab(machine);
  const before = JSON.stringify(visible(state));
  const fact = signal('go');
  expect(decide(state, fact, now).events).toEqual(decide(state, fact, now).events);
  expect(JSON.stringify(visible(state))).toBe(before);
});
