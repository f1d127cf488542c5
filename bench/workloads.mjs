/** The workflows that are measured. Steps cost nothing, so what is measured is the engine and the disk. */
import { step, workflow } from 'ecl';
import { assign, setup } from 'xstate';

const text = 'x'.repeat(200);
const named = (name) => step({ name, execute: () => ({ text }) });
const actors = {
  generate: named('generate'),
  critique: named('critique'),
  revise: named('revise'),
};
const actions = { keep: assign({ last: ({ event }) => event.output }) };
const context = ({ input }) => ({ topic: input.topic, last: null });
const output = ({ context: { last } }) => last;

const invoke = (src, target) => ({
  invoke: {
    src,
    input: ({ context: { topic, last } }) => last ?? { topic },
    onDone: { target, actions: 'keep' },
  },
});

const asked = (src, target) => ({
  invoke: {
    src,
    input: ({ context: { topic } }) => ({ topic }),
    onDone: { target, actions: 'keep' },
  },
});

/** generate → critique → revise → critique → done */
export const w1 = workflow({
  machine: setup({ actors, actions }).createMachine({
    id: 'w1',
    version: '1.0.0',
    context,
    initial: 'generating',
    states: {
      generating: invoke('generate', 'critiquing'),
      critiquing: invoke('critique', 'revising'),
      revising: invoke('revise', 'checking'),
      checking: invoke('critique', 'done'),
      done: { type: 'final' },
    },
    output,
  }),
});

/** W1 with a signal after its second step. */
export const w2 = workflow({
  machine: setup({ actors, actions }).createMachine({
    id: 'w2',
    version: '1.0.0',
    context,
    initial: 'generating',
    states: {
      generating: invoke('generate', 'critiquing'),
      critiquing: invoke('critique', 'waiting'),
      waiting: { on: { go: 'revising' } },
      revising: invoke('revise', 'checking'),
      checking: invoke('critique', 'done'),
      done: { type: 'final' },
    },
    output,
  }),
});

/** A thousand steps in one run, one after the other. */
export const w3 = workflow({
  machine: setup({
    actors,
    actions: {
      count: assign({
        done: ({ context: { done } }) => done + 1,
        last: ({ event }) => event.output,
      }),
    },
    guards: { isLast: ({ context: { done } }) => done >= 999 },
  }).createMachine({
    id: 'w3',
    version: '1.0.0',
    context: { done: 0, last: null },
    initial: 'working',
    states: {
      working: {
        invoke: {
          src: 'generate',
          input: ({ context: { done } }) => ({ n: done }),
          onDone: [
            { guard: 'isLast', target: 'done', actions: 'count' },
            { target: 'working', reenter: true, actions: 'count' },
          ],
        },
      },
      done: { type: 'final' },
    },
    output: ({ context: { done } }) => ({ done }),
  }),
});

/** Waits for a signal from its first state on. */
export const parked = workflow({
  machine: setup({}).createMachine({
    id: 'parked',
    version: '1.0.0',
    initial: 'waiting',
    states: { waiting: { on: { go: 'done' } }, done: { type: 'final' } },
  }),
});

const asking = (name) =>
  step({
    name,
    execute: async ({ input, model }) => ({ text: await model.text(`${name} ${input.topic}`) }),
  });

/** W1 with a model call in each step; some runs wait for a signal before the last one. */
export const reviewed = workflow({
  machine: setup({
    actors: { draft: asking('draft'), critique: asking('critique'), revise: asking('revise') },
    actions,
    guards: { waits: ({ context: { waits } }) => waits },
  }).createMachine({
    id: 'reviewed',
    version: '1.0.0',
    context: ({ input: { topic, waits } }) => ({ topic, waits, last: null }),
    initial: 'drafting',
    states: Object.fromEntries([
      ['drafting', asked('draft', 'critiquing')],
      ['critiquing', asked('critique', 'revising')],
      ['revising', asked('revise', 'choosing')],
      ['choosing', { always: [{ guard: 'waits', target: 'waiting' }, { target: 'checking' }] }],
      ['waiting', { tags: ['gate'], on: { go: 'checking' } }],
      ['checking', asked('critique', 'done')],
      ['done', { type: 'final' }],
    ]),
    output,
  }),
});
