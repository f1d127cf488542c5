import { createMachine, fromPromise, setup, type AnyStateMachine } from 'xstate';
import { expect, test } from 'vitest';
import { machineChart } from '../../../src/core/chart/machine-chart.ts';
import { labelText } from '../../../src/core/chart/state-rows.ts';
import { everything } from './machines.ts';

const labels = (machine: unknown): string[] =>
  machineChart(machine as AnyStateMachine).transitions.map(
    ({ from, to, label }) => `${from} > ${to.join(' + ')}: ${label ? labelText(label) : '-'}`,
  );

test('a delay is said in the largest unit that says it exactly', () => {
  const machine = createMachine({
    id: 'm',
    initial: 'a',
    states: {
      a: {
        after: { 1: 'b', 1500: 'b', 90_000: 'b', 120_000: 'b', 7_200_000: 'b', 604_800_000: 'b' },
      },
      b: {},
    },
  });
  expect(labels(machine).map((label) => label.split(': ')[1])).toEqual(
    ['1 ms', '1500 ms', '90 s', '2 min', '2 h', '7 d'].map((delay) => `after ${delay}`),
  );
});

test('the way without a guard behind guarded ones is "else", one alone is not', () => {
  const machine = setup({ guards: { isGood: () => true } }).createMachine({
    id: 'm',
    initial: 'a',
    states: {
      a: { on: { go: [{ guard: 'isGood', target: 'b' }, { target: 'c' }], stop: 'c' } },
      b: { always: 'c' },
      c: {},
    },
  });
  expect(labels(machine)).toEqual([
    'm.a > m.b: go [isGood]',
    'm.a > m.c: go [else]',
    'm.a > m.c: stop',
    'm.b > m.c: always',
  ]);
});

test('an outcome says of what, only where it could be of more than one', () => {
  const actors = { load: fromPromise(() => Promise.resolve(1)) };
  const machine = setup({ actors }).createMachine({
    id: 'm',
    initial: 'one',
    states: {
      one: { invoke: { src: 'load', onDone: 'two', onError: 'end' } },
      two: {
        invoke: [
          { src: 'load', onDone: 'end' },
          { id: 'again', src: 'load', onDone: 'end' },
        ],
      },
      end: {},
    },
  });
  expect(labels(machine)).toEqual([
    'm.one > m.two: done',
    'm.one > m.end: error',
    'm.two > m.end: done (load)',
    'm.two > m.end: done (again)',
  ]);
});

test('what leaves no state stands in its state, and one event may enter several regions', () => {
  const chart = machineChart(everything);
  expect(chart.root.internal.map(labelText)).toEqual(['note.added']);
  expect(labels(everything)).toContain(
    'everything.idle > everything.working.left.b + everything.working.right.y: both',
  );
});

test('a history state leads where it says, and nowhere of itself when it says nothing', () => {
  const of = (id: string): string[] =>
    labels(everything).filter((label) => label.startsWith(`everything.working.${id} `));
  expect(of('deep')).toEqual(['everything.working.deep > everything.working.left: -']);
  expect(of('hist')).toEqual([]);
});

test('actions are those of the config, not those that a delay adds', () => {
  const machine = setup({ actions: { note: () => {} } }).createMachine({
    id: 'm',
    entry: ['note', { type: 'note' }],
    after: { 1000: { actions: 'note' } },
  });
  const { root } = machineChart(machine);
  expect([root.entry, root.exit]).toEqual([['note', 'note'], []]);
});
