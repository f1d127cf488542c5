/**
 * `rounds()`: draft, review, revise with a hard bound, for `serial()` or to spread into a hand-written machine.
 *
 * 1. The bound is data in the context and in `meta.ecl`, so that a tool can prove it.
 * 2. The guards look at the event that has just come and at the rounds that are left, and at nothing else.
 * 3. What a person gives in place of a draft fits the step's output, or it is refused.
 */
import { assign, type ActionFunction, type EventObject, type MachineContext } from 'xstate';
import type { z } from 'zod';
import { guardWithReason, type GuardArgs } from '../core/guard-refusal.ts';
import {
  afterReview,
  extendRounds,
  isExtension,
  nextRound,
  roundsExtensionMax,
  startRounds,
  Verdict,
  withDraft,
  withRound,
  withVerdict,
  type OnExhausted,
  type RoundsState,
} from '../core/rounds.ts';
import { describeIssues } from '../core/step-checks.ts';
import type { Step } from './step.ts';

/** The schema of what a review returns: `{ decision: 'pass' | 'revise' | 'reject', feedback }`. */
export const verdict = (): typeof Verdict => Verdict;

/** A step by what it gives, whatever it takes. */
export type StepOf<Output> = Pick<Step<never, Output>, 'name' | 'output'>;

/** A step that returns a verdict on what it takes. */
export interface ReviewOf<Takes> {
  readonly name: string;
  readonly input: z.ZodType<unknown, Takes> | undefined;
  readonly output: z.ZodType<Verdict>;
}

export interface RoundsOptions<Draft, Takes = unknown> {
  /** Its output is a verdict; its input is the draft, unless a hand-written machine gives it another. */
  readonly review: ReviewOf<Takes>;
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

/** Fits the `setup({ actions })` of any machine: XState's own type for such an action is invariant in the context. */
// oxlint-disable-next-line typescript/no-explicit-any
type RoundsAction = ActionFunction<any, any, any, any, never, never, never, never, never>;

export interface Rounds<Draft = unknown, Takes = unknown> {
  readonly kind: 'rounds';
  readonly review: string;
  readonly of: string;
  readonly max: number;
  readonly onExhausted: OnExhausted;
  readonly steps: { readonly review: ReviewOf<Takes>; readonly of: StepOf<Draft> };
  /** The part of the context that it keeps, at the start. */
  start(): RoundsState<Draft>;
  /** The input of the drafting step, with its round, the draft before and what the review said of it. */
  input(rounds: RoundsState<Draft>, input: unknown): never;
  readonly guards: {
    /** On the review's end: it passed. */
    readonly draftPasses: (args: GuardArgs) => boolean;
    /** On the review's end: it wants a revision, and a round is left. */
    readonly draftCanBeRevised: (args: GuardArgs) => boolean;
    /** On the review's end: no revision would help. */
    readonly draftIsRejected: (args: GuardArgs) => boolean;
    /** On `rounds.extended { rounds }`: a whole number of rounds, or none, which is one. */
    readonly extensionIsValid: (args: GuardArgs) => boolean;
    /** On `rounds.replaced { output }`: it fits the output of the drafting step. */
    readonly replacementFits: (args: GuardArgs) => boolean;
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
const extensionOf = (event: EventObject): unknown =>
  (event as EventObject & { rounds?: unknown }).rounds ?? 1;

const moving = (
  move: (rounds: RoundsState, event: EventObject, params: unknown) => RoundsState,
): RoundsAction =>
  assign({
    rounds: ({ context, event }: GuardArgs, params: unknown) =>
      move(roundsOf(context), event, params),
  }) as unknown as RoundsAction;

const extensionIsValid = guardWithReason(({ event }) =>
  isExtension(extensionOf(event))
    ? undefined
    : `rounds: a whole number from 1 to ${roundsExtensionMax}`,
);

/**
 * The guard and the action of `rounds.replaced { output }`.
 *
 * @param schemaOf the output of the drafting step, by the params of the guard or action; undefined: anything fits
 */
export const replacement = (
  schemaOf: (params: unknown) => z.ZodType | undefined,
): Pick<Rounds['guards'], 'replacementFits'> & Pick<Rounds['actions'], 'replaceDraft'> => ({
  replacementFits: guardWithReason(({ event }, params) => {
    if (!('output' in event)) return 'output: it is missing';
    const parsed = schemaOf(params)?.safeParse(event.output);
    return parsed?.success === false ? describeIssues(parsed.error.issues) : undefined;
  }),
  // What is kept is what the schema makes of it, as it is with what the step itself returns.
  replaceDraft: moving((state, event, params) => {
    const schema = schemaOf(params);
    return withDraft(state, schema === undefined ? outputOf(event) : schema.parse(outputOf(event)));
  }),
});

/**
 * @throws TypeError when `max` is no whole number from 1, or a step reviews itself
 * @example
 * serial({ id: 'essay', version: '1.0.0', steps: [draft, rounds({ review: critique, of: draft, max: 3 })] });
 */
export const rounds = <Draft, Takes = unknown>(
  options: RoundsOptions<Draft, Takes>,
): Rounds<Draft, Takes> => {
  const { max = roundsMaxDefault, onExhausted = 'ask' } = options;
  if (!Number.isInteger(max) || max < 1) {
    throw new TypeError(`rounds({ max }) takes a whole number from 1, not ${max}`);
  }
  const names = { review: options.review.name, of: options.of.name };
  if (names.review === names.of) {
    throw new TypeError(`rounds() takes two steps; "${names.of}" cannot review itself`);
  }
  const { replacementFits, replaceDraft } = replacement(() => options.of.output);
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
      extensionIsValid,
      replacementFits,
    },
    actions: {
      keepDraft: moving((state, event) => withDraft(state, outputOf(event))),
      keepVerdict: moving((state, event) => withVerdict(state, verdictOf(event))),
      beginNextRound: moving(nextRound),
      extendRounds: moving((state, event) =>
        nextRound(extendRounds(state, Number(extensionOf(event)))),
      ),
      replaceDraft,
    },
    meta: { ecl: { rounds: { ...names, max, onExhausted } } },
  };
};
