import { describe, expect, test } from 'vitest';
import { assign, cancel, raise, sendTo, setup } from 'xstate';
import { fires, given, signal, startedAt, type Lab } from '../kit.ts';

const { createMachine: plain } = setup({});

const due = (lab: Lab, after: number): number => lab.now + after;

describe('after', () => {
  const machine = setup({
    delays: { patience: ({ context }) => context['ms'] as number },
  }).createMachine({
    id: 'm',
    version: '1',
    context: { ms: 500 },
    initial: 'idle',
    states: {
      idle: { on: { go: 'waiting' } },
      waiting: {
        after: { 86_400_000: 'late', patience: 'hurried' },
        on: { again: { target: 'waiting', reenter: true }, stop: 'idle', stay: {} },
      },
      late: {},
      hurried: {},
    },
  });
  const day = 'xstate.after.86400000.m.waiting';
  const patience = 'xstate.after.patience.m.waiting';

  test('a state with delays sets timers with the instant at which they are due', () => {
    const lab = given(machine);
    given(lab)
      .when(signal('go'))
      .draws(
        ['StateChanged'],
        ['TimerSet', { id: day, dueAt: startedAt + 1_000 + 86_400_000, event: { type: day } }],
        ['TimerSet', { id: patience, dueAt: startedAt + 1_000 + 500 }],
      );
  });

  test('leaving the state cancels what did not fire', () => {
    given(machine, signal('go'))
      .when(signal('stop'))
      .draws(
        ['StateChanged'],
        ['TimerCancelled', { id: day }],
        ['TimerCancelled', { id: patience }],
      );
  });

  test('the timer that fires moves the machine, and only the other one is cancelled', () => {
    const lab = given(machine, signal('go'))
      .when(fires(patience))
      .draws(['StateChanged', { to: 'hurried' }], ['TimerCancelled', { id: day }]);
    expect(lab.state.timers.size).toBe(0);
  });

  test('entering again sets the same timers anew, due from now', () => {
    const lab = given(machine, signal('go'));
    given(lab)
      .when(signal('again'))
      .draws(
        ['TimerCancelled', { id: day }],
        ['TimerCancelled', { id: patience }],
        ['TimerSet', { id: day, dueAt: due(lab, 86_400_000) }],
        ['TimerSet', { id: patience, dueAt: due(lab, 500) }],
      );
    expect([...lab.state.timers.keys()]).toEqual([day, patience]);
  });

  test('a timer that nobody knows any more moves nothing', () => {
    given(machine, signal('go'), signal('stop')).when(fires(day)).draws();
  });
});

describe('delayed events of a machine to itself', () => {
  const machine = plain({
    id: 'm',
    version: '1',
    initial: 'a',
    states: {
      a: {
        on: {
          remind: {
            actions: raise({ type: 'reminder', n: 1 }, { delay: 60_000, id: 'r' }),
          },
          forget: { actions: cancel('r') },
          both: {
            actions: [raise({ type: 'reminder' }, { delay: 10, id: 'r' }), cancel('r')],
          },
          twice: {
            actions: [
              raise({ type: 'reminder' }, { delay: 10, id: 'r' }),
              raise({ type: 'second' }, { delay: 20, id: 'r' }),
            ],
          },
          renew: { actions: [cancel('r'), raise({ type: 'reminder' }, { delay: 20, id: 'r' })] },
          nameless: {
            actions: [
              raise({ type: 'reminder' }, { delay: 1 }),
              raise({ type: 'reminder' }, { delay: 2 }),
            ],
          },
          self: { actions: sendTo(({ self }) => self, { type: 'reminder' }, { delay: 30 }) },
          now: { actions: sendTo(({ self }) => self, { type: 'reminder' }) },
          reminder: 'b',
        },
      },
      b: {},
    },
  });

  test('raise with a delay is a timer that carries the event', () => {
    given(machine, signal('remind'))
      .when(fires('r'))
      .draws(['StateChanged', { to: 'b' }]);
    given(machine)
      .when(signal('remind'))
      .draws(['TimerSet', { id: 'r', event: { type: 'reminder', n: 1 } }]);
  });

  test('cancel takes it back', () => {
    const lab = given(machine, signal('remind'))
      .when(signal('forget'))
      .draws(['TimerCancelled', { id: 'r' }]);
    given(lab).when(signal('forget')).draws();
  });

  test('what is set and cancelled in one transition is neither', () => {
    given(machine).when(signal('both')).draws();
  });

  test('of two that are set with one id in one transition, the later one stands', () => {
    given(machine)
      .when(signal('twice'))
      .draws(['TimerSet', { id: 'r', event: { type: 'second' } }]);
  });

  test('a timer set before that one is cancelled all the same', () => {
    given(machine, signal('remind'))
      .when(signal('both'))
      .draws(['TimerCancelled', { id: 'r' }]);
  });

  test('cancelled and set again, it is due from now', () => {
    const lab = given(machine, signal('remind'))
      .when(signal('renew'))
      .draws(
        ['TimerCancelled', { id: 'r' }],
        ['TimerSet', { id: 'r', event: { type: 'reminder' } }],
      );
    expect(lab.state.timers.get('r')?.dueAt).toBe(lab.now + 20);
  });

  test('timers without an id are numbered over the run', () => {
    given(machine, signal('nameless'))
      .when(signal('nameless'))
      .draws(['TimerSet', { id: 'timer-3' }], ['TimerSet', { id: 'timer-4' }]);
  });

  test('sendTo itself with a delay is a timer of its own', () => {
    const lab = given(machine)
      .when(signal('self'))
      .draws(['TimerSet', { id: 'timer-1' }]);
    expect(lab.state.timers.get('timer-1')?.to).toBe(undefined);
  });

  test('sendTo itself without a delay is a signal, so that it comes after what is stored now', () => {
    given(machine)
      .when(signal('now'))
      .draws(['SignalSent', { id: 'm.k/1', to: 'm.k', event: { type: 'reminder' } }]);
  });
});

describe('delays', () => {
  const waiting = (delay: number) =>
    plain({
      id: 'm',
      version: '1',
      on: { go: { actions: raise({ type: 'x' }, { id: 'r', delay: () => delay }) } },
    } as never);

  test.each([
    [-5, 0],
    [0, 0],
    [0.2, 1],
    [10 * 365 * 86_400_000, 10 * 365 * 86_400_000],
  ])('a delay of %s is due %s ms later', (delay, after) => {
    const lab = given(waiting(delay), signal('go'));
    expect(lab.state.timers.get('r')?.dueAt).toBe(lab.now + after);
  });

  test.each([Number.NaN, Infinity, 2 ** 60, 8_640_000_000_000_000])(
    'a delay of %s is refused, not guessed',
    (delay) => {
      given(waiting(delay))
        .when(signal('go'))
        .draws(['RunQuarantined', { reason: expect.stringMatching(/is not a time/) }]);
    },
  );
});

test('a timer that re-arms itself on firing stays armed', () => {
  const machine = setup({
    types: { context: {} as { n: number } },
    actions: { count: assign({ n: ({ context }) => context.n + 1 }) },
  }).createMachine({
    id: 'm',
    version: '1',
    context: { n: 0 },
    initial: 'tick',
    states: { tick: { after: { 1000: { target: 'tick', reenter: true, actions: 'count' } } } },
  });
  const id = 'xstate.after.1000.m.tick';
  const lab = given(machine, fires(id), fires(id));
  expect(lab.state.snapshot.context).toEqual({ n: 2 });
  expect(lab.state.timers.get(id)?.dueAt).toBe(lab.now + 1000);
});
