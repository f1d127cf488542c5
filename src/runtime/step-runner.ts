/**
 * Executes one attempt of a step and turns its outcome into a fact.
 *
 * 1. Every outcome is recorded against the invocation; one that is no longer open is dropped.
 * 2. An execution that the process abandons (stop, cancellation) records nothing: it was in flight.
 * 3. What is only a matter of time ends no run: where the attempts did not outlast an outage, a person resumes it.
 * 4. An attempt that fails by the answer it got asks again; one that fails by the wire gets its recorded replies.
 */
import type { AnyActorLogic } from 'xstate';
import { survivesFailure } from '../core/decide.ts';
import { EclError, isEclError, RetryableError, toErrorDocument } from '../core/errors.ts';
import type { Fact } from '../core/journal-events.ts';
import {
  defaultRetryPolicy,
  errorClassOf,
  isOutage,
  retryDelayMs,
  type ErrorClass,
} from '../core/retry-policy.ts';
import type { OpenStep, RunState } from '../core/run-state.ts';
import { parseStepOutput } from '../core/step-checks.ts';
import { stepDefinitionOf, type StepDefinition } from '../core/step-definition.ts';
import { Abandoned } from './cancellation.ts';
import { ExecutionScope } from './execution-scope.ts';
import type { Execution } from './model-calls.ts';
import { observedExecution, outcomeOf } from './observed-work.ts';
import { outOfTime } from './run-budget.ts';

export interface StepExecution extends Execution {
  /** The execution was decided by another life of this run: its start is recorded first. */
  readonly recovered: boolean;
}

/** A bare `fromPromise` is a step with the default policy. */
const definitionOf = (name: string, logic: AnyActorLogic): StepDefinition =>
  stepDefinitionOf(logic) ?? {
    name,
    input: undefined,
    output: undefined,
    execute: ({ input, signal }: { input: unknown; signal: AbortSignal }) => {
      const { config } = logic as unknown as { config: (scope: object) => unknown };
      return config({ input, signal, self: undefined, system: undefined, emit: () => {} });
    },
    revise: undefined,
    retry: defaultRetryPolicy,
    timeoutMs: 600_000,
    effect: 'repeatable',
  };

const waits = { whenAway: 'wait', asOwner: true } as const;

const submit = (
  { actor, step, observation }: Execution,
  fact: (open: OpenStep, state: RunState) => Fact | undefined,
): Promise<unknown> =>
  actor.submit(
    (state) => {
      const open = state.steps.get(step.invocation);
      return open === undefined ? undefined : fact(open, state);
    },
    observation === undefined ? waits : { ...waits, trace: observation.trace },
  );

/**
 * Executes the attempt that is due. It never throws.
 *
 * @returns whether its outcome is recorded, or nobody wants it any more
 */
export const runStep = async (execution: StepExecution): Promise<boolean> => {
  const { services, actor, step } = execution;
  try {
    const logic = actor.state?.machine.logic(step.name);
    if (logic === undefined || 'machine' in logic) {
      const workflow = actor.state?.machine.id ?? '';
      const error = new EclError('step.not-found', { workflow, step: step.name });
      await recordFailure(execution, undefined, error);
      return true;
    }
    const definition = definitionOf(step.name, logic.step);
    const start = startOf(execution, definition);
    if (start !== undefined) await submit(execution, () => start.fact);
    const goesOn = start?.goesOn !== false && !execution.cancellation.isAbandoned;
    if (!goesOn) return true;
    const { telemetry } = services;
    const observed =
      telemetry === undefined ? execution : await observedExecution(execution, telemetry);
    await attempt(observed, definition);
    return true;
  } catch (error) {
    if (execution.cancellation.isAbandoned || error instanceof Abandoned) return true;
    services.logger.error(
      { run: actor.id, step: step.invocation, err: error },
      'the step is stuck',
    );
    return false;
  }
};

/** What is to be recorded before an execution, if anything, and whether it goes on after that. */
const startOf = (
  { step, services, actor, recovered }: StepExecution,
  { effect }: StepDefinition,
): { fact: Fact; goesOn: boolean } | undefined => {
  const { invocation, attempt: number, starts } = step;
  const data = { invocation, attempt: number };
  const once = effect === 'once';
  if (once && starts > 0) return { fact: { type: 'StepInterrupted', data }, goesOn: false };
  if (starts > services.limits.stepCrashesMax) {
    const reason = `the step ${invocation} was interrupted ${starts} times; it may bring the process down`;
    return { fact: { type: 'RunPaused', data: { reason, invocation } }, goesOn: false };
  }
  const late = outOfTime(services, actor.state);
  if (late !== undefined) return { fact: pausedBy(late, invocation), goesOn: false };
  if (!once && number === 1 && !recovered) return undefined;
  return { fact: { type: 'StepAttemptStarted', data }, goesOn: true };
};

