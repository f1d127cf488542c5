import { describe, expect, test } from 'vitest';
import { createMachine, fromPromise, sendTo, setup, spawnChild } from 'xstate';
import type { Fact } from '../../src/core/journal-events.ts';
import { isAtRest, restsWithChildren, runStatus, waitingFor } from '../../src/core/run-status.ts';
import { cancels, given, type Lab, signal } from './kit.ts';

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
