import { describe, expect, test } from 'vitest';
import {
  assign,
  type AnyEventObject,
  createMachine,
  emit,
  enqueueActions,
  forwardTo,
  fromPromise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  stopChild,
} from 'xstate';
import {
  cancels,
  childCompletes,
  childFails,
  fails,
  fires,
  given,
  Lab,
  signal,
  succeeds,
} from '../kit.ts';

const work = fromPromise<unknown, unknown>(() => Promise.resolve(1));
const kid = createMachine({ id: 'kid', initial: 'idle', states: { idle: {} } });
const { createMachine: make } = setup({ actors: { work, kid } });
interface Args {
  readonly context: { readonly topic: string };
  readonly event: { readonly output?: unknown; readonly error?: unknown };
}
const outputOf = ({ event }: Pick<Args, 'event'>) => event.output;
const errorOf = ({ event }: Pick<Args, 'event'>) => event.error;
const value = (lab: Lab): unknown => lab.state.snapshot.value;

describe('invoked steps', () => {
  const machine = make({
    id: 'm',
    version: '1',
    context: { topic: 'sea', got: null as unknown },
    initial: 'drafting',
    states: {
      drafting: {
        invoke: {
          id: 'draft',
          src: 'work',
          input: ({ context }: Args) => ({ topic: context.topic, nothing: undefined }),
          onDone: { target: 'done', actions: assign({ got: outputOf }) },
          onError: { target: 'failed', actions: assign({ got: errorOf }) },
        },
        on: { skip: 'done', again: { target: 'drafting', reenter: true } },
      },
      done: { on: { back: 'drafting' } },
      failed: {},
    },
  } as never);

  test('entering the state schedules the step with its input', () => {
    expect(new Lab(machine).events.at(-1)).toStrictEqual({
      type: 'StepScheduled',
      data: { invocation: 'work#1', name: 'work', actor: 'draft', input: { topic: 'sea' } },
    });
  });

  test('its output reaches onDone', () => {
    const lab = given(machine)
      .when(succeeds('draft', { text: 'x' }))
      .draws(['StateChanged', { to: 'done' }]);
    expect(lab.state.snapshot.context).toMatchObject({ got: { text: 'x' } });
  });

  test('an output without a value is undefined there, as after a restart', () => {
    const lab = given(machine, succeeds('draft'));
    expect(lab.state.snapshot.context).toStrictEqual({ topic: 'sea', got: undefined });
  });

  test('what is undefined in an output is left out before a restart as after it', () => {
    const spreading = make({
      id: 'm',
      version: '1',
      context: {},
      invoke: {
        src: 'work',
        id: 'w',
        onDone: {
          actions: assign(({ event }: Pick<Args, 'event'>) => ({
            got: { a: 1, ...(event.output as object) },
          })),
        },
      },
    });
    const lab = given(spreading, succeeds('w', { a: undefined, b: 2 }));
    expect(lab.state.snapshot.context).toEqual({ got: { a: 1, b: 2 } });
  });

  test('its failure reaches onError with the code of the error', () => {
    const error = { code: 'model.refused', message: 'no' };
    const lab = given(machine)
      .when(fails('draft', error))
      .draws(['StateChanged', { to: 'failed' }]);
    expect(lab.state.snapshot.context).toMatchObject({ got: error });
  });

  test('an interrupted step reaches onError as step.interrupted', () => {
    const lab = given(machine)
      .when({ type: 'StepInterrupted', data: { invocation: 'work#1', attempt: 1 } })
      .draws(['StateChanged', { to: 'failed' }]);
    expect(lab.state.snapshot.context).toMatchObject({ got: { code: 'step.interrupted' } });
  });

  test('leaving the state cancels it, and what still comes of it is kept and moves nothing', () => {
    const lab = given(machine)
      .when(signal('skip'))
      .draws(['StateChanged', { to: 'done' }], ['StepCancelled', { invocation: 'work#1' }]);
    const late = { invocation: 'work#1', attempt: 1, output: 'late' };
    given(lab).when({ type: 'StepSucceeded', data: late }).draws();
    expect(value(lab)).toBe('done');
  });

  test('the same actor id in round 2 is another invocation, and round 1 cannot answer for it', () => {
    const lab = given(machine, succeeds('draft', 1))
      .when(signal('back'))
      .draws(['StateChanged'], ['StepScheduled', { invocation: 'work#2', actor: 'draft' }]);
    const late = { invocation: 'work#1', attempt: 1, output: 'late' };
    given(lab).when({ type: 'StepSucceeded', data: late }).draws();
    given(lab)
      .when({ type: 'StepFailed', data: { ...late, error: { code: 'x', message: '' } } })
      .draws();
    given(lab)
      .when(succeeds('work#2', 2))
      .draws(['StateChanged', { to: 'done' }]);
  });

  test('entering again cancels the invocation and schedules another', () => {
    given(machine)
      .when(signal('again'))
      .draws(
        ['StepCancelled', { invocation: 'work#1' }],
        ['StepScheduled', { invocation: 'work#2', actor: 'draft' }],
      );
  });
});

