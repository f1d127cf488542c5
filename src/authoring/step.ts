/**
 * `step()`: durable actor logic with an execution policy, to stand in `setup({ actors })`.
 *
 * Run by ECL, every attempt and model call is journaled. Under plain `createActor` it is a promise logic that executes
 * once, with the model that `provideModel` of ecl/testing gives it.
 */
import { fromPromise, type PromiseActorLogic } from 'xstate';
import type { z } from 'zod';
import { defaultRetryPolicy, type RetryPolicy } from '../core/retry-policy.ts';
import { stepKey, type StepDefinition, type StepEffect } from '../core/step-definition.ts';
import { executePlainly } from './plain-step.ts';
import type { RevisionScope, StepScope } from './step-scope.ts';

export interface StepOptions<Input, Output, Given = Input> {
  /** A lower-case letter, then letters, digits and dashes; stands in events and messages. */
  readonly name: string;
  /** Checked before an execution. */
  readonly input?: z.ZodType<Input, Given>;
  /** Checked after an execution; also what `model.object` asks for by default. */
  readonly output?: z.ZodType<Output>;
  readonly execute: (
    scope: StepScope<Input, NoInfer<Output>>,
  ) => NoInfer<Output> | Promise<NoInfer<Output>>;
  /** Takes the place of `execute` when there is a draft with feedback. */
  readonly revise?: (
    scope: RevisionScope<Input, NoInfer<Output>>,
  ) => NoInfer<Output> | Promise<NoInfer<Output>>;
  /** @default 5 attempts, 1 s doubling up to 60 s, 2 attempts with an output that does not fit */
  readonly retry?: Partial<RetryPolicy>;
  /** Milliseconds of one attempt. @default 600000 (10 min) */
  readonly timeout?: number;
  /**
   * `once`: an execution that a crash cut off is not repeated; the machine gets an error with the code
   * `step.interrupted`. @default 'repeatable'
   */
  readonly effect?: StepEffect;
}

/** `Given` is what its input schema takes, `Input` what the schema makes of it. */
export interface Step<Input, Output, Given = Input> extends PromiseActorLogic<Output, Given> {
  readonly name: string;
  readonly input: z.ZodType<Input, Given> | undefined;
  /** To stand as the input of the next step, which takes what this one has parsed. */
  readonly output: z.ZodType<Output, Output>;
  readonly [stepKey]: StepDefinition;
}

const timeoutMsDefault = 600_000;

const namePattern = /^[a-z][A-Za-z0-9-]{0,62}$/;

/**
 * Makes a step.
 *
 * @throws TypeError when the name is not allowed
 * @example
 * const draft = step({
 *   name: 'draft',
 *   input: z.object({ topic: z.string() }),
 *   output: z.object({ text: z.string().max(2000) }),
 *   execute: ({ input, model }) => model.object(`Write about ${input.topic}.`),
 * });
 */
export const step = <Input, Output, Given = Input>(
  options: StepOptions<Input, Output, Given>,
): Step<Input, Output, Given> => {
  if (!namePattern.test(options.name)) {
    throw new TypeError(
      `a step's name is a lower-case letter, then up to 62 letters, digits and dashes, not "${options.name}"`,
    );
  }
  const definition: StepDefinition = {
    name: options.name,
    input: options.input,
    output: options.output,
    execute: options.execute,
    revise: options.revise,
    retry: { ...defaultRetryPolicy, ...options.retry },
    timeoutMs: options.timeout ?? timeoutMsDefault,
    effect: options.effect ?? 'repeatable',
  };
  const logic = fromPromise<Output, Given>(({ input, signal }) =>
    executePlainly<Output>(definition, { input, signal }),
  );
  return Object.assign(logic, {
    name: options.name,
    input: options.input,
    output: options.output as z.ZodType<Output, Output>,
    [stepKey]: definition,
  });
};
