/**
 * critique-revise: writes about a topic, criticises the draft and revises it, at most three times.
 *
 * When the third critique is not satisfied, or one rejects the draft for good, a person decides.
 */
import { workflow, type RoundsState } from 'ecl';
import { setup } from 'xstate';
import { z } from 'zod';
import { critique, draft, draftRounds } from './steps.ts';

const Input = z.object({
  topic: z
    .string()
    .trim()
    .min(1)
    .max(20_000)
    .describe('What to write about: a few words, or notes to work from.'),
});

const machine = setup({
  types: {
    input: {} as z.infer<typeof Input>,
    context: {} as { topic: string; rounds: RoundsState<{ text: string }> },
  },
  actors: { draft, critique },
  guards: { ...draftRounds.guards },
  actions: { ...draftRounds.actions },
}).createMachine({
  id: 'critique-revise',
  version: '1.0.0',
  description: 'Writes about a topic, criticises the draft and revises it, at most three times.',
  context: ({ input }) => ({ topic: input.topic, rounds: draftRounds.start() }),
  initial: 'draft',
  states: {
    draft: {
      description: 'Writes the first draft, or revises the one before it.',
      invoke: {
        id: 'draft',
        src: 'draft',
        input: ({ context }) => draftRounds.input(context.rounds, { topic: context.topic }),
        onDone: { target: 'critique', actions: ['keepDraft'] },
      },
    },
    critique: {
      description: 'Checks the draft: pass, revise or reject.',
      meta: {
        ecl: { rounds: { review: 'critique', of: 'draft', max: 3, onExhausted: 'ask' } },
      },
      invoke: {
        id: 'critique',
        src: 'critique',
        input: ({ context }) => ({ text: context.rounds.draft?.text ?? '' }),
        onDone: [
          { guard: 'draftPasses', target: 'done', actions: ['keepVerdict'] },
          {
            guard: 'draftCanBeRevised',
            target: 'draft',
            actions: ['keepVerdict', 'beginNextRound'],
          },
          { target: 'exhausted', actions: ['keepVerdict'] },
        ],
      },
    },
    exhausted: {
      description:
        'The critique is not satisfied. Accept the last draft, allow more rounds, or give the text yourself.',
      tags: ['gate'],
      meta: { ecl: { gate: 'critique' } },
      on: {
        'rounds.accepted': { target: 'done' },
        'rounds.extended': {
          guard: 'extensionIsValid',
          target: 'draft',
          actions: ['extendRounds'],
        },
        'rounds.replaced': {
          guard: 'replacementFits',
          target: 'done',
          actions: ['replaceDraft'],
        },
      },
    },
    done: { type: 'final' },
  },
  output: ({ context }) => ({ text: context.rounds.draft?.text ?? '' }),
});

export const critiqueRevise = workflow({ machine, input: Input, output: draft.output });
