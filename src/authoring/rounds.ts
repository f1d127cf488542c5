/**
 * `rounds()`: draft, review, revise with a hard bound, for `serial()` or to spread into a hand-written machine.
 *
 * 1. The bound is data in the context and in `meta.ecl`, so that a tool can prove it.
 * 2. The guards look at the verdict that has just come and at the rounds that are left, and at nothing else.
 */
import { assign, type ActionFunction, type EventObject, type MachineContext } from 'xstate';
import {
  afterReview,
  extendRounds,
  nextRound,
  startRounds,
  Verdict,
  withDraft,
  withRound,
  withVerdict,
  type OnExhausted,
  type RoundsState,
} from '../core/rounds.ts';
import type { Step } from './step.ts';

/** The schema of what a review returns: `{ decision: 'pass' | 'revise' | 'reject', feedback }`. */
export const verdict = (): typeof Verdict => Verdict;

/** A step by what it gives, whatever it takes. */
export type StepOf<Output> = Pick<Step<never, Output>, 'name' | 'output'>;

export interface RoundsOptions<Draft> {
  /** Its output is a verdict; its input is the draft, unless a hand-written machine gives it another. */
  readonly review: StepOf<Verdict>;
  /** The step whose drafts are reviewed. */
  readonly of: StepOf<Draft>;
  /** Drafts, and reviews, at most; the first draft is round 1. @default 3 */
  readonly max?: number;
  /** At the bound: wait for a person, fail, or go on with the last draft. @default 'ask' */
  readonly onExhausted?: OnExhausted;
}

/** What the guards and actions need of a machine's context. */
export interface RoundsContext<Draft = unknown> extends MachineContext {
  readonly rounds: RoundsState<Draft>;
}

type Named = { readonly context: MachineContext; readonly event: EventObject };
/** Fits the `setup({ actions })` of any machine: XState's own type for such an action is invariant in the context. */
// oxlint-disable-next-line typescript/no-explicit-any
type RoundsAction = ActionFunction<any, any, any, any, never, never, never, never, never>;

export interface Rounds<Draft = unknown> {
  readonly kind: 'rounds';
  readonly review: string;
  readonly of: string;
  readonly max: number;
  readonly onExhausted: OnExhausted;
  readonly steps: { readonly review: StepOf<Verdict>; readonly of: StepOf<Draft> };
  /** The part of the context that it keeps, at the start. */
  start(): RoundsState<Draft>;
  /** The input of the drafting step, with its round, the draft before and what the review said of it. */
  input(rounds: RoundsState<Draft>, input: unknown): never;
  readonly guards: {
    /** On the review's end: it passed. */
    readonly draftPasses: (args: Named) => boolean;
    /** On the review's end: it wants a revision, and a round is left. */
    readonly draftCanBeRevised: (args: Named) => boolean;
    /** On the review's end: no revision would help. */
    readonly draftIsRejected: (args: Named) => boolean;
  };
  readonly actions: {
    /** On the drafting step's end. */
    readonly keepDraft: RoundsAction;
    /** On the review's end. */
    readonly keepVerdict: RoundsAction;
    readonly beginNextRound: RoundsAction;
    /** On `rounds.extended { rounds }`. */
    readonly extendRounds: RoundsAction;
    /** On `rounds.replaced { output }`. */
    readonly replaceDraft: RoundsAction;
  };
  readonly meta: {
    readonly ecl: {
      readonly rounds: { review: string; of: string; max: number; onExhausted: OnExhausted };
    };
  };
}

const roundsMaxDefault = 3;

const roundsOf = (context: MachineContext): RoundsState => (context as RoundsContext).rounds;
const outputOf = (event: EventObject): unknown =>
  (event as EventObject & { output?: unknown }).output;
const verdictOf = (event: EventObject): Verdict => outputOf(event) as Verdict;

const moving = (move: (rounds: RoundsState, event: EventObject) => RoundsState): RoundsAction =>
  assign({
    rounds: ({ context, event }: Named) => move(roundsOf(context), event),
  }) as unknown as RoundsAction;

/**
 * @example
 * serial({ id: 'essay', version: '1.0.0', steps: [draft, rounds({ review: critique, of: draft, max: 3 })] });
 */
export const rounds = <Draft>(options: RoundsOptions<Draft>): Rounds<Draft> => {
  const { max = roundsMaxDefault, onExhausted = 'ask' } = options;
  if (!Number.isInteger(max) || max < 1) {
    throw new TypeError(`rounds({ max }) takes a whole number from 1, not ${max}`);
  }
  const names = { review: options.review.name, of: options.of.name };
  return {
    kind: 'rounds',
    ...names,
    max,
    onExhausted,
    steps: { review: options.review, of: options.of },
    start: () => startRounds<Draft>(max),
    input: (state, input) => {
      const { round, draft, verdict: last } = state;
      const revision =
        draft === undefined || last === undefined
          ? { round }
          : { round, previous: draft, feedback: last.feedback };
      return withRound(input, revision) as never;
    },
    guards: {
      draftPasses: ({ event }) => verdictOf(event).decision === 'pass',
      draftCanBeRevised: ({ context, event }) =>
        afterReview(roundsOf(context), verdictOf(event)) === 'revise',
      draftIsRejected: ({ event }) => verdictOf(event).decision === 'reject',
    },
    actions: {
      keepDraft: moving((state, event) => withDraft(state, outputOf(event))),
      keepVerdict: moving((state, event) => withVerdict(state, verdictOf(event))),
      beginNextRound: moving(nextRound),
      extendRounds: moving((state, event) =>
        nextRound(extendRounds(state, Number((event as { rounds?: unknown }).rounds ?? 1))),
      ),
      replaceDraft: moving((state, event) => withDraft(state, outputOf(event))),
    },
    meta: { ecl: { rounds: { ...names, max, onExhausted } } },
  };
};
