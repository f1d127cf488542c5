/**
 * A workflow: a machine with an id and a version, and the schemas of what goes in and comes out.
 *
 * The machine stays a literal `setup().createMachine()`; this only says that it is one that ECL runs.
 */
import type { AnyStateMachine } from 'xstate';
import type { z } from 'zod';
import type { Budget } from '../core/budget.ts';

/** `Input` is what a run is started with, before its schema fills in defaults and reads files. */
export interface Workflow<
  Input = unknown,
  Output = unknown,
  Machine extends AnyStateMachine = AnyStateMachine,
> {
  readonly kind: 'workflow';
  readonly id: string;
  readonly version: string;
  readonly description: string | undefined;
  /** With its own type, so that another machine can invoke it with checked input and output. */
  readonly machine: Machine;
  readonly input: z.ZodType<unknown, Input> | undefined;
  readonly output: z.ZodType<Output> | undefined;
  readonly budget: Budget | undefined;
}

export interface WorkflowOptions<Input, Output, Machine extends AnyStateMachine = AnyStateMachine> {
  /** Its `id` and `version` become the workflow's. */
  readonly machine: Machine;
  /** @default the machine's version */
  readonly version?: string;
  /** Checked at the door; what it parses to is what the machine gets. @default unchecked */
  readonly input?: z.ZodType<unknown, Input>;
  /** What a completed run gives, for types and descriptions; each step checks its own output. @default unknown */
  readonly output?: z.ZodType<Output>;
  /** What one run may spend, in tokens, USD, calls and time. @default unlimited */
  readonly budget?: Budget;
  readonly description?: string;
}

/**
 * Makes a machine a workflow.
 *
 * @example
 * export default workflow({ machine, input: z.object({ topic: z.string() }) });
 */
export const workflow = <
  Input = unknown,
  Output = unknown,
  Machine extends AnyStateMachine = AnyStateMachine,
>(
  options: WorkflowOptions<Input, Output, Machine>,
): Workflow<Input, Output, Machine> => ({
  kind: 'workflow',
  id: options.machine.id,
  version: options.version ?? options.machine.version ?? '1.0.0',
  description: options.description ?? options.machine.root.description,
  machine: options.machine,
  input: options.input,
  output: options.output,
  budget: options.budget,
});

/** Anything a module may export as a workflow. */
export type WorkflowLike = Workflow<never> | Workflow | AnyStateMachine;

export const isWorkflow = (value: unknown): value is Workflow =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'workflow';

/** A bare machine is a workflow too, its input unchecked. */
export const toWorkflow = (value: WorkflowLike): Workflow =>
  isWorkflow(value) ? value : workflow({ machine: value });
