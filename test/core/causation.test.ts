import { expect, test } from 'vitest';
import { createMachine, fromPromise, raise, sendTo, setup, spawnChild } from 'xstate';
import { causationOf } from '../../src/core/causation.ts';
import type { JournalEventType } from '../../src/core/journal-events.ts';
import { given, signal } from './kit.ts';

const kid = createMachine({ id: 'kid' });
const machine = setup({
  actors: { work: fromPromise(() => Promise.resolve(1)), kid },
}).createMachine({
  id: 'm',
  version: '1',
  invoke: { src: 'work', id: 'w' },
  on: {
    go: {
      actions: [
        spawnChild('kid', { id: 'k' }),
        sendTo('k', { type: 'hello' }),
        raise({ type: 'x' }, { id: 't', delay: 5 }),
      ],
    },
  },
});
const lab = given(machine, signal('go'));
const idOf = (type: JournalEventType): string =>
  lab.stored.find((event) => event.type === type)!.id;

test('a fact is caused by the event that asked for it', () => {
  const causes = [
    causationOf(lab.state, { type: 'StepSucceeded', data: { invocation: 'work#1', attempt: 1 } }),
    causationOf(lab.state, { type: 'TimerFired', data: { id: 't' } }),
    causationOf(lab.state, { type: 'ChildCompleted', data: { run: 'm.k~1' } }),
    causationOf(lab.state, { type: 'SignalDelivered', data: { id: 'm.k/1' } }),
  ];
  expect(causes).toEqual([
    idOf('StepScheduled'),
    idOf('TimerSet'),
    idOf('ChildSpawned'),
    idOf('SignalSent'),
  ]);
});

test('a fact that nothing in the journal asked for has no cause there', () => {
  expect(causationOf(lab.state, signal('go'))).toBe('');
  expect(causationOf(lab.state, { type: 'TimerFired', data: { id: 'gone' } })).toBe('');
  expect(
    causationOf(lab.state, {
      type: 'StepFailed',
      data: { invocation: 'gone', attempt: 1, error: { code: 'x', message: '' } },
    }),
  ).toBe('');
});
