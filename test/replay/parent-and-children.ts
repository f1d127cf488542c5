import { createMachine, sendTo, setup, spawnChild, stopChild } from 'xstate';
import { childCompletes, childFails, fires, signal, type Given } from '../core/kit.ts';

const helper = createMachine({ id: 'helper', initial: 'idle', states: { idle: {} } });

export const machine = setup({ actors: { helper } }).createMachine({
  id: 'parent-and-children',
  version: '1.0.0',
  context: {},
  initial: 'asking',
  states: {
    asking: {
      entry: sendTo('first', { type: 'hello', from: 'its parent' }),
      invoke: { id: 'first', src: 'helper', input: { language: 'de' }, onDone: 'working', onError: 'broken' },
      on: { nudge: { actions: sendTo('first', { type: 'hurry' }, { delay: 30_000, id: 'nudge' }) } },
    },
    working: {
      entry: [spawnChild('helper', { id: 'second' }), spawnChild('helper')],
      on: {
        self: { actions: sendTo(({ self }) => self, { type: 'done' }) },
        drop: { actions: stopChild('second') },
        again: 'asking',
        done: 'over',
      },
    },
    broken: { on: { again: 'asking' } },
    over: { type: 'final' },
  },
});

export const status = 'completed';

export const life: Given[] = [
  { type: 'SignalDelivered', data: { id: 'parent-and-children.golden/1' } },
  signal('nudge', 'signal-1'),
  fires('nudge'),
  childFails('first', { code: 'run.failed', message: 'no dictionary' }),
  signal('again', 'signal-2'),
  childCompletes('first', { text: 'Meer' }),
  signal('drop', 'signal-3'),
  childFails('second', { code: 'run.cancelled', message: 'its parent has left it' }),
  signal('self', 'signal-4'),
  {
    type: 'SignalReceived',
    data: { id: 'parent-and-children.golden/4', event: { type: 'done' }, from: 'parent-and-children.golden' },
  },
];
