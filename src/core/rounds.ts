/**
 * Rounds: draft, review, revise, with a hard bound. Pure arithmetic over the part of a machine's context that keeps it.
 *
 * 1. The first draft is round 1, so `max: 3` is at most three drafts and three reviews.
 * 2. Nothing is lost at the bound: the last draft and all feedback stay in the context.
 * 3. Only a person moves the bound, by an event in the journal.
 */
import { z } from 'zod';

export const Verdict = z.object({
  decision: z.enum(['pass', 'revise', 'reject']),
  feedback: z.string(),
});
/** What a review says of a draft. */
export type Verdict = z.infer<typeof Verdict>;

export interface RoundsState<Draft = unknown> {
  /** The round that runs or ran last, from 1. */
  readonly round: number;
  readonly max: number;
  /** The newest draft, once there is one. */
  readonly draft?: Draft;
  /** Feedback of every review so far, in order. */
  readonly feedback: readonly string[];
  readonly verdict?: Verdict;
}

/** What to do at the bound: wait for a person, fail, or go on with the last draft. */
export type OnExhausted = 'ask' | 'fail' | 'accept';

export const startRounds = <Draft>(max: number): RoundsState<Draft> => ({
  round: 1,
  max,
  feedback: [],
});

export const withDraft = <Draft>(state: RoundsState<Draft>, draft: Draft): RoundsState<Draft> => ({
  ...state,
  draft,
});

export const withVerdict = <Draft>(
  state: RoundsState<Draft>,
  verdict: Verdict,
): RoundsState<Draft> => ({
  ...state,
  verdict,
  feedback: verdict.decision === 'pass' ? state.feedback : [...state.feedback, verdict.feedback],
});

export const nextRound = <Draft>(state: RoundsState<Draft>): RoundsState<Draft> => ({
  ...state,
  round: state.round + 1,
});

/** The most rounds that one extension adds. */
export const roundsExtensionMax = 100;

export const isExtension = (rounds: unknown): rounds is number =>
  Number.isInteger(rounds) && Number(rounds) >= 1 && Number(rounds) <= roundsExtensionMax;

/** @param rounds what `isExtension` accepts */
export const extendRounds = <Draft>(
  state: RoundsState<Draft>,
  rounds: number,
): RoundsState<Draft> => ({ ...state, max: state.round + rounds });

/** What a review leads to, at the bound or before it. */
export const afterReview = (
  state: RoundsState,
  verdict: Verdict,
): 'accepted' | 'revise' | 'exhausted' | 'rejected' => {
  if (verdict.decision === 'pass') return 'accepted';
  if (verdict.decision === 'reject') return 'rejected';
  return state.round < state.max ? 'revise' : 'exhausted';
};

/** What a step gets beside its input when it revises a draft. */
export interface Revision {
  readonly round: number;
  readonly previous?: unknown;
  readonly feedback?: string;
}

/** Under this key the input of an invocation carries its round. */
const roundKey = '$round';

export const withRound = (input: unknown, revision: Revision): Record<string, unknown> => ({
  [roundKey]: revision,
  input,
});

/** The input of an invocation, and its round when it has one. */
export const splitRound = (value: unknown): { input: unknown; revision: Revision } => {
  if (typeof value === 'object' && value !== null && roundKey in value) {
    const wrapped = value as { [roundKey]: Revision; input?: unknown };
    return { input: wrapped.input, revision: wrapped[roundKey] };
  }
  return { input: value, revision: { round: 1 } };
};
