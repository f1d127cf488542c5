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

/** An action of a config: a name, or one of XState's own with what it was made of. */
interface Action {
  readonly type?: string;
  readonly src?: unknown;
  readonly systemId?: unknown;
  readonly syncSnapshot?: unknown;
  readonly delay?: unknown;
}

interface Transition {
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
}

export const inlineReason =
  'it spawns an inline actor, which has no name to be found by after a restart; put it under setup({ actors }) and spawn it by name';

export const systemIdReason =
  'it gives an actor a systemId, but every run is its own system; address a child by its id and another run by a signal';

const snapshotReason = (actor: string): string =>
  `it follows the snapshots of the actor "${actor}"; let it send events to its parent instead`;

type Part = 'actors' | 'guards' | 'delays';

/** A name that nobody implements; XState would only notice when it gets there, and a delay not even then. */
const checkName = (machine: AnyStateMachine, part: Part, name: string, does: string): void => {
  if (Object.hasOwn(machine.implementations[part] as object, name)) return;
  refuse(machine, `${does} "${name}", which setup({ ${part} }) lacks; add it there`);
};

const checkAction = (machine: AnyStateMachine, action: Action): void => {
  if (typeof action.delay === 'string') checkName(machine, 'delays', action.delay, 'it waits for');
  if (action.type !== 'xstate.spawnChild') return;
  if (action.systemId !== undefined) refuse(machine, systemIdReason);
  if (typeof action.src !== 'string') refuse(machine, inlineReason);
  else {
    checkName(machine, 'actors', action.src, 'it spawns');
    if (action.syncSnapshot === true) refuse(machine, snapshotReason(action.src));
  }
};

const transitionsOf = (node: AnyStateNode): readonly Transition[] => [
  ...[...node.transitions.values()].flat(),
  ...(node.always ?? []),
];

const checkTransitions = (machine: AnyStateMachine, node: AnyStateNode): void => {
  for (const { guard } of transitionsOf(node)) {
    const named =
      typeof guard === 'object' && guard !== null && 'type' in guard ? guard.type : guard;
    if (typeof named !== 'string') continue;
    checkName(machine, 'guards', named, `the state "${node.key}" asks`);
  }
  const inTransitions = transitionsOf(node).flatMap(({ actions }) => actions);
  const all = [...node.entry, ...node.exit, ...node.initial.actions, ...inTransitions];
  for (const action of all) checkAction(machine, action as Action);
};

const checkInvokes = (machine: AnyStateMachine, node: AnyStateNode): void => {
  for (const invoke of node.invoke) {
    if (invoke.systemId !== undefined) refuse(machine, systemIdReason);
    if (invoke.onSnapshot !== undefined) refuse(machine, snapshotReason(invoke.id));
    const source = invoke.src as unknown;
    if (typeof source !== 'string' || source.startsWith('xstate.invoke.')) continue;
    checkName(machine, 'actors', source, `the state "${node.key}" invokes`);
  }
};

const checkNode = (machine: AnyStateMachine, node: AnyStateNode): void => {
  checkInvokes(machine, node);
  checkTransitions(machine, node);
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
    checkAction(machine, action as Action);
  }
  checkNode(machine, machine.root);
};