const attempt = async (execution: StepExecution, definition: StepDefinition): Promise<void> => {
  const { step, cancellation, observation } = execution;
  const endTime = limitTime(execution, definition);
  const work = (): Promise<unknown> => execute(execution, definition);
  let output: unknown;
  try {
    output = await cancellation.race(
      observation === undefined ? work : () => observation.within(work),
    );
  } catch (error) {
    endTime();
    observation?.end(outcomeOf(error, execution));
    if (!cancellation.isAbandoned) await recordFailure(execution, definition, error);
    return;
  }
  endTime();
  observation?.end({});
  cancellation.settle();
  const data = {
    invocation: step.invocation,
    attempt: step.attempt,
    ...(output === undefined ? {} : { output }),
  };
  try {
    await submit(execution, () => ({ type: 'StepSucceeded', data }));
  } catch (error) {
    if (error instanceof Abandoned) return;
    // It succeeded, and only the store could not say so: the execution counts as interrupted, not as failed.
    if (isEclError(error) && error.kind === 'unavailable') throw error;
    // An output that no journal can hold (too large, for one) is a failure of the step, not of the run.
    await recordFailure(execution, definition, error);
  }
};

/** Aborts an execution at its time limit; nobody waits for one that ignores its signal. */
const limitTime = (
  { services: { clock }, cancellation }: StepExecution,
  { name, timeoutMs }: StepDefinition,
): (() => void) =>
  clock.schedule(clock.now() + timeoutMs, () => {
    cancellation.abort(new EclError('step.timeout', { step: name, timeoutMs }));
  });

const execute = async (execution: StepExecution, definition: StepDefinition): Promise<unknown> => {
  const scope = new ExecutionScope(execution, definition);
  const revises = scope.feedback !== undefined && definition.revise !== undefined;
  const output: unknown = await (revises ? definition.revise : definition.execute)(scope as never);
  try {
    return parseStepOutput(definition, output);
  } catch (error) {
    if (definition.revise === undefined || !(error instanceof EclError)) throw error;
    // One repair within the attempt: the step gets its own output back, with what is wrong with it.
    scope.previous = output;
    scope.feedback = error.message;
    return parseStepOutput(definition, await definition.revise(scope as never));
  }
};

const retryAfterOf = (error: unknown): number | undefined => {
  if (error instanceof RetryableError) return error.retryAfterMs;
  const wait = error instanceof EclError ? error.details['retryAfterMs'] : undefined;
  return typeof wait === 'number' ? wait : undefined;
};

/** Replies survive a failure of the wire; what the step itself objected to is asked again. */
const repliesAfter = (error: unknown): 'kept' | 'discarded' => {
  const code = error instanceof EclError ? error.code : '';
  return code.startsWith('model.') || code === 'step.timeout' ? 'kept' : 'discarded';
};

/** The run waits for a person, and for what stopped it. */
const pausedBy = (error: unknown, invocation: string): Fact<'RunPaused'> => {
  const document = toErrorDocument(error);
  return { type: 'RunPaused', data: { reason: document.message, error: document, invocation } };
};

const recordFailure = async (
  execution: StepExecution,
  definition: StepDefinition | undefined,
  error: unknown,
): Promise<void> => {
  const { services, actor, step } = execution;
  const thrown = error instanceof Error ? error : new Error(String(error));
  const code = error instanceof EclError ? error.code : undefined;
  const errorClass: ErrorClass = errorClassOf({
    name: thrown.name,
    ...(code === undefined ? {} : { code }),
  });
  const document = toErrorDocument(error);
  const { invocation } = step;
  if (errorClass === 'pause') {
    await submit(execution, () => pausedBy(error, invocation));
    return;
  }
  const policy = definition?.retry ?? defaultRetryPolicy;
  await submit(execution, (open, state) => {
    const delayMs = retryDelayMs(
      { ...policy, attemptsMax: policy.attemptsMax * (state.resumes + 1) },
      {
        errorClass,
        failures: open.attempt,
        invalidOutputs: open.invalidOutputs + (errorClass === 'invalid-output' ? 1 : 0),
        retryAfterMs: retryAfterOf(error),
        seed: `${actor.id}/${invocation}/${open.attempt}`,
      },
    );
    if (delayMs === undefined) {
      return isOutage(code) && !survivesFailure(state, invocation, document)
        ? pausedBy(error, invocation)
        : { type: 'StepFailed', data: { invocation, attempt: open.attempt, error: document } };
    }
    const retryAt = services.clock.now() + delayMs;
    const data = { invocation, attempt: open.attempt, error: document };
    return {
      type: 'StepAttemptFailed',
      data: { ...data, retryAt, replies: repliesAfter(error) },
    };
  });
};