describe('several at a time', () => {
  const region = {
    initial: 'on',
    states: { on: { invoke: { src: 'work', onDone: 'off' } }, off: { type: 'final' } },
  };
  const machine = make({
    id: 'm',
    version: '1',
    initial: 'both',
    states: {
      both: { type: 'parallel', states: { z: region, a: region }, onDone: 'done' },
      done: { type: 'final' },
    },
  } as never);

  test('the same step in two regions is two invocations, each answering for its own', () => {
    const lab = given(machine)
      .when(succeeds('work#2', 1))
      .draws(['StateChanged', { to: { both: { z: 'on', a: 'off' } } }]);
    given(lab)
      .when(succeeds('work#1', 1))
      .draws(['StateChanged', { to: 'done' }], ['RunCompleted']);
  });

  test('ids that are given at run time tell them apart', () => {
    const dynamic = make({
      id: 'm',
      version: '1',
      on: {
        start: {
          actions: spawnChild('work', {
            id: ({ event }) => `job-${String(event['n'])}`,
            input: ({ event }: { event: AnyEventObject }) => event['n'] as unknown,
          }),
        },
        stop: { actions: stopChild(({ event }) => `job-${String(event['n'])}`) },
      },
    });
    const lab = given(dynamic, signal({ type: 'start', n: 1 }))
      .when(signal({ type: 'start', n: 2 }))
      .draws(['StepScheduled', { invocation: 'work#2', actor: 'job-2', input: 2 }]);
    given(lab)
      .when(signal({ type: 'stop', n: 1 }))
      .draws(['StepCancelled', { invocation: 'work#1' }]);
  });

  test('a second actor of the same id takes the place of the first, which is cancelled', () => {
    const machine = make({
      id: 'm',
      version: '1',
      on: { go: { actions: spawnChild('work', { id: 'one' }) } },
    });
    given(machine, signal('go'))
      .when(signal('go'))
      .draws(
        ['StepCancelled', { invocation: 'work#1' }],
        ['StepScheduled', { invocation: 'work#2' }],
      );
  });
});

