/**
 * A machine as what a diagram of it shows: states in states, and the transitions between them. Nothing of it has a size
 * or a place yet.
 *
 * 1. Every state of the machine is there once, in the order of its config.
 * 2. Every transition is there once: with its targets, or in its state when it leaves no state.
 */
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { actionNames } from '../export-config.ts';
import {
  eventLabel,
  guardLabel,
  invokedId,
  invokedName,
  transitionsOf,
  type AnyTransition,
  type Invoked,
} from './transition-label.ts';

export type StateKind =
  | 'atomic'
  | 'compound'
  | 'parallel'
  | 'final'
  | 'shallowHistory'
  | 'deepHistory';

/** `event [guard]`. */
export interface Label {
  readonly event: string;
  readonly guard: string | undefined;
  /** Names of the actions, in order. */
  readonly actions: readonly string[];
}

export interface ChartState {
  /** Unique in the machine. */
  readonly id: string;
  readonly name: string;
  readonly kind: StateKind;
  readonly description: string | undefined;
  readonly tags: readonly string[];
  /** Names of the steps and machines that it invokes. */
  readonly invoked: readonly string[];
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  /** What it reacts to without leaving. */
  readonly internal: readonly Label[];
  /** Ids of the states that it is entered in. */
  readonly initial: readonly string[];
  readonly states: readonly ChartState[];
}

export interface ChartTransition {
  readonly from: string;
  /** More than one where it enters several regions at once. */
  readonly to: readonly string[];
  /** Undefined for where a history state leads that remembers nothing. */
  readonly label: Label | undefined;
}

export interface Chart {
  readonly root: ChartState;
  readonly transitions: readonly ChartTransition[];
}

const kindOf = (node: AnyStateNode): StateKind => {
  if (node.type !== 'history') return node.type;
  return node.history === 'deep' ? 'deepHistory' : 'shallowHistory';
};

const labelOf = (
  node: AnyStateNode,
  transition: AnyTransition,
  siblings: readonly AnyTransition[],
): Label => ({
  event: eventLabel(node, transition),
  guard: guardLabel(transition, siblings),
  actions: actionNames(transition.actions),
});

const targetsOf = (node: AnyStateNode, { target, reenter }: AnyTransition): string[] => {
  const targets = (target ?? (reenter ? [node] : [])) as unknown as readonly AnyStateNode[];
  return targets.map(({ id }) => id);
};

const asList = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** The name of what is invoked, behind its id when that is another. */
const invokedLabel = (invoked: Invoked): string => {
  const [id, name] = [invokedId(invoked), invokedName(invoked)];
  return name === undefined || name === id ? id : `${id}: ${name}`;
};

const initialOf = (node: AnyStateNode): string[] =>
  node.type === 'compound' ? node.initial.target.map(({ id }: AnyStateNode) => id) : [];

const stateOf = (node: AnyStateNode): ChartState => {
  const transitions = transitionsOf(node);
  return {
    id: node.id,
    name: node.key,
    kind: kindOf(node),
    description: node.description,
    tags: [...node.tags],
    invoked: node.invoke.map(invokedLabel),
    // Of the config: a delayed transition adds actions of its own to the node.
    entry: actionNames(asList(node.config.entry)),
    exit: actionNames(asList(node.config.exit)),
    internal: transitions
      .filter((each) => targetsOf(node, each).length === 0)
      .map((each) => labelOf(node, each, transitions)),
    initial: initialOf(node),
    states: Object.values(node.states).map(stateOf),
  };
};

/** Where a history state leads before there is anything to remember, when it says so itself. */
const historyDefault = (node: AnyStateNode): ChartTransition[] => {
  const { target } = node.config as { readonly target?: unknown };
  if (node.type !== 'history' || typeof target !== 'string') return [];
  const found = target.startsWith('#')
    ? node.machine.getStateNodeById(target)
    : target
        .split('.')
        .filter((key) => key !== '')
        .reduce<AnyStateNode | undefined>((each, key) => each?.states[key], node.parent);
  return found === undefined ? [] : [{ from: node.id, to: [found.id], label: undefined }];
};

const leaving = (node: AnyStateNode): ChartTransition[] => {
  const transitions = transitionsOf(node);
  return transitions.flatMap((each) => {
    const to = targetsOf(node, each);
    return to.length === 0 ? [] : [{ from: node.id, to, label: labelOf(node, each, transitions) }];
  });
};

const allNodes = (node: AnyStateNode): AnyStateNode[] => [
  node,
  ...Object.values(node.states).flatMap(allNodes),
];

export const machineChart = ({ root }: AnyStateMachine): Chart => ({
  root: stateOf(root),
  transitions: allNodes(root).flatMap((node) => [...leaving(node), ...historyDefault(node)]),
});
