import { describe, expect, test, vi } from 'vitest';
import { createMachine, emit, fromPromise, sendTo, setup, spawnChild, stopChild } from 'xstate';
import { fails, fires, given, Lab, signal, succeeds } from './kit.ts';

const work = fromPromise(() => Promise.resolve(1));
const kid = createMachine({ id: 'kid', initial: 'idle', states: { idle: {} } });
const { createMachine: make } = setup({ actors: { work, kid } });

describe('numbers', () => {
  test('what a transition starts and stops in one go takes no number, so none is given twice', () => {
    const machine = make({
      id: 'm',
      version: '1',
      initial: 'idle',
      states: {
        idle: { on: { go: 'brief' } },
        brief: { invoke: [{ src: 'work' }, { src: 'kid' }], always: 'long' },
        long: {
          entry: [spawnChild('work', { id: 'a' }), spawnChild('kid', { id: 'b' })],
          on: {
            more: { actions: [spawnChild('work', { id: 'c' }), spawnChild('kid', { id: 'd' })] },
          },
        },
      },
    });
    const lab = given(machine)
      .when(signal('go'))
      .draws(
        ['StateChanged', { to: 'long' }],
        ['StepScheduled', { invocation: 'work#1', actor: 'a' }],
        ['ChildSpawned', { run: 'm.k~1', actor: 'b' }],
      );
    given(lab)
      .when(signal('more'))
      .draws(
        ['StepScheduled', { invocation: 'work#2', actor: 'c' }],
        ['ChildSpawned', { run: 'm.k~2', actor: 'd' }],
      );
    expect([...lab.state.steps.keys()]).toEqual(['work#1', 'work#2']);
  });

  test('what is sent to a child that is stopped in the same transition is not sent', () => {
    const machine = make({
      id: 'm',
      version: '1',
      on: {
        go: {
          actions: [
            spawnChild('kid', { id: 'b' }),
            sendTo('b', { type: 'hello' }),
            sendTo('b', { type: 'later' }, { delay: 10 }),
            stopChild('b'),
          ],
        },
        next: { actions: [spawnChild('kid', { id: 'b' }), sendTo('b', { type: 'hello' })] },
      },
    });
    const lab = given(machine).when(signal('go')).draws();
    given(lab)
      .when(signal('next'))
      .draws(['ChildSpawned', { run: 'm.k~1' }], ['SignalSent', { id: 'm.k/1', to: 'm.k~1' }]);
  });

  test('a child without an id is named by its number, not by what its process did before', () => {
    const machine = make({
      id: 'm',
      version: '1',
      initial: 'on',
      states: {
        on: {
          on: {
            go: { actions: [spawnChild('work'), spawnChild('kid')] },
            end: 'off',
          },
        },
        off: { type: 'final' },
      },
    });
    const lab = given(machine, signal('go'))
      .when(signal('go'))
      .draws(
        ['StepScheduled', { invocation: 'work#2', actor: 'work#2' }],
        ['ChildSpawned', { run: 'm.k~2', actor: 'm.k~2' }],
      );
    given(lab)
      .when(signal('end'))
      .draws(
        ['StateChanged'],
        ['StepCancelled', { invocation: 'work#1' }],
        ['ChildCancelled', { run: 'm.k~1' }],
        ['StepCancelled', { invocation: 'work#2' }],
        ['ChildCancelled', { run: 'm.k~2' }],
        ['RunCompleted'],
      );
  });
});

describe('receivers', () => {
  test('self is the machine, even when a child has the id of the machine', () => {
    const machine = make({
      id: 'm',
      version: '1',
      invoke: { src: 'kid', id: 'm' },
      on: {
        self: { actions: sendTo(({ self }) => self, { type: 'hello' }) },
        child: { actions: sendTo('m', { type: 'hello' }) },
      },
    });
    const lab = given(machine)
      .when(signal('self'))
      .draws(['SignalSent', { to: 'm.k' }]);
    given(lab)
      .when(signal('child'))
      .draws(['SignalSent', { to: 'm.k~1' }]);
  });

  test('a step takes no events, as a promise takes none', () => {
    const machine = make({
      id: 'm',
      version: '1',
      invoke: { src: 'work', id: 'w' },
      on: { go: { actions: sendTo('w', { type: 'hello' }) } },
    });
    given(machine).when(signal('go')).draws();
  });
});

