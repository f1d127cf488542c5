/**
 * What a step is: actor logic with an execution policy. This is the policy, the schemas and the functions, as data;
 * `authoring/step.ts` makes it an XState actor logic, `runtime/step-runner.ts` executes it.
 */
import type { z } from 'zod';
import type { RetryPolicy } from './retry-policy.ts';

/** Whether an execution that a crash cut off may be repeated. */
export type StepEffect = 'repeatable' | 'once';

export interface StepDefinition {
  readonly name: string;
  readonly input: z.ZodType | undefined;
  readonly output: z.ZodType | undefined;
  readonly execute: (scope: never) => unknown;
  readonly revise: ((scope: never) => unknown) | undefined;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  readonly effect: StepEffect;
}

/** Under this key an actor logic carries its step definition. */
export const stepKey = Symbol.for('ecl.step');

export const stepDefinitionOf = (logic: unknown): StepDefinition | undefined =>
  typeof logic === 'object' && logic !== null && stepKey in logic
    ? (logic as { [stepKey]: StepDefinition })[stepKey]
    : undefined;
