/**
 * What the functions of a step are given. Its parts are made when they are asked for: most steps want one or two of
 * them, and to make all of them costs more than many a step.
 */
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
  readonly #execution: Execution;
  readonly #definition: StepDefinition;
  #model: StepModel<unknown> | undefined;
  #artifacts: StepArtifacts | undefined;
  #log: StepLog | undefined;

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
    this.#execution = execution;
    this.#definition = definition;
  }

  get model(): StepModel<unknown> {
    return (this.#model ??= createStepModel(modelCalls(this.#execution), this.#definition));
  }

  get artifacts(): StepArtifacts {
    return (this.#artifacts ??= stepArtifacts(this.#execution));
  }

  get log(): StepLog {
    return (this.#log ??= stepLog(this.#execution));
  }

  get signal(): AbortSignal {
    return this.#execution.cancellation.signal;
  }

  /** A function of its own, so that it works when it is taken out of the scope. */
  get once(): StepScope<unknown, unknown>['once'] {
    return (name, produce) => recall(this.#execution, name, produce) as Promise<never>;
  }
}

const stepLog = ({ services, actor, step }: Execution): StepLog => {
  const log = services.logger.child({ run: actor.id, step: step.invocation });
  return {
    info: (message, details = {}) => log.info(details, message),
    warn: (message, details = {}) => log.warn(details, message),
    error: (message, details = {}) => log.error(details, message),
  };
};
