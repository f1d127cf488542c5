import { assign, fromPromise, setup } from 'xstate';
import type { Fact } from '../../src/core/journal-events.ts';
import { succeeds, type Given } from '../core/kit.ts';

const work = fromPromise<unknown, unknown>(() => Promise.resolve(undefined));

interface Context {
  readonly topic: string;
  readonly round: number;
  readonly draft: string | null;
  readonly feedback: readonly string[];
}

export const machine = setup({
  types: { context: {} as Context },
  actors: { draft: work, critique: work },
  guards: {
    passes: ({ event }) => (event as unknown as { output: { decision: string } }).output.decision === 'pass',
    hasRound: ({ context }) => context.round < 3,
  },
  actions: {
    keepDraft: assign({ draft: ({ event }) => (event as unknown as { output: { text: string } }).output.text }),
    keepFeedback: assign({
      round: ({ context }) => context.round + 1,
      feedback: ({ context, event }) => [
        ...context.feedback,
        (event as unknown as { output: { feedback: string } }).output.feedback,
      ],
    }),
  },
}).createMachine({
  id: 'review-rounds',
  version: '1.0.0',
  context: ({ input }) => ({ topic: (input as { topic: string }).topic, round: 1, draft: null, feedback: [] }),
  initial: 'drafting',
  states: {
    drafting: {
      tags: ['busy'],
      invoke: {
        id: 'draft',
        src: 'draft',
        input: ({ context }: { context: Context }) => ({ topic: context.topic, round: context.round, feedback: context.feedback.at(-1) }),
        onDone: { target: 'reviewing', actions: 'keepDraft' },
      },
    },
    reviewing: {
      tags: ['busy'],
      meta: { ecl: { rounds: { max: 3 } } },
      invoke: {
        id: 'critique',
        src: 'critique',
        input: ({ context }: { context: Context }) => ({ text: context.draft }),
        onDone: [
          { guard: 'passes', target: 'accepted' },
          { guard: 'hasRound', target: 'drafting', actions: 'keepFeedback' },
          { target: 'exhausted' },
        ],
      },
    },
    accepted: { type: 'final' },
    exhausted: { type: 'final', tags: ['failed'] },
  },
  output: ({ context }) => ({ text: context.draft, rounds: context.round }),
});

export const start = { input: { topic: 'the sea' } };
export const status = 'completed';

const replied = (invocation: string, call: number, attempt: number, more: object = {}): Fact => ({
  type: 'ModelReplied',
  data: {
    invocation,
    attempt,
    call,
    request: 'a3f5'.repeat(16),
    model: 'claude-sonnet-5-5',
    text: '{"text":"The sea is \\"wide\\"."}',
    stopReason: 'end',
    usage: { inputTokens: 120, outputTokens: 35, cacheReadTokens: 80, cacheWriteTokens: 0 },
    cost: { usd: 0.0031 },
    latencyMs: 840,
    ...more,
  },
});

export const life: Given[] = [
  replied('draft#1', 1, 1, {
    text: '',
    stopReason: 'tool-use',
    toolCalls: [{ id: 'tool-1', name: 'look-up', input: { word: 'sea', languages: ['en', 'de'] } }],
  }),
  { type: 'ValueRecorded', data: { invocation: 'draft#1', name: 'tool:tool-1', value: { content: 'das Meer' } } },
  { type: 'ValueRecorded', data: { invocation: 'draft#1', name: 'nothing' } },
  {
    type: 'StepAttemptFailed',
    data: {
      invocation: 'draft#1',
      attempt: 1,
      error: { code: 'model.overloaded', message: 'The model is overloaded: 529', details: { status: 529, retryAfterMs: 2000 } },
      retryAt: 1_767_225_700_000,
      replies: 'kept',
    },
  },
  { type: 'StepAttemptStarted', data: { invocation: 'draft#1', attempt: 2 } },
  replied('draft#1', 2, 2, { usage: undefined, cost: { unknown: 'no usage was reported' } }),
  {
    type: 'ArtifactStored',
    data: { invocation: 'draft#1', name: 'draft.md', sha256: 'b'.repeat(64), bytes: 18, mediaType: 'text/markdown' },
  },
  succeeds('draft', { text: 'The sea is "wide".' }),
  succeeds('critique', { decision: 'revise', feedback: 'Say how wide. “Ünïcode” – 海' }),
  succeeds('draft', { text: 'The sea is 3,600 km wide.' }),
  succeeds('critique', { decision: 'pass', feedback: '' }),
];
