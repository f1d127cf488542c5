/**
 * What the functions of a step are given.
 *
 * 1. Everything is an own property, so that a step may spread its scope or take `...rest` of it.
 * 2. What costs much and is seldom wanted is made when it is asked for. Those are two accessors, not more: an object with many
 *    of them costs more than many a step.
 */
import type { Logger } from 'pino';
import { createStepModel } from '../authoring/step-model.ts';
import type { StepArtifacts, StepLog, StepModel, StepScope } from '../authoring/step-scope.ts';
import { splitRound } from '../core/rounds.ts';
import { parseStepInput } from '../core/step-checks.ts';
import type { StepDefinition } from '../core/step-definition.ts';
import { modelCalls, recall, type Execution } from './model-calls.ts';
import { stepArtifacts } from './step-artifacts.ts';

export class ExecutionScope implements StepScope<unknown, unknown> {
  readonly input: unknown;
  readonly round: number;
  readonly attempt: number;
  readonly idempotencyKey: string;
  /** Both change when an output that does not fit goes back for repair. */
  feedback: string | undefined;
  previous: unknown;
  readonly artifacts: StepArtifacts;
  readonly log: StepLog;
  readonly once: StepScope<unknown, unknown>['once'];
  declare readonly model: StepModel<unknown>;
  declare readonly signal: AbortSignal;
  readonly #execution: Execution;
  readonly #definition: StepDefinition;
  #model: StepModel<unknown> | undefined;

  static readonly #modelPart: PropertyDescriptor = {
    enumerable: true,
    get(this: ExecutionScope) {
      return (this.#model ??= createStepModel(modelCalls(this.#execution), this.#definition));
    },
  };

  static readonly #signalPart: PropertyDescriptor = {
    enumerable: true,
    get(this: ExecutionScope) {
      return this.#execution.cancellation.signal;
    },
  };

  /** @throws EclError `step.input-invalid` */
  constructor(execution: Execution, definition: StepDefinition) {
    const { actor, step } = execution;
    const { input, revision } = splitRound(step.input);
    this.input = parseStepInput(definition, input);
    this.round = revision.round;
    this.attempt = step.attempt;
    this.idempotencyKey = `${actor.id}/${step.invocation}`;
    this.feedback = revision.feedback;
    this.previous = revision.previous;
    this.artifacts = stepArtifacts(execution);
    this.log = stepLog(execution);
    this.once = onceOf(execution);
    this.#execution = execution;
    this.#definition = definition;
    Object.defineProperty(this, 'model', ExecutionScope.#modelPart);
    Object.defineProperty(this, 'signal', ExecutionScope.#signalPart);
  }
}

/** A value that is asked for again while it is produced is not produced twice. */
const onceOf = (execution: Execution): ExecutionScope['once'] => {
  let underWay: Map<string, Promise<unknown>> | undefined;
  return (name, produce) => {
    underWay ??= new Map();
    const known = underWay.get(name);
    if (known !== undefined) return known as Promise<never>;
    const value = recall(execution, name, produce).finally(() => underWay?.delete(name));
    underWay.set(name, value);
    return value as Promise<never>;
  };
};

/** A step that logs nothing makes no logger. */
const stepLog = ({ services, actor, step }: Execution): StepLog => {
  let made: Logger | undefined;
  const log = (): Logger =>
    (made ??= services.logger.child({ run: actor.id, step: step.invocation }));
  return {
    info: (message, details = {}) => log().info(details, message),
    warn: (message, details = {}) => log().warn(details, message),
    error: (message, details = {}) => log().error(details, message),
  };
};
