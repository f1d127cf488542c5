/** Work around which telemetry is told that it begins, and how it ends. */
import type { RunState } from '../core/run-state.ts';
import type { Model, ModelReply, ModelRequest } from '../ports/model.ts';
import type {
  CallOutcome,
  Observation,
  ObservedRun,
  Telemetry,
  TraceContext,
} from '../ports/telemetry.ts';
import { Abandoned } from './cancellation.ts';
import { observedRun } from './decision-report.ts';
import type { Execution } from './model-calls.ts';
import { RunTrace } from './run-trace.ts';
import type { Services } from './services.ts';

/** Does work that is observed, and passes on what it comes to. */
export const observed = async <Result>(
  observation: Observation,
  work: () => Promise<Result>,
): Promise<Result> => {
  try {
    const result = await observation.within(work);
    observation.end({});
    return result;
  } catch (error) {
    observation.end({ error });
    throw error;
  }
};

/** Starts a run in a trace of its own, or in that of the run that starts it. */
export const observedStart = async <Result>(
  services: Services,
  run: Pick<RunState, 'id' | 'started'>,
  start: (trace?: TraceContext) => Promise<Result>,
): Promise<Result> => {
  const { telemetry } = services;
  if (telemetry?.starting === undefined) return start();
  const { parent } = run.started;
  const trace = parent && (await new RunTrace(services, parent.run).get());
  const observation = telemetry.starting(observedRun(run), trace);
  return observed(observation, () => start(observation.trace));
};

/** The run as it is told of; undefined of one that has just left this process. */
const runOf = (state: RunState | undefined): ObservedRun | undefined =>
  state === undefined ? undefined : observedRun(state);

/** The execution of an attempt, with who observes it. */
export const observedExecution = async <Given extends Execution>(
  execution: Given,
  telemetry: Telemetry,
): Promise<Given> => {
  const { actor, step } = execution;
  const run = runOf(actor.state);
  if (telemetry.step === undefined || run === undefined) return execution;
  const { name, invocation, attempt } = step;
  const trace = await actor.trace();
  return { ...execution, observation: telemetry.step({ run, name, invocation, attempt, trace }) };
};

const observationOf = (
  { services, actor, step, observation }: Execution,
  request: ModelRequest,
  call: { readonly model: Model; readonly number: number; readonly isStream: boolean },
): Observation<CallOutcome> | undefined => {
  const run = runOf(actor.state);
  if (services.telemetry?.modelCall === undefined || run === undefined) return undefined;
  const { model, number, isStream } = call;
  return services.telemetry.modelCall({
    run,
    step: step.name,
    invocation: step.invocation,
    call: number,
    model: model.id,
    isLanguageModel: model.isLanguageModel,
    requested: request.model,
    maxTokens: request.maxTokens,
    isStream,
    isObject: request.output !== undefined,
    trace: observation?.trace,
  });
};

/**
 * Makes a call of a model.
 *
 * @returns the reply, and the call's place in a trace
 */
export const observedCall = async (
  execution: Execution,
  request: ModelRequest,
  call: {
    readonly model: Model;
    readonly number: number;
    readonly isStream: boolean;
    readonly make: () => Promise<ModelReply>;
  },
): Promise<{ reply: ModelReply; trace: TraceContext | undefined }> => {
  const observation = observationOf(execution, request, call);
  if (observation === undefined) return { reply: await call.make(), trace: undefined };
  try {
    const reply = await observation.within(call.make);
    observation.end({ reply });
    return { reply, trace: observation.trace };
  } catch (error) {
    observation.end(outcomeOf(error, execution));
    throw error;
  }
};

/** How an attempt, or a call within it, went that threw. */
export const outcomeOf = (error: unknown, { cancellation }: Execution): CallOutcome =>
  cancellation.isAbandoned || error instanceof Abandoned ? { isAbandoned: true } : { error };
