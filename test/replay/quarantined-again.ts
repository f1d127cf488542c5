import { fromPromise, setup } from 'xstate';
import { succeeds, type Given } from '../core/kit.ts';

/** A defect that was mended by a machine which then did not replay the beginning of the run. */
const defect = { isThere: false };

const region = (id: string) =>
  ({
    initial: 'on',
    states: {
      on: { invoke: { id, src: 'work', onDone: { guard: 'isGood', target: 'off' } } },
      off: { type: 'final' },
    },
  }) as const;

export const machine = setup({
  actors: { work: fromPromise<unknown, unknown>(() => Promise.resolve(undefined)) },
  guards: {
    isGood: () => {
      if (defect.isThere) throw new Error('no reading of undefined');
      return true;
    },
  },
}).createMachine({
  id: 'quarantined-again',
  version: '1.0.0',
  context: {},
  initial: 'both',
  states: {
    both: {
      type: 'parallel',
      states: { left: region('left'), right: region('right') },
      onDone: 'over',
    },
    over: { type: 'final' },
  },
});

export const status = 'completed';

const withDefect =
  (given: Given): Given =>
  (state) => {
    defect.isThere = true;
    return typeof given === 'function' ? given(state) : given;
  };

export const life: Given[] = [
  withDefect(succeeds('left', 'paid for')),
  succeeds('right', 'paid for too'),
  {
    type: 'RunQuarantined',
    data: {
      revision: 1,
      reason: 'StateChanged: the machine now draws another StateChanged than the recorded one',
      expected: { type: 'StateChanged' },
      got: null,
      pending: false,
    },
  },
  () => {
    defect.isThere = false;
    return { type: 'RunResumed', data: { reason: 'mended' } };
  },
];
