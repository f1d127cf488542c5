import { describe, expect, test } from 'vitest';
import { createMachine, fromPromise, sendTo, setup, spawnChild } from 'xstate';
import { isBusy, owed } from '../../src/core/effects.ts';
import type { Fact } from '../../src/core/journal-events.ts';
import { cancels, childCompletes, fires, given, signal, succeeds, type Lab } from './kit.ts';

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
