import { createMachine, fromPromise, setup, spawnChild } from 'xstate';
import { cancels, succeeds, type Given } from '../core/kit.ts';

export const machine = setup({
  actors: { work: fromPromise<unknown, unknown>(() => Promise.resolve(undefined)), helper: createMachine({ id: 'helper' }) },
}).createMachine({
  id: 'cancelled',
  version: '1.0.0',
  context: {},
  entry: spawnChild('helper', { id: 'helper' }),
  invoke: [
    { id: 'one', src: 'work', input: [1, 2.5, -3e21, null, true], onDone: {} },
    { id: 'two', src: 'work', onDone: {} },
  ],
  after: { 1000: {} },
});

export const status = 'cancelled';

const late = { invocation: 'work#2', attempt: 1, output: 'too late' };

export const life: Given[] = [succeeds('one', { n: 1 }), cancels('nobody needs it'), { type: 'StepSucceeded', data: late }];
