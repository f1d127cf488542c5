import { fromPromise, setup } from 'xstate';
import { signal, succeeds, type Given } from '../core/kit.ts';

/** A defect that was mended while the run was quarantined. */
const defect = { isThere: false };

export const machine = setup({
  actors: { work: fromPromise<unknown, unknown>(() => Promise.resolve(undefined)) },
  guards: {
    isGood: () => {
      if (defect.isThere) throw new Error('no reading of undefined');
      return true;
    },
  },
}).createMachine({
  id: 'quarantined-and-resumed',
  version: '1.0.0',
  context: {},
  initial: 'both',
  states: {
    both: {
      type: 'parallel',
      states: {
        left: { initial: 'on', states: { on: { invoke: { id: 'left', src: 'work', onDone: { guard: 'isGood', target: 'off' } } }, off: { type: 'final' } } },
        right: { initial: 'on', states: { on: { invoke: { id: 'right', src: 'work', onDone: 'off' } }, off: { type: 'final' } } },
      },
      onDone: 'asking',
    },
    asking: { on: { 'all.good': 'over' } },
    over: { type: 'final' },
  },
});

export const status = 'completed';

export const life: Given[] = [
  (state) => {
    defect.isThere = true;
    const fact = succeeds('left', 'paid for');
    return typeof fact === 'function' ? fact(state) : fact;
  },
  succeeds('right', 'paid for too'),
  { type: 'RunResumed', data: { reason: 'too early' } },
  () => {
    defect.isThere = false;
    return { type: 'RunResumed', data: { reason: 'mended' } };
  },
  {
    type: 'RunQuarantined',
    data: {
      revision: 4,
      reason: 'StateChanged: the machine now draws another StateChanged than the recorded one',
      expected: { type: 'StateChanged' },
      got: null,
      pending: false,
    },
  },
  { type: 'RunResumed', data: {} },
  signal('all.good', 'signal-1'),
];
