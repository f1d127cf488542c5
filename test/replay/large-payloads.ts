import { assign, fromPromise, setup } from 'xstate';
import { signal, succeeds, type Given } from '../core/kit.ts';

export const machine = setup({
  types: { context: {} as { text: string } },
  actors: { work: fromPromise<unknown, unknown>(() => Promise.resolve(undefined)) },
}).createMachine({
  id: 'large-payloads',
  version: '1.0.0',
  context: { text: '' },
  initial: 'first',
  states: {
    first: {
      invoke: {
        id: 'first',
        src: 'work',
        onDone: {
          target: 'second',
          actions: assign({ text: ({ event }) => (event.output as { text: string }).text }),
        },
      },
    },
    second: { invoke: { id: 'second', src: 'work', input: ({ context }: { context: { text: string } }) => context.text, onDone: 'third' } },
    third: { on: { odd: 'over' } },
    over: { type: 'final' },
  },
  output: ({ context }) => ({ text: context.text }),
});

export const status = 'completed';

const text = 'Große Texte liegen beim Inhalt. '.repeat(2_100);

export const life: Given[] = [
  succeeds('first', { text }),
  succeeds('second', { '$ecl.blob': { sha256: 'no address', bytes: 0 } }),
  signal({ type: 'odd', '$ecl.blob': 'a field of a person' }, 'signal-1'),
];
