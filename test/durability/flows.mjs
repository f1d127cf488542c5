/** Workflows that the killed processes run. */
import { rounds, serial, step, verdict, workflow } from 'ecl';
import { assign, setup } from 'xstate';
import { z } from 'zod';

const Text = z.object({ text: z.string() });
const draft = step({
  name: 'draft',
  input: z.object({ topic: z.string() }),
  output: Text,
  execute: ({ input, model }) => model.object(`Write about ${input.topic}.`),
  revise: ({ previous, feedback, model }) => model.object(`Revise ${previous.text} by ${feedback}`),
});

/** Two calls, so that a crash between them is one within a step. */
const review = step({
  name: 'review',
  input: Text,
  output: verdict(),
  execute: async ({ input, model }) => {
    const critique = await model.text(`Criticise ${input.text}`);
    return model.object(`Decide upon ${critique}`);
  },
});

const produce = step({
  name: 'produce',
  input: Text,
  output: z.object({ page: z.string() }),
  execute: async ({ input, model, artifacts }) => {
    const page = await model.text(`Produce ${input.text}`);
    await artifacts.write({ name: 'page.md', content: page });
    return { page };
  },
});

/** Three steps, two rounds, seven model calls. */
export const essay = serial({
  id: 'essay',
  version: '1.0.0',
  steps: [draft, rounds({ review, of: draft, max: 3 }), produce],
});

/** Counts its notes until `end`. */
export const notes = workflow({
  machine: setup({
    actions: { count: assign({ n: ({ context }) => context.n + 1 }) },
  }).createMachine({
    id: 'notes',
    version: '1.0.0',
    context: { n: 0 },
    initial: 'open',
    states: { open: { on: { note: { actions: 'count' }, end: 'done' } }, done: { type: 'final' } },
  }),
});

const waiting = (id, delays) =>
  workflow({
    machine: setup({ delays }).createMachine({
      id,
      version: '1.0.0',
      context: ({ input }) => ({ delayMs: input?.delayMs ?? 0 }),
      initial: 'waiting',
      states: {
        waiting: { after: { wait: 'done' }, on: { stop: 'done' } },
        done: { type: 'final' },
      },
    }),
  });

/** Waits as long as its input says. */
export const waits = waiting('waits', { wait: ({ context }) => context.delayMs });

export const all = [essay, notes, waits];
