import { describe, expect, test } from 'vitest';
import { and, assign, emit, not, or, raise, setup, stateIn } from 'xstate';
import { given, Lab, signal } from '../kit.ts';

const { createMachine: plain } = setup({});
const value = (lab: Lab): unknown => lab.state.snapshot.value;
const emitted = (lab: Lab): unknown[] =>
  lab.events.filter((each) => each.type === 'EventEmitted').map((each) => each.data.event.type);

describe('nested states', () => {
  const machine = plain({
    id: 'm',
    version: '1',
    initial: 'a',
    states: {
      a: {
        entry: emit({ type: 'in a' }),
        exit: emit({ type: 'out a' }),
        initial: 'x',
        states: {
          x: { exit: emit({ type: 'out x' }), on: { next: 'y' } },
          y: { entry: emit({ type: 'in y' }), type: 'final' },
        },
        onDone: 'b',
        on: { leave: '#deep', local: '.y', again: { target: '.x', reenter: true } },
      },
      b: { initial: 'z', states: { z: { id: 'deep' } } },
    },
  });

  test('a transition within a state leaves the state itself alone', () => {
    given(machine)
      .when(signal('local'))
      .draws(
        ['StateChanged', { from: { a: 'x' }, to: { b: 'z' } }],
        ['EventEmitted', { event: { type: 'out x' } }],
        ['EventEmitted', { event: { type: 'in y' } }],
        ['EventEmitted', { event: { type: 'out a' } }],
      );
  });

  test('reenter leaves the state and enters it again', () => {
    expect(emitted(given(machine, signal('again')))).toEqual(['in a', 'out x', 'out a', 'in a']);
  });

  test('a target by id enters all its ancestors', () => {
    expect(value(given(machine, signal('leave')))).toEqual({ b: 'z' });
  });

  test('the end of a nested state is an event of the state around it', () => {
    expect(value(given(machine, signal('next')))).toEqual({ b: 'z' });
  });
});

describe('parallel states', () => {
  const region = (name: string) => ({
    initial: 'off',
    states: {
      off: { tags: `${name} off`, on: { [`${name}.on`]: 'on', all: 'on' } },
      on: {
        tags: `${name} on`,
        on: { [`${name}.off`]: 'off', all: { actions: emit({ type: name }) }, end: 'end' },
      },
      end: { type: 'final' as const },
    },
  });
  const machine = plain({
    id: 'm',
    version: '1',
    initial: 'work',
    states: {
      work: {
        type: 'parallel',
        states: { z: region('z'), a: region('a'), k: region('k') },
        onDone: 'done',
      },
      done: { type: 'final' },
    },
  } as never);

  test('regions move on their own', () => {
    expect(value(given(machine, signal('a.on')))).toEqual({
      work: { z: 'off', a: 'on', k: 'off' },
    });
  });

  test('one event for all regions is taken in document order, whichever region moved last', () => {
    const orders = [
      ['z.on', 'a.on', 'k.on'],
      ['k.on', 'a.on', 'z.on'],
      ['a.on', 'z.on', 'z.off', 'k.on', 'z.on'],
    ];
    for (const order of orders) {
      const lab = given(machine, ...order.map((type) => signal(type)), signal('all'));
      expect(emitted(lab)).toEqual(['z', 'a', 'k']);
    }
  });

  test('the tags of a state stand in the same order however it was reached', () => {
    const tagsAfter = (...types: string[]): unknown => {
      const changes = given(machine, ...types.map((type) => signal(type))).events.filter(
        (each) => each.type === 'StateChanged',
      );
      return changes.at(-1)?.data.tags;
    };
    expect(tagsAfter('z.on', 'k.on')).toEqual(['a off', 'k on', 'z on']);
    expect(tagsAfter('k.on', 'z.on')).toEqual(['a off', 'k on', 'z on']);
  });

  test('it is done when all regions are', () => {
    const lab = given(machine, signal('all'))
      .when(signal('end'))
      .draws(['StateChanged', { to: 'done' }], ['RunCompleted']);
    expect(lab.state.ending).toBe('completed');
  });

  test('a region that is done waits for the others', () => {
    expect(value(given(machine, signal('a.on'), signal('end')))).toEqual({
      work: { z: 'off', a: 'end', k: 'off' },
    });
  });
});

