/**
 * Guards that can say what is wrong with an event they do not let through, so that whoever sent it is told.
 *
 * XState only asks whether; the reason is asked for when a signal is refused.
 */
import type { AnyMachineSnapshot, AnyStateMachine, EventObject, MachineContext } from 'xstate';

export interface GuardArgs {
  readonly context: MachineContext;
  readonly event: EventObject;
}

type Refusal = (args: GuardArgs, params?: unknown) => string | undefined;

const refusalKey: unique symbol = Symbol.for('ecl.refusal');

/** A guard made of the reasons against an event: it passes when there is none. */
export const guardWithReason = (
  refusal: Refusal,
): ((args: GuardArgs, params?: unknown) => boolean) =>
  Object.assign((args: GuardArgs, params?: unknown) => refusal(args, params) === undefined, {
    [refusalKey]: refusal,
  });

interface Candidate {
  readonly guard?: unknown;
}

const guardOf = (candidate: Candidate): { type: unknown; params: unknown } => {
  const { guard } = candidate;
  return typeof guard === 'object' && guard !== null && 'type' in guard
    ? { type: guard.type, params: 'params' in guard ? guard.params : undefined }
    : { type: guard, params: undefined };
};

/** Why the guards of the active states do not let the event through, as far as one of them says. */
export const refusalOf = (
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: EventObject,
): string | undefined => {
  const guards = machine.implementations.guards as Readonly<Record<string, unknown>>;
  const nodes = snapshot._nodes as readonly {
    transitions: ReadonlyMap<string, readonly Candidate[]>;
  }[];
  const args: GuardArgs = { context: snapshot.context as MachineContext, event };
  for (const candidate of nodes.flatMap((node) => node.transitions.get(event.type) ?? [])) {
    const { type, params } = guardOf(candidate);
    const guard = typeof type === 'string' ? guards[type] : type;
    if (typeof guard !== 'function' || !(refusalKey in guard)) continue;
    const resolved: unknown = typeof params === 'function' ? params(args) : params;
    const reason = (guard as { [refusalKey]: Refusal })[refusalKey](args, resolved);
    if (reason !== undefined) return reason;
  }
  return undefined;
};
