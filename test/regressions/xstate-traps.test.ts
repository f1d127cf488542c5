/**
 * What goes wrong when XState alone is used to keep a run: each test shows the loss with persisted snapshots or plain
 * `transition()`, and that a run of ECL does not have it. When an update of XState changes one, its test says so.
 */
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  assign,
  createActor,
  emit,
  fromPromise,
  initialTransition,
  setup,
  SimulatedClock,
  spawnChild,
  transition,
  type AnyActor,
  type AnyMachineSnapshot,
  type AnyStateMachine,
} from 'xstate';
import { owed } from '../../src/core/effects.ts';
import { asDurable, fires, given, Lab, signal, succeeds, throughJson } from '../core/kit.ts';
import { randomConfig, randomMachine } from '../core/random-run.ts';

const machineOf = (machine: object): AnyStateMachine => machine as AnyStateMachine;

/** A restart as it is usually written: persist, stop, create again from what was persisted. */
const restarted = (actor: AnyActor, machine: object, options: object = {}): AnyActor => {
  const snapshot = throughJson(actor.getPersistedSnapshot());
  actor.stop();
  return createActor(machineOf(machine), { snapshot, ...options }) as AnyActor;
};

describe('a delay', () => {
  const machine = setup({}).createMachine({
    id: 'm',
    version: '1',
    initial: 'waiting',
    states: { waiting: { after: { 1000: 'late' } }, late: {} },
  });

  test('is lost when a persisted snapshot is restored', () => {
    const clock = new SimulatedClock();
    const actor = restarted(createActor(machine, { clock }).start(), machine, { clock }).start();
    clock.increment(1_000_000);
    expect((actor.getSnapshot() as AnyMachineSnapshot).value).toBe('waiting');
  });

  test('is owed by a run until it fires, across restarts', () => {
    const lab = new Lab(machine);
    expect(owed(lab.bySnapshot())).toMatchObject([
      { kind: 'timer', timer: { dueAt: lab.now + 1000 } },
    ]);
    given(lab)
      .when(fires('xstate.after.1000.m.waiting'))
      .draws(['StateChanged', { to: 'late' }]);
  });
});

describe('a promise in flight', () => {
  const flight = () => {
    const call = vi.fn(() => new Promise<never>(() => {}));
    const machine = setup({ actors: { call: fromPromise(call) } }).createMachine({
      id: 'm',
      version: '1',
      invoke: { src: 'call', id: 'draft' },
    });
    return { call, machine };
  };

  test('is called again when a persisted snapshot is restored', () => {
    const { call, machine } = flight();
    restarted(createActor(machine).start(), machine).start();
    expect(call).toHaveBeenCalledTimes(2);
  });

  test('stays the one invocation of a run, and no restore calls it', () => {
    const { call, machine } = flight();
    const lab = new Lab(machine);
    for (const state of [lab.state, lab.byReplay(), lab.bySnapshot()]) {
      expect(owed(state)).toMatchObject([{ kind: 'step', step: { invocation: 'call#1' } }]);
    }
    expect(call).not.toHaveBeenCalled();
  });
});

describe('a late answer of round 1', () => {
  const machine = setup({
    actors: { draft: fromPromise(() => new Promise<never>(() => {})) },
  }).createMachine({
    id: 'm',
    version: '1',
    context: { text: null },
    initial: 'drafting',
    states: {
      drafting: {
        invoke: {
          src: 'draft',
          id: 'draft',
          onDone: {
            target: 'done',
            actions: assign({ text: ({ event }) => event.output }),
          },
        },
        on: { again: { target: 'drafting', reenter: true } },
      },
      done: {},
    },
  });

  test('is taken for the answer of round 2, since both have the actor’s id', () => {
    const [start] = initialTransition(machine);
    const [roundTwo] = transition(machine, start, { type: 'again' });
    const late = {
      type: 'xstate.done.actor.draft',
      output: 'of round 1',
      actorId: 'draft',
    } as never;
    const [taken] = transition(machine, roundTwo, late);
    expect(taken).toMatchObject({ value: 'done', context: { text: 'of round 1' } });
  });

  test('is recorded by a run and moves nothing, since it names its invocation', () => {
    const lab = given(machine, signal('again'));
    const late = { invocation: 'draft#1', attempt: 1, output: 'of round 1' };
    given(lab).when({ type: 'StepSucceeded', data: late }).draws();
    given(lab)
      .when(succeeds('draft#2', 'of round 2'))
      .draws(['StateChanged', { to: 'done' }]);
    expect(lab.state.snapshot.context).toEqual({ text: 'of round 2' });
  });
});

