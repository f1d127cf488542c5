/** The types of a chain: what it takes, what it gives, and whether its places hold together. */
import type { AnyEventObject, StateMachine, StateValue } from 'xstate';
import type { z } from 'zod';
import type { Gate } from './gate.ts';
import type { Rounds } from './rounds.ts';
import type { SerialContext } from './serial-context.ts';

/** Stands in the place of a step that cannot take what comes before it, so that the compiler says so. */
export interface Misfit<Gets, Takes> {
  readonly 'this step cannot take what the place before it gives': {
    readonly gets: Gets;
    readonly takes: Takes;
  };
}

type TakenBy<Item> = Item extends { readonly input: z.ZodType<unknown, infer Given> | undefined }
  ? Given
  : unknown;

type GivenBy<Item> = Item extends { readonly output: z.ZodType<infer Output> } ? Output : unknown;

/** A value of unknown type may be anything; that is found out when it is there. */
type Fitting<Item, Gets, Takes> = unknown extends Gets
  ? Item
  : [Gets] extends [Takes]
    ? Item
    : Misfit<Gets, Takes>;

/** The chain itself, with a misfit in the place of what does not fit. */
export type Chain<Steps, Value = unknown> = Steps extends readonly [infer First, ...infer Rest]
  ? First extends Gate
    ? readonly [First, ...Chain<Rest, Value>]
    : First extends Rounds<infer Draft, infer Takes>
      ? readonly [Fitting<First, Value, Takes>, ...Chain<Rest, Draft>]
      : readonly [Fitting<First, Value, TakenBy<First>>, ...Chain<Rest, GivenBy<First>>]
  : Steps;

/** What the first step takes. */
export type ChainInput<Steps> = Steps extends readonly [infer First, ...unknown[]]
  ? TakenBy<First>
  : unknown;

/** What the last step gives, or the accepted draft. */
export type ChainOutput<Steps> = Steps extends readonly [...infer Before, infer Last]
  ? Last extends Gate
    ? ChainOutput<Before>
    : Last extends Rounds<infer Draft>
      ? Draft
      : GivenBy<Last>
  : unknown;

/** Parts of XState's type for a machine that nothing outside a chain looks at. */
// oxlint-disable-next-line typescript/no-explicit-any
type Open = any;

/** The machine of a chain, to be invoked by another one with checked input and output. */
export type SerialMachine<Input, Output> = StateMachine<
  SerialContext,
  AnyEventObject,
  Open,
  Open,
  Open,
  Open,
  Open,
  StateValue,
  string,
  Input,
  Output,
  Open,
  Open,
  Open
>;
