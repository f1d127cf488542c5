/** What the tests of chains share: steps that answer by a function, and count. */
import { afterEach } from 'vitest';
import { step, verdict, type Ecl, type RunHandle, type Verdict, type Workflow } from 'ecl';
import { createTestEcl, SimulatedClock } from 'ecl/testing';
import { z } from 'zod';

export const Text = z.object({ text: z.string().max(20) });
export type Text = z.infer<typeof Text>;

export interface Counted {
  drafts: number;
  reviews: number;
  /** What the drafting step was given, in order. */
  readonly given: unknown[];
}

/** A drafting step whose nth draft is `draft n`, and a review that gives the verdicts in turn, the last one for ever. */
export const drafting = (
  verdicts: readonly Verdict['decision'][],
  names: { draft?: string; review?: string } = {},
) => {
  const count: Counted = { drafts: 0, reviews: 0, given: [] };
  const draft = step({
    name: names.draft ?? 'draft',
    input: z.object({ topic: z.string() }),
    output: Text,
    execute: ({ input, round }) => {
      count.drafts += 1;
      count.given.push({ input, round });
      return { text: `draft ${count.drafts}` };
    },
    revise: ({ previous, feedback, round }) => {
      count.drafts += 1;
      count.given.push({ previous: previous.text, feedback, round });
      return { text: `draft ${count.drafts}` };
    },
  });
  const review = step({
    name: names.review ?? 'review',
    input: draft.output,
    output: verdict(),
    execute: () => {
      const decision = verdicts[Math.min(count.reviews, verdicts.length - 1)] ?? 'pass';
      count.reviews += 1;
      return { decision, feedback: decision === 'pass' ? '' : `note ${count.reviews}` };
    },
  });
  return { draft, review, count };
};

export const upper = step({
  name: 'upper',
  input: Text,
  output: Text,
  execute: ({ input }) => ({ text: input.text.toUpperCase() }),
});

const open: Ecl[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((ecl) => ecl.close()));
});

/** An ECL that the test need not close. */
export const kept = async (made: Promise<Ecl>): Promise<Ecl> => {
  const ecl = await made;
  open.push(ecl);
  return ecl;
};

export interface Started<Output> {
  readonly ecl: Ecl;
  readonly run: RunHandle<Output>;
  readonly clock: SimulatedClock;
}

export const start = async <Input, Output>(
  flow: Workflow<Input, Output>,
  input: NoInfer<Input>,
): Promise<Started<Output>> => {
  const clock = new SimulatedClock();
  const ecl = await kept(createTestEcl({ workflows: [flow], clock }));
  const run = await ecl.spawn(flow, { key: 'one', input });
  return { ecl, run, clock };
};

export const typesOf = async (ecl: Ecl, run: string): Promise<string[]> => {
  const types: string[] = [];
  for await (const { type } of ecl.events({ run })) types.push(type);
  return types;
};
