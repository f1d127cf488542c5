import { describe, expect, test } from 'vitest';
import { createMachine, fromPromise, sendTo, setup, spawnChild } from 'xstate';
import { isBusy, owed } from '../../src/core/effects.ts';
import type { Fact } from '../../src/core/journal-events.ts';
import { isAtRest, restsWithChildren, runStatus, waitingFor } from '../../src/core/run-status.ts';
import { cancels, childCompletes, fires, given, Lab, signal, succeeds } from './kit.ts';

const machine = setup({
  actors: { work: fromPromise(() => Promise.resolve(1)), kid: createMachine({ id: 'kid' }) },
}).createMachine({
  id: 'm',
  version: '1',
  initial: 'idle',
  states: {
    idle: {
      on: { work: 'working', wait: 'waiting', rest: 'resting', kid: 'parent', sink: 'sink' },
    },
    working: { invoke: { src: 'work', id: 'w', onDone: 'waiting' }, on: { stop: 'idle' } },
    waiting: { after: { 5000: 'idle' }, on: { 'a.signal': 'done' } },
    resting: { after: { 5000: 'idle' } },
    parent: {
      entry: [spawnChild('kid', { id: 'k' }), sendTo('k', { type: 'hello' })],
      on: { back: 'idle' },
    },
    sink: {},
    done: { type: 'final' },
  },
});
const at = (...types: string[]): Lab => given(machine, ...types.map((type) => signal(type)));
const paused: Fact = { type: 'RunPaused', data: { reason: 'r' } };

describe('status', () => {
  test.each<[string, Lab, string, boolean]>([
    ['a state that waits for a signal', at(), 'waiting', true],
    ['a step under way', at('work'), 'running', false],
    ['a signal with a deadline', at('wait'), 'waiting', true],
    ['nothing but a timer', at('rest'), 'running', false],
    ['a child under way', at('kid'), 'running', false],
    ['a state that nothing leaves', at('sink'), 'waiting', true],
    ['a pause', given(at('work'), paused), 'paused', true],
    ['the end', at('wait', 'a.signal'), 'completed', true],
    ['a cancellation', given(at('work'), cancels()), 'cancelled', true],
    [
      'a recorded divergence',
      given(at('work'), {
        type: 'RunQuarantined',
        data: { revision: 1, reason: 'r', pending: false },
      }),
      'quarantined',
      true,
    ],
  ])('%s is that', (_, { state }, status, rests) => {
    expect([runStatus(state), isAtRest(state)]).toEqual([status, rests]);
  });

  test('a quarantine shows before a pause, and an end before both', () => {
    const lab = given(at('work'), paused, {
      type: 'RunQuarantined',
      data: { revision: 1, reason: 'r', pending: false },
    });
    expect(runStatus(lab.state)).toBe('quarantined');
    expect(runStatus(given(lab, cancels()).state)).toBe('cancelled');
  });

  test('a parent rests with its children, once nothing but a person moves any of them', () => {
    const parent = given(at('kid'), { type: 'SignalDelivered', data: { id: 'm.k/1' } }).state;
    const [waiting, working, over] = [at().state, at('work').state, at('wait', 'a.signal').state];
    expect(
      [waiting, working, over, undefined].map((child) => restsWithChildren(parent, () => child)),
    ).toEqual([true, false, false, false]);
    expect(restsWithChildren(waiting, () => undefined)).toBe(true);
  });
});

describe('waitingFor', () => {
  test('names signals and the instants of timers', () => {
    const lab = at('wait');
    expect(waitingFor(lab.state)).toEqual([
      { event: 'a.signal' },
      { event: 'timer', dueAt: new Date(lab.now + 5_000).toISOString() },
    ]);
  });

  test('names nothing while a step is under way, in quarantine and after the end', () => {
    const held = given(at('wait'), {
      type: 'RunQuarantined',
      data: { revision: 1, reason: 'r', pending: false },
    });
    for (const { state } of [at('work'), held, at('wait', 'a.signal')])
      expect(waitingFor(state)).toEqual([]);
  });
});

describe('what is owed', () => {
  const kinds = ({ state }: Lab): string[] => owed(state).map(({ kind }) => kind);

  test('is what stands open', () => {
    expect(kinds(at('work'))).toEqual(['step']);
    expect(kinds(at('wait'))).toEqual(['timer']);
    expect(kinds(at('kid'))).toEqual(['signal', 'child']);
    expect(kinds(given(at('work'), succeeds('w')))).toEqual(['timer']);
    expect(kinds(given(at('rest'), fires('xstate.after.5000.m.resting')))).toEqual([]);
  });

  test('is no step and no timer during a pause, and all of it again after a resume', () => {
    const lab = given(at('work'), paused);
    expect(kinds(lab)).toEqual([]);
    expect(kinds(given(lab, { type: 'RunResumed', data: {} }))).toEqual(['step']);
  });

  test('is the last words of a run that has ended', () => {
    const lab = given(at('kid'), cancels());
    expect(kinds(lab)).toEqual(['signal', 'child']);
    given(lab, { type: 'SignalDelivered', data: { id: 'm.k/1' } }, childCompletes('k'));
    expect([kinds(lab), isBusy(lab.state)]).toEqual([[], false]);
  });
});
