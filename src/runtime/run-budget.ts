/**
 * The budget of one run, asked before it spends: of time before each step and each model call, of the rest before each
 * call. What is thrown pauses the run at the step that asked; a resume executes it again.
 */
import { exhaustedBudget, exhaustedTime, type Budget, type Exhausted } from '../core/budget.ts';
import { EclError } from '../core/errors.ts';
import type { RunState } from '../core/run-state.ts';
import type { Services } from './services.ts';

const budgetOf = ({ registry, budget }: Services, { started }: RunState): Budget =>
  registry.find(started)?.workflow.budget ?? budget ?? {};

const errorOf = ({ id }: RunState, exhausted: Exhausted | undefined): EclError | undefined =>
  exhausted && new EclError('budget.exhausted', { scope: `run ${id}`, ...exhausted });

/** What a run of this age waits for, or undefined while it has time. */
export const outOfTime = (
  services: Services,
  state: RunState | undefined,
): EclError | undefined => {
  if (state === undefined) return undefined;
  const elapsedMs = services.clock.now() - Date.parse(state.grantedAt);
  return errorOf(state, exhaustedTime(budgetOf(services, state), elapsedMs));
};

/**
 * @param inFlight calls of the run that are made but not settled
 * @throws EclError `budget.exhausted`
 */
export const checkBudget = (
  services: Services,
  state: RunState | undefined,
  inFlight: number,
): void => {
  if (state === undefined) return;
  const grants = state.resumes + 1;
  const spent = exhaustedBudget(budgetOf(services, state), state.usage, { grants, inFlight });
  const error = outOfTime(services, state) ?? errorOf(state, spent);
  if (error !== undefined) throw error;
};
