/**
 * What a run owes the world, read off its state: steps to execute, timers to fire, children to start or to end, signals
 * to deliver. Recovery and normal running both start from here, so they are the same code.
 */
import type { OpenChild, OpenStep, OpenTimer, OutboundSignal, RunState } from './run-state.ts';

export type Effect =
  | { readonly kind: 'step'; readonly step: OpenStep }
  | { readonly kind: 'timer'; readonly timer: OpenTimer }
  | { readonly kind: 'child'; readonly child: OpenChild }
  | { readonly kind: 'signal'; readonly signal: OutboundSignal };

/**
 * Everything owed now. A quarantined run owes nothing until it is resumed; a paused or ended one only what it has
 * decided about others: signals to deliver, children to start or to end.
 */
export const owed = (state: RunState): Effect[] => {
  if (state.quarantine !== undefined) return [];
  const effects: Effect[] = [];
  for (const signal of state.outbox.values()) effects.push({ kind: 'signal', signal });
  for (const child of state.children.values()) effects.push({ kind: 'child', child });
  if (state.ending !== undefined || state.pause !== undefined) return effects;
  for (const step of state.steps.values()) effects.push({ kind: 'step', step });
  for (const timer of state.timers.values()) effects.push({ kind: 'timer', timer });
  return effects;
};

/** Whether work is under way or due without anybody's doing; timers alone are not. */
export const isBusy = (state: RunState): boolean =>
  state.outbox.size > 0 ||
  state.children.size > 0 ||
  (state.ending === undefined && state.pause === undefined && state.steps.size > 0);

/** Of the timers that are owed, the one that was due first by this instant. */
export const firstDue = (state: RunState, now: number): OpenTimer | undefined =>
  owed(state)
    .flatMap((effect) =>
      effect.kind === 'timer' && effect.timer.dueAt <= now ? [effect.timer] : [],
    )
    .toSorted((one, other) => one.dueAt - other.dueAt)[0];