describe('a state that the machine does not have any more', () => {
  const before = setup({}).createMachine({
    id: 'm',
    version: '1',
    initial: 'a',
    states: { a: {} },
  });
  const after = setup({}).createMachine({ id: 'm', version: '1', initial: 'b', states: { b: {} } });

  test('restores without a throw into an actor that is dead', () => {
    const actor = restarted(createActor(before).start(), after);
    actor.subscribe({ error: () => {} });
    actor.start();
    expect((actor.getSnapshot() as AnyMachineSnapshot).status).toBe('error');
  });

  test('is another structure, so the run is not taken up by that machine', () => {
    const lab = new Lab(before);
    expect(asDurable(after).structure).not.toBe(lab.machine.structure);
    expect(() =>
      new Lab(asDurable(after)).machine.restore(lab.machine.persist(lab.state.snapshot)),
    ).toThrow(/State 'a' does not exist/);
  });
});

describe('a loop that never comes to rest', () => {
  const loopOf = (stopAt: number) => {
    const seen = { count: 0 };
    const machine = setup({}).createMachine({
      id: 'm',
      version: '1',
      initial: 'idle',
      states: {
        idle: { on: { go: 'a' } },
        a: { always: { guard: () => (seen.count += 1) < stopAt, target: 'b' } },
        b: { always: 'a' },
      },
    });
    return { seen, machine };
  };

  test('goes on for as long as it likes: maxIterations is infinite', () => {
    const { seen, machine } = loopOf(5_000);
    expect(machine.options.maxIterations).toBe(Infinity);
    transition(machine, initialTransition(machine)[0], { type: 'go' });
    expect(seen.count).toBe(5_000);
  });

  test('is cut in a run, which is quarantined with the reason', () => {
    const { seen, machine } = loopOf(Infinity);
    const lab = new Lab(machine);
    given(lab)
      .when(signal('go'))
      .draws(['RunQuarantined', { reason: expect.stringMatching(/more than 1000 microsteps/) }]);
    // One decision live, and one in each lane that rebuilt the run.
    expect(seen.count).toBeLessThanOrEqual(3 * 501);
  });
});

describe('the context factory', () => {
  const counting = () => {
    const context = vi.fn(() => ({ n: 0 }));
    const machine = setup({}).createMachine({ id: 'm', version: '1', context, on: { go: {} } });
    return { context, machine };
  };

  test('is called by every plain transition(), without the input', () => {
    const { context, machine } = counting();
    const [start] = initialTransition(machine);
    context.mockClear();
    transition(machine, start, { type: 'go' });
    transition(machine, start, { type: 'go' });
    expect(context).toHaveBeenCalledTimes(2);
  });

  test('is called once in the life of a run', () => {
    const { context, machine } = counting();
    const durable = asDurable(machine);
    const { snapshot } = durable.start(undefined, false);
    durable.next(snapshot, { type: 'go' }, false);
    durable.restore(throughJson(durable.persist(snapshot)));
    expect(context).toHaveBeenCalledTimes(1);
  });
});

describe('an actor spawned in assign', () => {
  const work = vi.fn(() => Promise.resolve(1));
  const machine = setup({ actors: { work: fromPromise(work) } }).createMachine({
    id: 'm',
    version: '1',
    context: {},
    on: {
      go: {
        actions: assign(({ spawn }) => {
          spawn('work', { id: 'w' });
          return {};
        }),
      },
    },
  });

  test('is returned by no plain transition(): it never starts', () => {
    const [next, actions] = transition(machine, initialTransition(machine)[0], { type: 'go' });
    expect(actions).toEqual([]);
    expect(Object.keys(next.children)).toEqual(['w']);
  });

  test('is refused by a run, with what to use instead', () => {
    given(machine)
      .when(signal('go'))
      .draws(['RunQuarantined', { reason: expect.stringMatching(/use spawnChild/) }]);
  });
});

describe('an actor without an id', () => {
  const machine = setup({ actors: { work: fromPromise(() => Promise.resolve(1)) } }).createMachine({
    id: 'm',
    version: '1',
    on: { go: { actions: spawnChild('work') } },
  });
  const idIn = (snapshot: AnyMachineSnapshot): string => snapshot.children['undefined']!.id;

  test('is named by how many actors its process made before', () => {
    const durable = asDurable(machine);
    const { snapshot } = durable.start(undefined, false);
    const ids = [1, 2].map(() => idIn(durable.next(snapshot, { type: 'go' }, false).snapshot));
    expect(ids[0]).not.toBe(ids[1]);
  });

  test('is named by its invocation in a run', () => {
    given(machine)
      .when(signal('go'))
      .draws(['StepScheduled', { actor: 'work#1' }]);
  });
});

