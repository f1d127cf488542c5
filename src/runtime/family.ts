/** Parents and children: how a child begins, when it is over, and what its parent is told. It reads states and changes none. */
import type { DurableMachine } from '../core/durable-machine.ts';
import { parseRunId } from '../core/ids.ts';
import type { Fact, JournalData } from '../core/journal-events.ts';
import { canonicalJson } from '../core/json-value.ts';
import type { OpenChild, RunState } from '../core/run-state.ts';
import { sha256 } from '../core/sha256.ts';

export const inputHashOf = (workflow: string, input: unknown): string =>
  sha256(canonicalJson({ workflow, input: input ?? null }));

/** Ended, and owing nobody its last words. */
export const isOver = (state: RunState): boolean =>
  state.ending !== undefined && state.outbox.size === 0 && state.children.size === 0;

/** A child that ended, once its parent has taken all that the child sent before. */
export const isToBeTold = ({ ending, started: { parent }, outbox }: RunState): boolean => {
  if (ending === undefined || parent === undefined) return false;
  for (const { to } of outbox.values()) if (to === parent.run) return false;
  return true;
};

/** What the parent of a child that ended is told. */
export const reportOf = (state: RunState): Fact<'ChildCompleted' | 'ChildFailed'> => {
  const { id: run, output } = state;
  if (state.ending === 'completed') {
    return { type: 'ChildCompleted', data: { run, ...(output === undefined ? {} : { output }) } };
  }
  const error = state.error ?? { code: 'child.failed', message: 'it failed' };
  return { type: 'ChildFailed', data: { run, error } };
};

export const childStarted = (
  parent: RunState,
  child: OpenChild,
  machine: DurableMachine,
): JournalData<'RunStarted'> => ({
  workflow: machine.id,
  version: machine.version,
  structure: machine.structure,
  tenant: parseRunId(parent.id).tenant,
  ...(child.input === undefined ? {} : { input: child.input }),
  inputHash: inputHashOf(machine.id, child.input),
  parent: { run: parent.id, actor: child.actor },
  depth: parent.started.depth + 1,
  ...(parent.started.module === undefined ? {} : { module: parent.started.module }),
});
