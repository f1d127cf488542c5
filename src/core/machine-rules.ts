/**
 * What a machine may not hold, because nothing could make it durable; each refusal says what to use instead.
 *
 * Only what is visible in a config or in `setup()` is found here; what an `enqueueActions` or a `spawn` hides is found
 * by the decision that meets it.
 */
import type { AnyActorLogic, AnyStateMachine, AnyStateNode } from 'xstate';
import { EclError } from './errors.ts';
import { stepDefinitionOf } from './step-definition.ts';

export const isMachine = (logic: unknown): logic is AnyStateMachine =>
  typeof logic === 'object' && logic !== null && '__xstatenode' in logic;

/** Promise logic moves to `done` by this event, and no other logic of XState does. */
const isPromiseLogic = (logic: AnyActorLogic): boolean => {
  try {
    const initial = logic.getInitialSnapshot({} as never, undefined) as object;
    if ('context' in initial) return false;
    const probe = { type: 'xstate.promise.resolve', data: probeValue };
    const next = logic.transition(initial, probe, {} as never) as {
      status?: string;
      output?: unknown;
    };
    return next.status === 'done' && next.output === probeValue;
  } catch {
    return false;
  }
};
const probeValue = Object.freeze({});

export type LogicKind = 'step' | 'promise' | 'machine' | 'other';

export const logicKind = (logic: unknown): LogicKind => {
  if (stepDefinitionOf(logic) !== undefined) return 'step';
  if (isMachine(logic)) return 'machine';
  if (typeof logic === 'object' && logic !== null && 'getInitialSnapshot' in logic) {
    return isPromiseLogic(logic as AnyActorLogic) ? 'promise' : 'other';
  }
  return 'other';
};

const refuse = (machine: AnyStateMachine, reason: string): never => {
  throw new EclError('workflow.refused', { workflow: machine.id, reason });
};

const checkLogic = (machine: AnyStateMachine, name: string, logic: unknown): void => {
  const kind = logicKind(logic);
  if (kind === 'machine') checkMachine(logic as AnyStateMachine);
  if (kind !== 'other') return;
  refuse(
    machine,
    `the actor "${name}" is a callback, an observable or a transition function, whose life a journal cannot hold; use step() or fromPromise() for work, a machine for behaviour, and signals for events from outside`,
  );
};

interface SpawnAction {
  readonly type?: string;
  readonly src?: unknown;
  readonly systemId?: unknown;
}

const checkAction = (machine: AnyStateMachine, action: SpawnAction): void => {
  if (action.type !== 'xstate.spawnChild') return;
  if (action.systemId !== undefined) refuse(machine, systemIdReason);
  if (typeof action.src !== 'string') {
    refuse(machine, inlineReason);
  } else if (!Object.hasOwn(machine.implementations.actors, action.src)) {
    refuse(machine, `it spawns "${action.src}", which setup({ actors }) lacks; add it there`);
  }
};

export const inlineReason =
  'it spawns an inline actor, which has no name to be found by after a restart; put it under setup({ actors }) and spawn it by name';

export const systemIdReason =
  'it gives an actor a systemId, but every run is its own system; address a child by its id and another run by a signal';

const actionsOf = (node: AnyStateNode): readonly SpawnAction[] => {
  const transitions = [...node.transitions.values()].flat();
  const inTransitions = [...transitions, ...(node.always ?? [])].flatMap((each) => each.actions);
  const all = [...node.entry, ...node.exit, ...node.initial.actions, ...inTransitions];
  return all as unknown as SpawnAction[];
};

const checkNode = (machine: AnyStateMachine, node: AnyStateNode): void => {
  for (const invoke of node.invoke) {
    if (invoke.systemId !== undefined) refuse(machine, systemIdReason);
    if (invoke.onSnapshot !== undefined) {
      refuse(
        machine,
        `the state "${node.key}" follows the snapshots of the actor "${invoke.id}"; let it send events to its parent instead`,
      );
    }
    const source = invoke.src as unknown;
    const inline = typeof source !== 'string' || source.startsWith('xstate.invoke.');
    if (!inline && !Object.hasOwn(machine.implementations.actors, source)) {
      refuse(
        machine,
        `the state "${node.key}" invokes "${source}", which setup({ actors }) lacks; add it there`,
      );
    }
  }
  for (const action of actionsOf(node)) checkAction(machine, action);
  for (const child of Object.values(node.states)) checkNode(machine, child);
};

/** Passed, or on the way: a machine may invoke itself. */
const checkedMachines = new WeakSet<AnyStateMachine>();

/** @throws EclError `workflow.refused` */
export const checkMachine = (machine: AnyStateMachine): void => {
  if (checkedMachines.has(machine)) return;
  checkedMachines.add(machine);
  try {
    checkParts(machine);
  } catch (error) {
    checkedMachines.delete(machine);
    throw error;
  }
};

const checkParts = (machine: AnyStateMachine): void => {
  for (const [name, logic] of Object.entries(machine.implementations.actors as object)) {
    checkLogic(machine, name, logic);
  }
  const inlineOf = (node: AnyStateNode): void => {
    const invokes = [(node.config.invoke as unknown) ?? []].flat() as { src?: unknown }[];
    for (const { src } of invokes) {
      if (typeof src === 'object') checkLogic(machine, `invoked in ${node.key}`, src);
    }
    for (const child of Object.values(node.states)) inlineOf(child);
  };
  inlineOf(machine.root);
  for (const action of Object.values(machine.implementations.actions as object)) {
    checkAction(machine, action as SpawnAction);
  }
  checkNode(machine, machine.root);
};
