import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  assign,
  createActor,
  createMachine,
  fromPromise,
  setup,
  type AnyMachineSnapshot,
} from 'xstate';
import {
  acceptedEvents,
  covers,
  durableMachine,
  isExternal,
  isParentStub,
  isSelf,
} from '../../src/core/durable-machine.ts';
import { asDurable, Lab, throughJson } from './kit.ts';

const work = fromPromise(() => Promise.resolve(1));

describe('a durable machine', () => {
  test('has the id and the version of its config, or the version it is given in its place', () => {
    const machine = createMachine({ id: 'm', version: '2' });
    expect(durableMachine(machine)).toMatchObject({ id: 'm', version: '2' });
    expect(durableMachine(machine, { version: '3' }).version).toBe('3');
    expect(durableMachine(createMachine({ id: 'm' }), { version: '1' }).version).toBe('1');
  });

  test('gives its version to the machines it invokes, unless they have their own', () => {
    const kids = {
      one: createMachine({ id: 'one' }),
      two: createMachine({ id: 'two', version: '7' }),
    };
    const machine = durableMachine(setup({ actors: kids }).createMachine({ id: 'm' }) as never, {
      version: '3',
    });
    expect(machine.logic('one')).toMatchObject({ machine: { version: '3' } });
    expect(machine.logic('two')).toMatchObject({ machine: { version: '7' } });
    expect(machine.logic('toString')).toBe(undefined);
  });

  test('starts none of its actors, named or inline', () => {
    const run = vi.fn(() => Promise.resolve(1));
    const context = vi.fn(() => ({}));
    const kid = createMachine({ id: 'kid', context });
    const machine = setup({ actors: { named: fromPromise(run), kid } }).createMachine({
      id: 'm',
      version: '1',
      invoke: [{ src: 'named' }, { src: fromPromise(run) }, { src: 'kid' }, { src: kid }],
      on: { go: { actions: assign({}) } },
    } as never);
    const durable = asDurable(machine);
    const { snapshot } = durable.start(undefined, false);
    const restored = durable.restore(throughJson(durable.persist(snapshot)));
    durable.next(restored, { type: 'go' }, false);
    expect([run, context].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
  });

  test('an invoked machine that never comes to rest does not hang its parent', () => {
    const loop = createMachine({
      id: 'loop',
      initial: 'a',
      states: { a: { always: 'b' }, b: { always: 'a' } },
    });
    const parent = setup({ actors: { loop } }).createMachine({
      id: 'm',
      version: '1',
      invoke: [{ src: 'loop' }, { src: loop }],
    } as never);
    expect(new Lab(parent).state.children.size).toBe(2);
  });

  test('knows its actors by name, and machines among them as durable ones with a version', () => {
    const kid = createMachine({ id: 'kid' });
    const machine = asDurable(
      setup({ actors: { work, kid } }).createMachine({
        id: 'm',
        version: '3',
        initial: 'a',
        states: { a: { invoke: [{ src: 'work' }, { src: kid }, { src: work }] } },
      } as never),
    );
    expect(machine.sources).toEqual(['work', 'kid', 'xstate.invoke.1.m.a', 'xstate.invoke.2.m.a']);
    expect(machine.logic('work')).toEqual({ step: work });
    expect(machine.logic('xstate.invoke.2.m.a')).toEqual({ step: work });
    expect(machine.logic('xstate.invoke.1.m.a')).toMatchObject({
      machine: { id: 'kid', version: '3' },
    });
    expect(machine.logic('kid')).toBe(machine.logic('kid'));
    expect([machine.logic('nobody'), machine.logic('xstate.invoke.7.m.a')]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('a limit of microsteps that its author set is kept', () => {
    const machine = asDurable(
      createMachine({
        id: 'm',
        version: '1',
        options: { maxIterations: 3 },
        context: { n: 0 },
        initial: 'a',
        states: {
          a: {
            always: {
              guard: ({ context }: { context: { n: number } }) => context.n < 9,
              target: 'a',
              reenter: true,
              actions: assign({ n: ({ context }) => context['n'] + 1 }),
            },
          },
        },
      } as never),
    );
    expect(machine.start(undefined, false).snapshot).toMatchObject({
      status: 'error',
      error: { message: /more than 3 microsteps/ },
    });
  });

  test('tells itself and its parent from other actors', () => {
    expect([isSelf({}), isSelf(null), isSelf('m'), isSelf(createActor(createMachine({})))]).toEqual(
      [false, false, false, false],
    );
    expect([
      isParentStub({ id: '#_parent' }),
      isParentStub({ id: 'x' }),
      isParentStub(undefined),
      isParentStub('#_parent'),
    ]).toEqual([true, false, false, false]);
  });

  test('the runs of a machine do not see each other', () => {
    const machine = asDurable(
      createMachine({
        id: 'm',
        version: '1',
        context: { n: 0 },
        on: { go: { actions: assign({ n: ({ context }) => context['n'] + 1 }) } },
      }),
    );
    const one = machine.start(undefined, false).snapshot;
    const two = machine.next(
      machine.start(undefined, false).snapshot,
      { type: 'go' },
      false,
    ).snapshot;
    expect([one.context, two.context]).toEqual([{ n: 0 }, { n: 1 }]);
  });
});

describe('events from outside', () => {
  const machine = asDurable(
    setup({ actors: { work } }).createMachine({
      id: 'm',
      version: '1',
      initial: 'a',
      states: {
        a: {
          on: { 'a.one': 'b', 'order.*': 'b', 'a.two': {} },
          always: { guard: () => false, target: 'b' },
          after: { 5: 'b' },
          invoke: { src: 'work', onDone: 'b', onError: 'b' },
        },
        b: { on: { '*': 'c' } },
        c: { type: 'final' },
      },
      on: { 'a.zero': '.c', 'a.two': '.c' },
    } as never),
  );
  const at = (...types: string[]): AnyMachineSnapshot =>
    types.reduce(
      (snapshot, type) => machine.next(snapshot, { type }, false).snapshot,
      machine.start(undefined, false).snapshot,
    );

  test('are those that a config names, and none of XState’s own', () => {
    expect([...machine.events].toSorted()).toEqual(['*', 'a.one', 'a.two', 'a.zero', 'order.*']);
    expect(acceptedEvents(at())).toEqual(['a.one', 'a.zero', 'order.*']);
    expect(acceptedEvents(at('xstate.after.5.m.a'))).toEqual(['*', 'a.two', 'a.zero']);
  });

  test('are not those that an active state forbids to the states around it', () => {
    expect(acceptedEvents(at())).not.toContain('a.two');
    expect(at().can({ type: 'a.two' })).toBe(false);
  });

  test('are none at the end', () => {
    expect(acceptedEvents(at('xstate.after.5.m.a', 'any'))).toEqual([]);
  });

  test.each(['', '*', 'xstate.init', 'xstate.stop', 'xstate.done.actor.x'])(
    '"%s" cannot be one',
    (type) => {
      expect(isExternal(type)).toBe(false);
      expect(['*', type, 'xstate.*'].some((descriptor) => covers(descriptor, type))).toBe(false);
    },
  );

  test('a descriptor covers what XState takes by it', () => {
    const token = fc.constantFrom('a', 'b', 'order', 'placed');
    const type = fc.array(token, { minLength: 1, maxLength: 3 }).map((tokens) => tokens.join('.'));
    const descriptor = fc.oneof(
      type,
      type.map((tokens) => `${tokens}.*`),
      fc.constant('*'),
    );
    fc.assert(
      fc.property(descriptor, type, (on, sent) => {
        const single = createMachine({ initial: 'a', states: { a: { on: { [on]: 'b' } }, b: {} } });
        const actor = createActor(single).start();
        actor.send({ type: sent });
        expect(covers(on, sent)).toBe(actor.getSnapshot().value === 'b');
      }),
    );
  });
});
