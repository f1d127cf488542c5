/**
 * document-review: extracts from files what the instructions ask for, reviews it, and writes a document.
 *
 * When the third review is not satisfied, or one rejects the draft for good, a person decides.
 */
import { workflow, type ArtifactReference, type RoundsState } from 'ecl';
import { assign, setup } from 'xstate';
import type { z } from 'zod';
import { Input, Output, type Acceptance, type Extraction, type Review } from './schemas.ts';
import { extract, extractionRounds, review, write } from './steps.ts';

interface Context {
  readonly task: {
    readonly files: ArtifactReference[];
    readonly instructions: string;
    readonly criteria: string[];
  };
  readonly title: string | null;
  readonly rounds: RoundsState<Extraction>;
  readonly acceptedBy: Acceptance;
  readonly document: ArtifactReference | null;
}

const machine = setup({
  types: {
    input: {} as Input,
    context: {} as Context,
    output: {} as z.infer<typeof Output>,
  },
  actors: { extract, review, write },
  guards: { ...extractionRounds.guards },
  actions: {
    ...extractionRounds.actions,
    noteAcceptance: assign({ acceptedBy: 'person' }),
    noteReplacement: assign({ acceptedBy: 'replaced' }),
    keepDocument: assign({
      document: ({ event }) => (event as unknown as { output: ArtifactReference }).output,
    }),
  },
}).createMachine({
  id: 'document-review',
  version: '1.0.0',
  description:
    'Extracts from files what the instructions ask for, reviews it at most three times, and writes a document.',
  context: ({ input: { files, instructions, criteria, title } }) => ({
    task: { files, instructions, criteria },
    title: title ?? null,
    rounds: extractionRounds.start(),
    acceptedBy: 'review',
    document: null,
  }),
  initial: 'extract',
  states: {
    extract: {
      description: 'Reads the files for what the instructions ask, or revises the draft before.',
      invoke: {
        id: 'extract',
        src: 'extract',
        input: ({ context }) => extractionRounds.input(context.rounds, context.task),
        onDone: { target: 'review', actions: ['keepDraft'] },
      },
    },
    review: {
      description: 'Holds the draft against the instructions, the criteria and the files.',
      meta: {
        ecl: { rounds: { review: 'review', of: 'extract', max: 3, onExhausted: 'ask' } },
      },
      invoke: {
        id: 'review',
        src: 'review',
        input: ({ context }) => ({ ...context.task, draft: context.rounds.draft! }),
        onDone: [
          { guard: 'draftPasses', target: 'write', actions: ['keepVerdict'] },
          {
            guard: 'draftCanBeRevised',
            target: 'extract',
            actions: ['keepVerdict', 'beginNextRound'],
          },
          { target: 'exhausted', actions: ['keepVerdict'] },
        ],
      },
    },
    exhausted: {
      description:
        'The review is not satisfied. Accept the last draft, allow more rounds, or give title, summary and points yourself.',
      tags: ['gate'],
      meta: { ecl: { gate: 'review' } },
      on: {
        'rounds.accepted': { target: 'write', actions: ['noteAcceptance'] },
        'rounds.extended': {
          guard: 'extensionIsValid',
          target: 'extract',
          actions: ['extendRounds'],
        },
        'rounds.replaced': {
          guard: 'replacementFits',
          target: 'write',
          actions: ['replaceDraft', 'noteReplacement'],
        },
      },
    },
    write: {
      description: 'Writes the document as an artifact.',
      invoke: {
        id: 'write',
        src: 'write',
        input: ({ context: { task, title, rounds, acceptedBy } }) => ({
          task,
          title,
          extraction: rounds.draft!,
          review: rounds.verdict as Review,
          acceptedBy,
          round: rounds.round,
          roundsMax: rounds.max,
        }),
        onDone: { target: 'done', actions: ['keepDocument'] },
      },
    },
    done: { type: 'final' },
  },
  output: ({ context: { title, rounds, acceptedBy, document } }) => ({
    title: title ?? rounds.draft!.title,
    summary: rounds.draft!.summary,
    decision: rounds.verdict!.decision,
    acceptedBy,
    rounds: rounds.round,
    document: document!,
  }),
});

export const documentReview = workflow({ machine, input: Input, output: Output });
