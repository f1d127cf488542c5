import { describe, expect, test } from 'vitest';
import {
  createMachine,
  enqueueActions,
  fromCallback,
  fromObservable,
  fromPromise,
  fromTransition,
  raise,
  setup,
  spawnChild,
  type AnyActorLogic,
} from 'xstate';
import { step } from '../../src/authoring/step.ts';
import { durableMachine } from '../../src/core/durable-machine.ts';
import { checkMachine, logicKind } from '../../src/core/machine-rules.ts';

const work = fromPromise(() => Promise.resolve(1));
const callback = fromCallback(() => {});
const observable = fromObservable(() => ({ subscribe: () => ({ unsubscribe: () => {} }) }));
const reducer = fromTransition((state: number) => state + 1, 0);

const check = (machine: object): void => checkMachine(machine as never);
const refusal = (reason: RegExp): Error =>
  expect.objectContaining({
    code: 'workflow.refused',
    message: expect.stringMatching(reason),
  }) as Error;

const withActor = (actor: AnyActorLogic, config: object = {}): object =>
  setup({ actors: { actor, work } }).createMachine({ id: 'm', version: '1', ...config } as never);

describe('actors', () => {
  test.each([
    ['fromCallback', callback],
    ['fromObservable', observable],
    ['fromTransition', reducer],
    [
      'fromTransition of a reducer that ends like a promise',
      fromTransition(
        (state: { status: string }, event) => ({
          ...state,
          status: 'done',
          output: (event as { data?: unknown }).data,
        }),
        { status: 'active' },
      ),
    ],
    [
      'fromTransition of a reducer that throws',
      fromTransition(() => {
        throw new Error('no');
      }, 0),
    ],
  ])('%s is refused, and the message says what to use instead', (_, actor) => {
    const reason =
      /the actor "actor" is a callback.*use step\(\) or fromPromise\(\).*a machine for behaviour.*signals/;
    expect(() => check(withActor(actor as AnyActorLogic))).toThrow(refusal(reason));
  });

  test('one that stands inline is refused with the state that invokes it', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { invoke: { src: callback } } },
    });
    expect(() => check(machine)).toThrow(refusal(/the actor "invoked in a"/));
  });

  test('one that a machine of its own invokes is refused too', () => {
    const inner = createMachine({ id: 'inner', invoke: { src: callback } });
    expect(() => check(withActor(inner))).toThrow(refusal(/The workflow inner/));
  });

  test.each([
    ['step()', step({ name: 's', execute: () => 1 })],
    ['fromPromise', work],
    ['a machine', createMachine({ id: 'kid' })],
  ])('%s is taken, by name and inline', (_, actor) => {
    expect(() =>
      check(withActor(actor, { invoke: [{ src: 'actor' }, { src: actor }] })),
    ).not.toThrow();
  });

  test('a machine may invoke itself', () => {
    const machine = setup({ actors: { work } }).createMachine({ id: 'm', version: '1' });
    Object.assign(machine.implementations.actors, { self: machine });
    expect(() => check(machine)).not.toThrow();
  });

  test.each([
    ['step', step({ name: 's', execute: () => 1 })],
    ['promise', work],
    ['machine', createMachine({})],
    ['other', callback],
    ['other', observable],
    ['other', reducer],
    ['other', undefined],
    ['other', () => Promise.resolve(1)],
  ])('is known as %s', (kind, logic) => {
    expect(logicKind(logic)).toBe(kind);
  });
});

describe('names', () => {
  const systemId = /systemId, but every run is its own system; address a child by its id/;
  const inline = /spawns an inline actor.*put it under setup\(\{ actors \}\) and spawn it by name/;

  test.each<[string, object, RegExp]>([
    ['a systemId of an invoke', { invoke: { src: 'work', systemId: 's' } }, systemId],
    ['a systemId of a spawn', { entry: spawnChild('work', { systemId: 's' }) }, systemId],
    ['an inline spawn on entry', { entry: spawnChild(work) }, inline],
    ['an inline spawn on exit', { exit: spawnChild(work) }, inline],
    ['an inline spawn in a transition', { on: { go: { actions: spawnChild(work) } } }, inline],
    [
      'an inline spawn in a nested state',
      { initial: 'a', states: { a: { entry: spawnChild(work) } } },
      inline,
    ],
    [
      'an inline spawn in always',
      {
        initial: 'a',
        states: { a: { always: { guard: () => false, actions: spawnChild(work) } } },
      },
      inline,
    ],
    ['an inline spawn after a delay', { after: { 5: { actions: spawnChild(work) } } }, inline],
    [
      'an inline spawn on the way in',
      { initial: { target: 'a', actions: spawnChild(work) }, states: { a: {} } },
      inline,
    ],
    [
      'an inline spawn when a step is done',
      { invoke: { src: 'work', onDone: { actions: spawnChild(work) } } },
      inline,
    ],
    [
      'an unknown invoke',
      { initial: 'a', states: { a: { invoke: { src: 'nobody' } } } },
      /the state "a" invokes "nobody", which setup\(\{ actors \}\) lacks; add it there/,
    ],
    [
      'an invoke named like what every object has',
      { invoke: { src: 'toString' } },
      /invokes "toString"/,
    ],
    [
      'an unknown spawn',
      { entry: spawnChild('nobody') },
      /spawns "nobody", which setup\(\{ actors \}\) lacks; add it there/,
    ],
    [
      'onSnapshot',
      { invoke: { id: 'w', src: 'work', onSnapshot: {} } },
      /follows the snapshots of the actor "w"; let it send events to its parent instead/,
    ],
    [
      'a spawn that follows snapshots',
      { entry: spawnChild('work', { syncSnapshot: true }) },
      /follows the snapshots of the actor "work"/,
    ],
    [
      'an unknown guard',
      { initial: 'a', states: { a: { on: { go: { guard: 'isGood' } } } } },
      /the state "a" asks "isGood", which setup\(\{ guards \}\) lacks; add it there/,
    ],
    [
      'an unknown guard with params',
      { always: { guard: { type: 'isGood', params: { n: 1 } } } },
      /asks "isGood"/,
    ],
    [
      'an unknown delay of a state, which XState takes for none',
      { after: { patience: {} } },
      /it waits for "patience", which setup\(\{ delays \}\) lacks; add it there/,
    ],
    [
      'an unknown delay of an event',
      { on: { go: { actions: raise({ type: 'x' }, { delay: 'patience' as never }) } } },
      /it waits for "patience"/,
    ],
  ])('%s is refused', (_, config, reason) => {
    expect(() => check(withActor(work, config))).toThrow(refusal(reason));
  });

  test('an inline spawn among the named actions is refused', () => {
    const machine = setup({ actions: { go: spawnChild(work) } }).createMachine({ id: 'm' });
    expect(() => check(machine)).toThrow(refusal(inline));
  });

  test('what is refused once is refused again', () => {
    const machine = withActor(callback);
    expect(() => check(machine)).toThrow(refusal(/callback/));
    expect(() => check(machine)).toThrow(refusal(/callback/));
  });

  test('what an expression hides is left to the decision that meets it', () => {
    const hidden = enqueueActions(({ enqueue }) => enqueue.spawnChild(work as never));
    expect(() => check(withActor(work, { entry: hidden }))).not.toThrow();
  });
});

test('a machine without a version is refused, with how to give it one', () => {
  expect(() => durableMachine(createMachine({ id: 'm' }))).toThrow(
    refusal(/it has no version; add `version: "1.0.0"` to its config/),
  );
});