describe('child runs', () => {
  const machine = make({
    id: 'm',
    version: '1',
    context: { got: null as unknown },
    initial: 'asking',
    states: {
      asking: {
        entry: sendTo('helper', { type: 'hello' }),
        invoke: {
          id: 'helper',
          src: 'kid',
          input: { a: 1, b: undefined },
          onDone: { target: 'done', actions: assign({ got: outputOf }) },
          onError: { target: 'failed', actions: assign({ got: errorOf }) },
        },
        exit: sendTo('helper', { type: 'bye' }),
        on: {
          tell: { actions: forwardTo('helper') },
          'tell.later': {
            actions: sendTo('helper', { type: 'hello' }, { delay: 50, id: 'later' }),
          },
          leave: 'done',
          again: { target: 'asking', reenter: true },
        },
      },
      done: { on: { back: 'asking' } },
      failed: {},
    },
  } as never);

  test('an invoked machine is a run of its own, and what entry sends it comes after its start', () => {
    expect(new Lab(machine).events.slice(2)).toStrictEqual([
      {
        type: 'ChildSpawned',
        data: { run: 'm.k~1', actor: 'helper', source: 'kid', workflow: 'kid', input: { a: 1 } },
      },
      { type: 'SignalSent', data: { id: 'm.k/1', to: 'm.k~1', event: { type: 'hello' } } },
    ]);
  });

  test('its output and its failure reach the parent', () => {
    const done = given(machine)
      .when(childCompletes('helper', 42))
      .draws(['StateChanged', { to: 'done' }]);
    expect(done.state.snapshot.context).toEqual({ got: 42 });
    const error = { code: 'run.failed', message: 'no' };
    const failed = given(machine)
      .when(childFails('helper', error))
      .draws(['StateChanged', { to: 'failed' }]);
    expect(failed.state.snapshot.context).toEqual({ got: error });
  });

  test('leaving the state says good-bye and cancels the child, which is owed until it has ended', () => {
    const lab = given(machine)
      .when(signal('leave'))
      .draws(
        ['StateChanged', { to: 'done' }],
        ['SignalSent', { to: 'm.k~1', event: { type: 'bye' } }],
        ['ChildCancelled', { run: 'm.k~1' }],
      );
    expect(lab.state.children.get('m.k~1')?.cancelled).toBe(true);
    given(lab).when(childFails('helper')).draws();
    expect(lab.state.children.size).toBe(0);
    expect(value(lab)).toBe('done');
  });

  test('the child of round 2 is another run, addressed and answered for on its own', () => {
    const lab = given(machine, signal('leave'))
      .when(signal('back'))
      .draws(
        ['StateChanged'],
        ['ChildSpawned', { run: 'm.k~2', actor: 'helper' }],
        ['SignalSent', { to: 'm.k~2', event: { type: 'hello' } }],
      );
    given(lab)
      .when({ type: 'ChildCompleted', data: { run: 'm.k~1', output: 'late' } })
      .draws();
    given(lab)
      .when({ type: 'ChildCompleted', data: { run: 'm.k~2' } })
      .draws(['StateChanged', { to: 'done' }]);
  });

  test('entering again says good-bye to the old child and hello to the new one', () => {
    given(machine)
      .when(signal('again'))
      .draws(
        ['SignalSent', { to: 'm.k~1', event: { type: 'bye' } }],
        ['ChildCancelled', { run: 'm.k~1' }],
        ['ChildSpawned', { run: 'm.k~2' }],
        ['SignalSent', { to: 'm.k~2', event: { type: 'hello' } }],
      );
  });

  test('an event is forwarded with all that it carries', () => {
    given(machine)
      .when(signal({ type: 'tell', text: 'x' }))
      .draws(['SignalSent', { to: 'm.k~1', event: { type: 'tell', text: 'x' } }]);
  });

  test('a delayed event is a timer here, and a signal when it fires', () => {
    given(machine)
      .when(signal('tell.later'))
      .draws(['TimerSet', { id: 'later', to: 'm.k~1', event: { type: 'hello' } }]);
    given(machine, signal('tell.later'))
      .when(fires('later'))
      .draws(['SignalSent', { to: 'm.k~1', event: { type: 'hello' } }]);
  });

  test('a child spawned in a transition gets what the same transition sends it, also later', () => {
    const spawning = make({
      id: 'm',
      version: '1',
      on: {
        go: {
          actions: [
            spawnChild('kid', { id: 'a' }),
            sendTo('a', { type: 'now' }),
            sendTo('a', { type: 'later' }, { delay: 5 }),
          ],
        },
      },
    });
    given(spawning)
      .when(signal('go'))
      .draws(
        ['ChildSpawned', { run: 'm.k~1' }],
        ['SignalSent', { to: 'm.k~1', event: { type: 'now' } }],
        ['TimerSet', { to: 'm.k~1', event: { type: 'later' } }],
      );
  });

  test('a machine that stands inline in an invoke is a child run like any other', () => {
    const inline = make({
      id: 'm',
      version: '1',
      initial: 'a',
      states: { a: { invoke: { src: kid, onDone: 'b' } }, b: {} },
    } as never);
    const lab = given(inline)
      .when(childCompletes('0.m.a'))
      .draws(['StateChanged', { to: 'b' }]);
    expect(lab.events[2]?.data).toMatchObject({ actor: '0.m.a', source: 'xstate.invoke.0.m.a' });
  });

  test('nesting beyond the limit quarantines the parent instead of going on for ever', () => {
    const spawning = make({
      id: 'm',
      version: '1',
      on: { go: { actions: spawnChild('kid', { id: 'a' }) } },
    });
    given(new Lab(spawning, { depth: 8 }))
      .when(signal('go'))
      .draws(['RunQuarantined', { reason: expect.stringMatching(/at most 8 deep/) }]);
  });
});

describe('sendParent', () => {
  const machine = make({
    id: 'm',
    version: '1',
    on: {
      go: { actions: sendParent({ type: 'news' }) },
      later: { actions: sendParent({ type: 'news' }, { delay: 10, id: 'l' }) },
    },
  });
  const child = (): Lab =>
    new Lab(machine, { id: 'boss.k~1', depth: 1, parent: { run: 'boss.k', actor: 'a' } });

  test('is a signal to the parent run', () => {
    given(child())
      .when(signal('go'))
      .draws(['SignalSent', { id: 'boss.k~1/1', to: 'boss.k', event: { type: 'news' } }]);
  });

  test('with a delay it is a timer first', () => {
    given(child(), signal('later'))
      .when(fires('l'))
      .draws(['SignalSent', { to: 'boss.k' }]);
  });

  test('of a run without a parent is refused', () => {
    given(machine)
      .when(signal('go'))
      .draws([
        'RunQuarantined',
        { reason: expect.stringMatching(/Unable to send event to actor/) },
      ]);
  });
});