describe('parallel states', () => {
  const region = (name: string) => ({
    initial: 'off',
    states: {
      off: { on: { [name]: 'on' } },
      on: { on: { all: { actions: emit({ type: name }) } } },
    },
  });
  const machine = setup({}).createMachine({
    id: 'm',
    version: '1',
    type: 'parallel',
    states: { a: region('a'), b: region('b') },
  } as never);
  const emittedBy = (actor: AnyActor): string[] => {
    const seen: string[] = [];
    actor.on('*', ({ type }: { type: string }) => seen.push(type));
    actor.start().send({ type: 'all' });
    return seen;
  };
  const lived = (): AnyActor => {
    const actor = createActor(machineOf(machine)).start() as AnyActor;
    for (const type of ['b', 'a']) actor.send({ type });
    return actor;
  };

  test('act in the order in which they were entered, until a restore', () => {
    const orders = [emittedBy(lived()), emittedBy(restarted(lived(), machine))];
    expect(orders[0]).toHaveLength(2);
    expect(orders[0]!.toSorted()).toEqual(orders[1]!.toSorted());
  });

  test('act in document order in a run', () => {
    for (const order of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      given(machine, ...order.map((type) => signal(type)))
        .when(signal('all'))
        .draws(
          ['EventEmitted', { event: { type: 'a' } }],
          ['EventEmitted', { event: { type: 'b' } }],
        );
    }
  });
});

describe('events with names of XState’s own', () => {
  const machine = setup({}).createMachine({
    id: 'm',
    version: '1',
    on: { '*': { actions: emit({ type: 'any' }) } },
  });

  test('stop or break an actor that takes them from outside', () => {
    const [start] = initialTransition(machine);
    expect(transition(machine, start, { type: 'xstate.stop' })[0].status).toBe('stopped');
    expect(() => transition(machine, start, { type: '*' })).toThrow(/wildcard/);
  });

  test('move no run', () => {
    for (const type of ['xstate.stop', '*']) given(machine).when(signal(type)).draws();
  });
});

describe('the inert scope, which is semi-internal', () => {
  interface Ref {
    readonly id: string;
    readonly sessionId: string;
    readonly _parent?: object;
  }
  const isRef = (value: unknown): value is Ref =>
    typeof value === 'object' && value !== null && 'sessionId' in value;

  /** Actions as data: refs by their id, self as such, functions by name. */
  const plain = (value: unknown): unknown => {
    if (typeof value === 'function') return '[function]';
    if (isRef(value)) {
      if (value._parent === undefined) return '[self]';
      return value.id === value.sessionId ? '[nameless]' : `[${value.id}]`;
    }
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
  };
  const actionsOf = (actions: readonly { type: string; params?: unknown }[]): unknown =>
    actions.map(({ type, params }) => ({ type, params: plain(params) }));
  const stateOf = ({
    value,
    context,
    status,
    output,
    children,
    historyValue,
    _nodes,
  }: AnyMachineSnapshot): unknown => ({
    value,
    context: plain(context),
    status,
    output: output as unknown,
    children: Object.keys(children as object),
    history: Object.entries(historyValue as Record<string, { id: string }[]>).map(([id, nodes]) => [
      id,
      nodes.map((node) => node.id).toSorted(),
    ]),
    nodes: _nodes.map(({ id }: { id: string }) => id).toSorted(),
  });

  test('gives the snapshots and the actions that the public transition() gives', () => {
    const event = fc.constantFrom(
      'a',
      'b',
      'c',
      'pause',
      'back',
      'end',
      'xstate.done.actor.i',
      'xstate.error.actor.j',
      'xstate.done.actor.w',
    );
    fc.assert(
      fc.property(randomConfig, fc.array(event, { maxLength: 12 }), (config, types) => {
        const durable = asDurable(randomMachine(config));
        const { machine } = durable;
        let now = durable.start(undefined, false);
        const [initial, first] = initialTransition(machine);
        expect(stateOf(now.snapshot)).toEqual(stateOf(initial));
        if (now.snapshot.status !== 'error')
          expect(actionsOf(now.actions)).toEqual(actionsOf(first));
        for (const type of types) {
          if (now.snapshot.status !== 'active') return;
          const attempt = <Value>(take: () => Value): Value | string => {
            try {
              return take();
            } catch (error) {
              return String(error);
            }
          };
          const { snapshot } = now;
          const own = attempt(() => durable.next(snapshot, { type }, false));
          const theirs = attempt(() => transition(machine, snapshot, { type }));
          if (typeof own === 'string' || typeof theirs === 'string') {
            expect(own).toBe(theirs);
            return;
          }
          expect(stateOf(own.snapshot)).toEqual(stateOf(theirs[0]));
          expect(actionsOf(own.actions)).toEqual(actionsOf(theirs[1]));
          now = own;
        }
      }),
      { numRuns: 150 },
    );
  });
});
