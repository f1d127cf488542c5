/** What the processes of these tests run. */
import { workflow } from 'ecl';
import { assign, setup } from 'xstate';
import { essay } from '../durability/flows.mjs';

/** Takes two notes, then naps: it ends by a timer. */
export const naps = workflow({
  machine: setup({
    guards: { enough: ({ context }) => context.notes.length >= 1 },
    actions: { note: assign({ notes: ({ context, event }) => [...context.notes, event.n] }) },
  }).createMachine({
    id: 'naps',
    version: '1.0.0',
    context: { notes: [] },
    initial: 'open',
    states: {
      open: {
        on: {
          note: [{ guard: 'enough', actions: 'note', target: 'napping' }, { actions: 'note' }],
        },
      },
      napping: { after: { 3000: 'done' } },
      done: { type: 'final' },
    },
    output: ({ context }) => context.notes,
  }),
});

/** Ends by itself, soon. */
export const blinks = workflow({
  machine: setup({}).createMachine({
    id: 'blinks',
    version: '1.0.0',
    initial: 'shut',
    states: { shut: { after: { 100: 'open' } }, open: { type: 'final' } },
  }),
});

export { essay };
export const all = [essay, naps, blinks];
