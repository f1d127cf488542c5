import { sendParent, setup } from 'xstate';
import { fires, type Given } from '../core/kit.ts';

export const machine = setup({}).createMachine({
  id: 'child-run',
  version: '1.0.0',
  context: ({ input }) => ({ language: (input as { language: string }).language }),
  initial: 'working',
  states: {
    working: {
      entry: [sendParent({ type: 'progress', percent: 10 }), sendParent({ type: 'still.here' }, { delay: 5_000, id: 'alive' })],
      on: { hello: 'done' },
    },
    done: { type: 'final' },
  },
  output: ({ context }) => context.language,
});

export const start = {
  id: 'parent-and-children.golden~1',
  input: { language: 'de' },
  depth: 1,
  parent: { run: 'parent-and-children.golden', actor: 'first' },
};
export const status = 'completed';

export const life: Given[] = [
  fires('alive'),
  {
    type: 'SignalReceived',
    data: {
      id: 'parent-and-children.golden/1',
      event: { type: 'hello', from: 'its parent' },
      from: 'parent-and-children.golden',
    },
  },
];