describe('history states', () => {
  const remembering = (history: 'shallow' | 'deep') =>
    plain({
      id: 'm',
      version: '1',
      initial: 'work',
      states: {
        work: {
          initial: 'one',
          states: {
            one: { on: { next: 'two' } },
            two: { initial: 'x', states: { x: { on: { next: 'y' } }, y: {} } },
            back: { type: 'history', history, target: 'one' },
          },
          on: { pause: 'paused' },
        },
        paused: { on: { resume: 'work.back' } },
      },
    });
  const leave = [signal('next'), signal('next'), signal('pause'), signal('resume')];

  test('shallow history enters the child that was left, at its start', () => {
    expect(value(given(remembering('shallow'), ...leave))).toEqual({ work: { two: 'x' } });
  });

  test('deep history enters the innermost states that were left', () => {
    expect(value(given(remembering('deep'), ...leave))).toEqual({ work: { two: 'y' } });
  });

  test('deep history of parallel states survives a restore in between', () => {
    const region = { initial: 'off', states: { off: {}, on: {} } };
    const machine = plain({
      id: 'm',
      version: '1',
      initial: 'work',
      states: {
        work: {
          type: 'parallel',
          states: {
            b: { ...region, on: { b: '.on' } },
            a: { ...region, on: { a: '.on' } },
            back: { type: 'history', history: 'deep' },
          },
          on: { pause: '#away' },
        },
        paused: { id: 'away', on: { resume: '#m.work.back' } },
      },
    } as never);
    const lab = given(machine, signal('a'), signal('pause'), signal('resume'));
    expect(value(lab)).toEqual({ work: { b: 'off', a: 'on' } });
  });

  test('without a history its default target is entered', () => {
    const machine = plain({
      id: 'm',
      version: '1',
      initial: 'out',
      states: {
        out: { on: { go: 'in.back' } },
        in: {
          initial: 'a',
          states: { a: {}, b: {}, back: { type: 'history', target: 'b' } },
        },
      },
    });
    expect(value(given(machine, signal('go')))).toEqual({ in: 'b' });
  });
});

describe('always and raise', () => {
  test('always goes on within the same decision, and tells of the last state only', () => {
    const machine = setup({
      types: { context: {} as { n: number } },
      guards: { isBig: ({ context }) => context.n > 2 },
    }).createMachine({
      id: 'm',
      version: '1',
      context: { n: 0 },
      initial: 'idle',
      states: {
        idle: { on: { go: 'count' } },
        count: {
          entry: assign({ n: ({ context }) => context.n + 1 }),
          always: [
            { guard: 'isBig', target: 'done' },
            { target: 'count', reenter: true },
          ],
        },
        done: {},
      },
    });
    const lab = given(machine)
      .when(signal('go'))
      .draws(['StateChanged', { from: 'idle', to: 'done' }]);
    expect(lab.state.snapshot.context).toEqual({ n: 3 });
  });

  test('a raised event is taken within the same decision', () => {
    const machine = plain({
      id: 'm',
      version: '1',
      initial: 'a',
      states: {
        a: { on: { go: { target: 'b', actions: raise({ type: 'on.my.own' }) } } },
        b: { on: { 'on.my.own': 'c' } },
        c: {},
      },
    });
    given(machine)
      .when(signal('go'))
      .draws(['StateChanged', { from: 'a', to: 'c' }]);
  });

  test('an eventless loop is cut, and the run is quarantined with the reason', () => {
    const machine = plain({
      id: 'm',
      version: '1',
      initial: 'a',
      states: { a: { on: { go: 'b' } }, b: { always: 'c' }, c: { always: 'b' } },
    });
    given(machine)
      .when(signal('go'))
      .draws([
        'RunQuarantined',
        { pending: true, revision: 2, reason: expect.stringMatching(/more than 1000 microsteps/) },
      ]);
  });

  test('a loop at the start refuses the start', () => {
    const machine = plain({
      id: 'm',
      version: '1',
      initial: 'b',
      states: { b: { always: 'c' }, c: { always: 'b' } },
    });
    expect(() => new Lab(machine)).toThrow(
      expect.objectContaining({ code: 'workflow.start-failed' }) as Error,
    );
  });
});