describe('what no journal can hold', () => {
  const emitting = (event: object) =>
    make({ id: 'm', version: '1', on: { go: { actions: emit(event as never) } } });

  test.each([
    ['no type', {}, /has no type/],
    ['an empty type', { type: '' }, /has no type/],
    ['a type that is too long', { type: 'x'.repeat(257) }, /has no type/],
    ['a function', { type: 'x', call: () => 1 }, /at \$\.call: a function/],
    ['a date', { type: 'x', at: [new Date(0)] }, /at \$\.at\[0\]: an instance of Date/],
  ])('an emitted event with %s quarantines, and the fact is kept', (_, event, reason) => {
    const lab = given(emitting(event))
      .when(signal('go', 's'))
      .draws(['RunQuarantined', { pending: true, reason: expect.stringMatching(reason) }]);
    expect(lab.state.quarantine?.pending[0]?.fact.data).toMatchObject({ id: 's' });
  });

  test('properties that are undefined are left out, before a restart as after it', () => {
    const lab = given(emitting({ type: 'x', a: undefined, b: [{ c: undefined }] }));
    lab.take(signal('go'));
    expect(lab.events.at(-1)).toStrictEqual({
      type: 'EventEmitted',
      data: { event: { type: 'x', b: [{}] } },
    });
  });
});

describe('the end', () => {
  const ending = (states: object, output?: unknown) =>
    new Lab(
      make({
        id: 'm',
        version: '1',
        initial: 'a',
        states,
        ...(output === undefined ? {} : { output }),
      } as never),
    );

  test('a final state completes the run with the output of the machine', () => {
    const lab = ending({ a: { on: { go: 'b' } }, b: { type: 'final' } }, () => ({
      n: 1,
      x: undefined,
    }));
    given(lab)
      .when(signal('go'))
      .draws(['StateChanged'], ['RunCompleted', { output: { n: 1 } }]);
  });

  test('a final state tagged failed fails the run with the error that its output names', () => {
    const states = { a: { on: { go: 'b' } }, b: { type: 'final', tags: 'failed' } };
    const error = { code: 'gate.rejected', message: 'no' };
    const lab = ending(states, () => ({ error, draft: 'd' }));
    given(lab)
      .when(signal('go'))
      .draws(
        ['StateChanged'],
        ['RunFailed', { error: { ...error, details: { output: { error, draft: 'd' } } } }],
      );
  });

  test('a final state tagged failed without an error names the state', () => {
    const lab = ending({ a: { on: { go: 'b' } }, b: { type: 'final', tags: 'failed' } });
    given(lab)
      .when(signal('go'))
      .draws(
        ['StateChanged'],
        [
          'RunFailed',
          { error: { code: 'run.failed', message: 'the machine ended in the failed state b' } },
        ],
      );
  });

  test('an error that no state handles fails the run with the error of the step', () => {
    const machine = make({
      id: 'm',
      version: '1',
      invoke: [
        { src: 'work', id: 'w' },
        { src: 'kid', id: 'k' },
      ],
    });
    const error = { code: 'model.rejected', message: 'bad request', details: { status: 400 } };
    given(machine)
      .when(fails('w', error))
      .draws(['StateChanged'], ['ChildCancelled', { run: 'm.k~1' }], ['RunFailed', { error }]);
  });
});

test('custom actions are told apart from consequences and carried out by nobody here', () => {
  const notify = vi.fn();
  const machine = setup({ actions: { notify } }).createMachine({
    id: 'm',
    version: '1',
    on: { go: { actions: { type: 'notify', params: { to: 'x' } } } },
  } as never);
  given(machine).when(signal('go')).draws();
  expect(notify).not.toHaveBeenCalled();
});

test('a timer that has just fired is not cancelled by the exit of its state', () => {
  const machine = make({
    id: 'm',
    version: '1',
    initial: 'a',
    states: { a: { after: { 1000: 'b' } }, b: {} },
  });
  given(machine)
    .when(fires('xstate.after.1000.m.a'))
    .draws(['StateChanged', { to: 'b' }]);
});

test('a step that has just succeeded is not cancelled by the exit of its state', () => {
  const machine = make({
    id: 'm',
    version: '1',
    initial: 'a',
    states: { a: { invoke: { src: 'work', id: 'w', onDone: 'b' } }, b: {} },
  });
  given(machine)
    .when(succeeds('w', 1))
    .draws(['StateChanged', { to: 'b' }]);
});
