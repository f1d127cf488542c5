/**
 * The places of a chain, checked before any run starts: what is wrong with a chain is said where it is written.
 *
 * 1. Every name stands for one thing: a step, a review or a gate.
 * 2. Rounds belong to the step right before them; neighbours whose schemas can never fit are refused.
 */
import type { z } from 'zod';
import { stepKey } from '../core/step-definition.ts';
import type { Gate } from './gate.ts';
import type { Rounds } from './rounds.ts';
import { misfitOf } from './serial-fit.ts';
import type { Step } from './step.ts';

type AnyStep = Step<never, unknown, never>;

export interface StepPlace {
  readonly kind: 'step';
  readonly step: AnyStep;
  readonly rounds: Rounds | undefined;
}

export type Place = StepPlace | { readonly kind: 'gate'; readonly gate: Gate };

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isStep = (item: unknown): item is AnyStep => isObject(item) && stepKey in item;
const isKind = (item: unknown, kind: string): boolean =>
  isObject(item) && 'kind' in item && item.kind === kind;

type Refuse = (reason: string) => never;

const placesOf = (items: readonly unknown[], refuse: Refuse): Place[] => {
  const places: Place[] = [];
  items.forEach((item, index) => {
    if (isStep(item)) places.push({ kind: 'step', step: item, rounds: undefined });
    else if (isKind(item, 'gate')) places.push({ kind: 'gate', gate: item as Gate });
    else if (isKind(item, 'rounds')) {
      const rounds = item as Rounds;
      const last = places.at(-1);
      if (last?.kind !== 'step' || last.step !== rounds.steps.of || last.rounds !== undefined) {
        refuse(`rounds({ of: ${rounds.of} }) stands right after the step ${rounds.of}`);
      }
      places[places.length - 1] = { ...last, rounds };
    } else refuse(`item ${index + 1} is neither a step() nor a rounds() nor a gate()`);
  });
  if (places[0]?.kind !== 'step') refuse('the first place is a step');
  return places;
};

/** A gate's name begins its signals, so two gates with one name could not be told apart by who answers. */
const checkNames = (places: readonly Place[], refuse: Refuse): void => {
  const holders = new Map<string, unknown>();
  const claim = (name: string, holder: unknown): void => {
    if ((holders.get(name) ?? holder) !== holder) refuse(`two of its parts are named "${name}"`);
    holders.set(name, holder);
  };
  for (const place of places) {
    if (place.kind === 'gate') claim(place.gate.name, {});
    else {
      claim(place.step.name, place.step);
      if (place.rounds !== undefined) claim(place.rounds.review, place.rounds.steps.review);
    }
  }
};

const checkFits = (places: readonly Place[], refuse: Refuse): void => {
  let before: AnyStep | undefined;
  for (const place of places) {
    if (place.kind === 'gate') continue;
    const { step, rounds } = place;
    const check = (gives: AnyStep, taker: { name: string; input: z.ZodType | undefined }): void => {
      const misfit = misfitOf(gives.output, taker.input);
      if (misfit !== undefined) {
        refuse(`"${taker.name}" cannot take what "${gives.name}" gives: ${misfit}`);
      }
    };
    if (before !== undefined) check(before, step);
    if (rounds !== undefined) check(step, rounds.steps.review);
    before = step;
  }
};

/** @throws TypeError when the chain does not hold together */
export const toPlaces = (id: string, items: readonly unknown[]): Place[] => {
  const refuse: Refuse = (reason) => {
    throw new TypeError(`serial "${id}": ${reason}`);
  };
  const places = placesOf(items, refuse);
  checkNames(places, refuse);
  checkFits(places, refuse);
  return places;
};
