import { assign, emit, setup } from 'xstate';
import { signal, type Given } from '../core/kit.ts';

const region = (name: string) =>
  ({
    initial: 'off',
    states: {
      off: { tags: ['off', name], on: { [`${name}.on`]: 'on' } },
      on: {
        tags: ['on', name],
        initial: 'dim',
        states: { dim: { on: { [`${name}.up`]: 'bright' } }, bright: {} },
        on: { all: { actions: ['count', { type: 'say', params: { name } }] }, [`${name}.off`]: 'off' },
      },
    },
  }) as const;

export const machine = setup({
  types: { context: {} as { n: number } },
  actions: {
    count: assign({ n: ({ context }) => context.n + 1 }),
    say: emit(({ context }, params: { name: string }) => ({ type: 'said', name: params.name, n: context.n })),
  },
}).createMachine({
  id: 'parallel-and-history',
  version: '1.0.0',
  context: { n: 0 },
  initial: 'lights',
  states: {
    lights: {
      type: 'parallel',
      states: {
        zoe: region('zoe'),
        adam: region('adam'),
        back: { type: 'history', history: 'deep' },
      },
      on: { sleep: 'night' },
    },
    night: { on: { wake: 'lights.back', end: 'over' } },
    over: { type: 'final' },
  },
});

export const status = 'completed';

export const life: Given[] = [
  'adam.on', 'zoe.on', 'all', 'zoe.off', 'adam.up', 'zoe.on', 'all', 'sleep', 'wake', 'all', 'sleep', 'end',
].map((type, n) => signal(type, `signal-${n}`));
