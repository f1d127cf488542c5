/**
 * `serial()`: a plain chain. Each step gets what the one before it gave; `rounds` send a draft back until its review
 * passes; a `gate` waits for a person. It builds the machine that a person would write with `setup().createMachine()`.
 *
 * 1. The chain is validated here: two neighbours that cannot fit, or rounds without their step, never start.
 * 2. The value between two places stands in `context.current`; rounds keep their drafts in `context.rounds` meanwhile.
 */
import { setup, type AnyActorLogic, type AnyStateMachine } from 'xstate';
import type { Budget } from '../core/budget.ts';
import { checkName } from '../core/ids.ts';
import { replacement } from './rounds.ts';
import { serialActions, serialOutput, type SerialContext } from './serial-context.ts';
import { toPlaces, type Place, type StepPlace } from './serial-places.ts';
import { serialStates } from './serial-states.ts';
import type { Chain, ChainInput, ChainOutput, SerialMachine } from './serial-types.ts';
import { workflow, type Workflow } from './workflow.ts';

export interface SerialOptions<Steps extends readonly object[]> {
  /** A lower-case letter, then lower-case letters, digits and dashes. */
  readonly id: string;
  readonly version: string;
  readonly description?: string;
  /** At least one; the first is a step. */
  readonly steps: Steps & Chain<Steps>;
  readonly budget?: Budget;
}

type SerialWorkflow<Input, Output> = Workflow<Input, Output, SerialMachine<Input, Output>>;

const actorsOf = (places: readonly Place[]): Record<string, AnyActorLogic> => {
  const actors: Record<string, AnyActorLogic> = {};
  for (const place of places) {
    if (place.kind === 'gate') continue;
    const { step, rounds } = place;
    actors[step.name] = step as unknown as AnyActorLogic;
    if (rounds !== undefined) {
      actors[rounds.review] = rounds.steps.review as unknown as AnyActorLogic;
    }
  }
  return actors;
};

/** Guards and actions of all rounds of the chain; they differ only in what may replace a draft. */
const roundsParts = (
  places: readonly Place[],
): { guards: object; actions: Record<string, never> } => {
  const all = places.flatMap((place) => (place.kind === 'step' ? (place.rounds ?? []) : []));
  const [first] = all;
  if (first === undefined) return { guards: {}, actions: {} };
  const outputs = new Map(all.map(({ of, steps }) => [of, steps.of.output]));
  const { replacementFits, replaceDraft } = replacement((params) =>
    outputs.get((params as { of: string }).of),
  );
  return {
    guards: { ...first.guards, replacementFits },
    actions: { ...first.actions, replaceDraft } as object as Record<string, never>,
  };
};

const buildMachine = (
  { id, version, description }: { id: string; version: string; description?: string },
  places: readonly Place[],
): AnyStateMachine => {
  const { guards, actions } = roundsParts(places);
  const first = places[0] as StepPlace;
  const machine = setup({
    actors: actorsOf(places),
    guards,
    actions: { ...(serialActions as object), ...actions },
  }).createMachine({
    id,
    version,
    ...(description === undefined ? {} : { description }),
    context: ({ input }: { input: unknown }): SerialContext => ({
      input: input ?? null,
      current: input ?? null,
      rounds: first.rounds?.start() ?? null,
      error: null,
    }),
    ...serialStates(places),
    output: serialOutput,
  } as never);
  return machine as unknown as AnyStateMachine;
};

/**
 * Makes a workflow of a chain. Its input is the first step's, its output the last step's, or the accepted draft when
 * it ends in rounds.
 *
 * @throws TypeError when the chain does not hold together
 * @throws EclError `id.invalid`
 * @example
 * export default serial({
 *   id: 'critique-revise',
 *   version: '1.0.0',
 *   steps: [draft, rounds({ review: critique, of: draft, max: 3, onExhausted: 'ask' })],
 * });
 */
export const serial = <const Steps extends readonly object[]>(
  options: SerialOptions<Steps>,
): SerialWorkflow<ChainInput<Steps>, ChainOutput<Steps>> => {
  const { id, steps, budget, description } = options;
  checkName('The workflow id', id);
  const places = toPlaces(id, steps);
  const stepPlaces = places.filter((place) => place.kind === 'step');
  const input = stepPlaces[0]?.step.input;
  const output = stepPlaces.at(-1)?.step.output;
  return workflow({
    machine: buildMachine(options, places),
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
    ...(budget === undefined ? {} : { budget }),
    ...(description === undefined ? {} : { description }),
  }) as unknown as SerialWorkflow<ChainInput<Steps>, ChainOutput<Steps>>;
};