describe('starting and stopping', () => {
  test('stopChild cancels a step or a child run', () => {
    const machine = make({
      id: 'm',
      version: '1',
      entry: [spawnChild('work', { id: 'w' }), spawnChild('kid', { id: 'k' })],
      on: { stop: { actions: [stopChild('w'), stopChild('k'), stopChild('nobody')] } },
    });
    given(machine)
      .when(signal('stop'))
      .draws(['StepCancelled', { invocation: 'work#1' }], ['ChildCancelled', { run: 'm.k~1' }]);
  });

  test('what starts and stops in one transition nets out', () => {
    const machine = make({
      id: 'm',
      version: '1',
      initial: 'a',
      states: {
        a: { on: { go: 'b' } },
        b: { invoke: [{ src: 'work' }, { src: 'kid' }], after: { 10: 'a' }, always: 'c' },
        c: {},
      },
    });
    given(machine)
      .when(signal('go'))
      .draws(['StateChanged', { to: 'c' }]);
  });

  test('enqueueActions is what it enqueues', () => {
    const machine = setup({
      actors: { work, kid },
      types: { events: {} as { type: string; n: number } },
      guards: { isBig: ({ event }) => event.n > 1 },
    }).createMachine({
      id: 'm',
      version: '1',
      context: { n: 0 },
      on: {
        go: {
          actions: enqueueActions(({ enqueue, check, event }) => {
            enqueue.assign({ n: (event as { n?: number }).n });
            if (check('isBig')) enqueue.emit({ type: 'big' });
            enqueue.spawnChild('work', { id: 'w' });
            enqueue.spawnChild('kid', { id: 'k' });
            enqueue.sendTo('k', { type: 'hello' });
            enqueue.raise({ type: 'x' }, { id: 't', delay: 5 });
          }),
        },
        undo: {
          actions: enqueueActions(({ enqueue }) => {
            enqueue.stopChild('w');
            enqueue.cancel('t');
          }),
        },
      },
    } as never);
    const lab = given(machine)
      .when(signal({ type: 'go', n: 2 }))
      .draws(
        ['StateChanged'],
        ['EventEmitted', { event: { type: 'big' } }],
        ['StepScheduled', { actor: 'w' }],
        ['ChildSpawned', { actor: 'k' }],
        ['SignalSent', { to: 'm.k~1' }],
        ['TimerSet', { id: 't' }],
      );
    given(lab)
      .when(signal('undo'))
      .draws(['StepCancelled'], ['TimerCancelled', { id: 't' }]);
  });

  test('a machine that ends stops its actors and forgets its timers', () => {
    const machine = make({
      id: 'm',
      version: '1',
      initial: 'a',
      states: {
        a: {
          entry: [
            spawnChild('work', { id: 'w' }),
            spawnChild('kid', { id: 'k' }),
            emit({ type: 'e' }),
          ],
          after: { 10: 'a' },
          on: { end: 'z' },
        },
        z: { type: 'final' },
      },
    });
    const lab = given(machine)
      .when(signal('end'))
      .draws(
        ['StateChanged'],
        ['TimerCancelled'],
        ['StepCancelled', { invocation: 'work#1' }],
        ['ChildCancelled', { run: 'm.k~1' }],
        ['RunCompleted'],
      );
    expect([lab.state.steps.size, lab.state.timers.size, lab.state.actors.size]).toEqual([0, 0, 0]);
  });
});

describe('cancelling a run', () => {
  const machine = make({
    id: 'm',
    version: '1',
    entry: [spawnChild('work', { id: 'w' }), spawnChild('kid', { id: 'k' })],
    on: { leave: { actions: stopChild('k') } },
  });

  test('cancels its steps and its children, and is the end of it', () => {
    const lab = given(machine)
      .when(cancels('enough'))
      .draws(
        ['StepCancelled', { invocation: 'work#1' }],
        ['ChildCancelled', { run: 'm.k~1' }],
        ['RunCancelled', { reason: 'enough' }],
      );
    expect(lab.state.error).toEqual({ code: 'run.cancelled', message: 'enough' });
  });

  test('does not cancel a child twice', () => {
    given(machine, signal('leave')).when(cancels()).draws(['StepCancelled'], ['RunCancelled']);
  });

  test('changes nothing once the run is over, however it ended', () => {
    const lab = given(machine, cancels('first'));
    given(lab).when(cancels('second')).draws();
    given(lab).when(signal('leave')).draws();
    given(lab).when(childCompletes('k')).draws();
    expect(lab.state.error?.message).toBe('first');
    const ended = given(
      make({ id: 'm', version: '1', initial: 'a', states: { a: { type: 'final' } } }),
    );
    given(ended).when(cancels()).draws();
    expect(ended.state.ending).toBe('completed');
  });
});