describe('guards', () => {
  const machine = setup({
    types: { context: {} as { n: number }, events: {} as { type: string; by: number } },
    guards: {
      atLeast: ({ context }, params: { min: number }) => context.n >= params.min,
      isOdd: ({ context }) => context.n % 2 === 1,
    },
    actions: { add: assign({ n: ({ context, event }) => context.n + event.by }) },
  }).createMachine({
    id: 'm',
    version: '1',
    type: 'parallel',
    context: { n: 0 },
    states: {
      counter: { on: { add: { actions: 'add' } } },
      level: {
        initial: 'low',
        states: {
          low: { always: { guard: { type: 'atLeast', params: { min: 3 } }, target: 'high' } },
          high: {},
        },
      },
      light: {
        initial: 'off',
        states: {
          off: {
            on: {
              check: {
                guard: and([stateIn({ level: 'high' }), or(['isOdd', not('isOdd')]), 'isOdd']),
                target: 'on',
              },
            },
          },
          on: {},
        },
      },
    },
  });
  const add = (by: number) => signal({ type: 'add', by });

  test('a guard with params looks at what it is given', () => {
    const lab = given(machine, add(2)).when(add(1)).draws(['StateChanged']);
    expect(value(lab)).toMatchObject({ level: 'high' });
  });

  test('and, or, not and stateIn combine', () => {
    expect(value(given(machine, signal('check')))).toMatchObject({ light: 'off' });
    expect(value(given(machine, add(4), signal('check')))).toMatchObject({ light: 'off' });
    expect(value(given(machine, add(5), signal('check')))).toMatchObject({ light: 'on' });
  });

  test('an event whose guard fails is recorded and moves nothing', () => {
    given(machine).when(signal('check')).draws();
  });

  test('a guard that throws quarantines the run, and names the guard’s own message', () => {
    const throwing = plain({
      id: 'm',
      version: '1',
      on: {
        go: {
          guard: () => {
            throw new Error('boom');
          },
          actions: emit({ type: 'x' }),
        },
      },
    });
    given(throwing)
      .when(signal('go'))
      .draws(['RunQuarantined', { reason: expect.stringMatching(/boom/) }]);
  });
});

describe('descriptors', () => {
  const machine = plain({
    id: 'm',
    version: '1',
    initial: 'a',
    states: {
      a: { on: { 'order.placed': 'placed', 'order.*': 'any', '*': 'other' } },
      placed: {},
      any: {},
      other: {},
    },
  });

  test.each([
    ['order.placed', 'placed'],
    ['order.shipped', 'any'],
    ['order', 'any'],
    ['order.a.b', 'any'],
    ['orders', 'other'],
  ])('%s is taken by the most exact descriptor', (type, to) => {
    given(machine).when(signal(type)).draws(['StateChanged', { to }]);
  });

  test.each(['xstate.stop', 'xstate.init', 'xstate.done.actor.draft', 'xstate.error.actor.x', '*'])(
    '%s from outside is not taken, not even by a wildcard',
    (type) => {
      given(machine).when(signal(type)).draws();
    },
  );

  test('what a state accepts stands in its StateChanged, sorted', () => {
    expect(given(machine).events[1]?.data).toMatchObject({
      accepts: ['*', 'order.*', 'order.placed'],
    });
  });
});

test('tags and meta of a state are there after a restore', () => {
  const machine = plain({
    id: 'm',
    version: '1',
    initial: 'a',
    states: { a: { on: { go: 'b' } }, b: { tags: ['gate', 'busy'], meta: { ecl: { gate: 'x' } } } },
  });
  const lab = given(machine)
    .when(signal('go'))
    .draws(['StateChanged', { tags: ['busy', 'gate'] }]);
  expect(lab.bySnapshot().snapshot.hasTag('gate')).toBe(true);
  expect(lab.bySnapshot().snapshot.getMeta()).toEqual({ 'm.b': { ecl: { gate: 'x' } } });
});

describe('output', () => {
  test('the output of a final state reaches the output of the machine', () => {
    const machine = setup({
      types: { context: {} as { name: string }, input: {} as { name: string } },
    }).createMachine({
      id: 'm',
      version: '1',
      context: ({ input }) => input,
      initial: 'a',
      states: {
        a: { on: { go: 'b' } },
        b: { type: 'final', output: ({ context }) => `${context.name}!` },
      },
      output: ({ event }) => ({ said: (event as unknown as { output: unknown }).output }),
    });
    given(new Lab(machine, { input: { name: 'Ada' } }))
      .when(signal('go'))
      .draws(['StateChanged'], ['RunCompleted', { output: { said: 'Ada!' } }]);
  });

  test('a machine that starts in a final state is over at once', () => {
    const machine = plain({
      id: 'm',
      version: '1',
      initial: 'a',
      states: { a: { type: 'final' } },
    });
    expect(new Lab(machine).events.map(({ type }) => type)).toEqual([
      'RunStarted',
      'StateChanged',
      'RunCompleted',
    ]);
  });
});
