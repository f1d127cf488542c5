/**
 * `serial()`: a plain chain. Each step gets what the one before it gave; `rounds` send a draft back until its review
 * passes; a `gate` waits for a person. It builds the machine that a person would write with `setup().createMachine()`.
 *
 * 1. The chain is validated here: two neighbours that cannot fit, or rounds without their step, never start.
 * 2. The value between two places stands in `context.current`; rounds keep their drafts in `context.rounds` meanwhile.
 */
import { assign, setup, type AnyActorLogic, type AnyStateMachine } from 'xstate';
import type { z } from 'zod';
import type { Budget } from '../core/budget.ts';
import type { RoundsState } from '../core/rounds.ts';
import { stepKey } from '../core/step-definition.ts';
import type { Gate } from './gate.ts';
import type { Rounds } from './rounds.ts';
import { serialStates, type Place } from './serial-states.ts';
import type { Step } from './step.ts';
import { workflow, type Workflow } from './workflow.ts';

export interface SerialContext {
  readonly input: unknown;
  /** Output of the last finished place, or the input. */
  readonly current: unknown;
  readonly rounds: RoundsState | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** What may stand in a chain. */
export type SerialItem = Step<never, unknown> | Rounds | Gate;

type InputOf<Steps> = Steps extends readonly [infer First, ...unknown[]]
  ? First extends { readonly input: z.ZodType<infer Input> | undefined }
    ? Input
    : unknown
  : unknown;

type LastValue<Steps> = Steps extends readonly [...infer Before, infer Last]
  ? Last extends Gate
    ? LastValue<Before>
    : Last extends Rounds<infer Draft>
      ? Draft
      : Last extends { readonly output: z.ZodType<infer Output> }
        ? Output
        : unknown
  : unknown;

export interface SerialOptions<Steps extends readonly object[]> {
  /** Lower-case letters, digits and dashes. */
  readonly id: string;
  readonly version: string;
  readonly description?: string;
  /** At least one; the first is a step. */
  readonly steps: Steps;
  readonly budget?: Budget;
}

const isStep = (item: object): item is Step<never, unknown> => stepKey in item;

const toPlaces = (id: string, items: readonly SerialItem[]): Place[] => {
  const refuse = (reason: string): never => {
    throw new TypeError(`serial "${id}": ${reason}`);
  };
  const places: Place[] = [];
  for (const item of items) {
    if (isStep(item)) {
      places.push({ kind: 'step', step: item, rounds: undefined });
      continue;
    }
    if (item.kind === 'gate') {
      places.push({ kind: 'gate', gate: item });
      continue;
    }
    const last = places.at(-1);
    if (last?.kind !== 'step' || last.step.name !== item.of || last.rounds !== undefined) {
      refuse(`rounds({ of: ${item.of} }) stands right after the step ${item.of}`);
      continue;
    }
    places[places.length - 1] = { ...last, rounds: item };
  }
  if (places[0]?.kind !== 'step') refuse('the first place is a step');
  return places;
};

const actorsOf = (places: readonly Place[]): Record<string, AnyActorLogic> => {
  const actors: Record<string, AnyActorLogic> = {};
  for (const place of places) {
    if (place.kind !== 'step') continue;
    const review = place.rounds?.steps.review as AnyActorLogic | undefined;
    const own = { [place.step.name]: place.step as unknown as AnyActorLogic };
    Object.assign(actors, own, review === undefined ? {} : { [place.rounds!.review]: review });
  }
  return actors;
};

const event = (args: { event: unknown }): { output?: unknown; rounds?: unknown } =>
  args.event as { output?: unknown };

const exhaustedError = ({ rounds }: SerialContext): SerialContext['error'] => ({
  code: 'rounds.exhausted',
  message: `the review was not satisfied after ${rounds?.round ?? 0} rounds: ${rounds?.verdict?.feedback ?? ''}`,
});

const ownActions = {
  keepOutput: assign({ current: (args: { event: unknown }) => event(args).output }),
  acceptDraft: assign({
    current: ({ context }: { context: SerialContext }) => context.rounds?.draft,
    rounds: null,
  }),
  noteExhaustion: assign({
    error: ({ context }: { context: SerialContext }) => exhaustedError(context),
  }),
  noteRejection: assign({
    error: ({ event: { type } }: { event: { type: string } }) => ({
      code: 'gate.rejected',
      message: `the gate was not passed: ${type}`,
    }),
  }),
};

const outputOf = ({ context }: { context: SerialContext }): unknown => {
  if (context.error === null) return context.current;
  const { error, rounds } = context;
  return { error, draft: rounds?.draft ?? null, feedback: rounds?.feedback ?? [] };
};

const buildMachine = (
  { id, version, description }: { id: string; version: string; description?: string },
  places: readonly Place[],
): AnyStateMachine => {
  const anyRounds = places.find((place) => place.kind === 'step' && place.rounds !== undefined);
  const rounds = anyRounds?.kind === 'step' ? anyRounds.rounds : undefined;
  const { initial, states, starts } = serialStates(places);
  const machine = setup({
    actors: actorsOf(places),
    guards: { ...rounds?.guards },
    actions: { ...ownActions, ...rounds?.actions, ...starts } as never,
  }).createMachine({
    id,
    version,
    ...(description === undefined ? {} : { description }),
    context: ({ input }: { input: unknown }) => ({
      input: input ?? null,
      current: input ?? null,
      rounds: null,
      error: null,
    }),
    initial,
    states,
    output: outputOf,
  } as never);
  return machine as unknown as AnyStateMachine;
};

const outputSchema = (places: readonly Place[]): z.ZodType | undefined =>
  places.findLast((place) => place.kind === 'step')?.step.output;

/**
 * Makes a workflow of a chain. Its input is the first step's, its output the last step's, or the accepted draft when
 * it ends in rounds.
 *
 * @throws TypeError when the chain does not hold together
 * @example
 * export default serial({
 *   id: 'critique-revise',
 *   version: '1.0.0',
 *   steps: [draft, rounds({ review: critique, of: draft, max: 3, onExhausted: 'ask' })],
 * });
 */
export const serial = <const Steps extends readonly object[]>(
  options: SerialOptions<Steps>,
): Workflow<InputOf<Steps>, LastValue<Steps>> => {
  const places = toPlaces(options.id, options.steps as unknown as readonly SerialItem[]);
  const first = places[0] as Extract<Place, { kind: 'step' }>;
  const output = outputSchema(places);
  return workflow({
    machine: buildMachine(options, places),
    ...(first.step.input === undefined ? {} : { input: first.step.input }),
    ...(output === undefined ? {} : { output }),
    ...(options.budget === undefined ? {} : { budget: options.budget }),
    ...(options.description === undefined ? {} : { description: options.description }),
  }) as unknown as Workflow<InputOf<Steps>, LastValue<Steps>>;
};
