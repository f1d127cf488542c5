/** A machine as a Mermaid state diagram (`stateDiagram-v2`), nested and parallel states included. */
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { eventLabel, guardLabel, transitionsOf } from './chart/transition-label.ts';

/** Mermaid takes letters, digits and underscores in an id; the name is shown by a label. */
const idOf = (node: AnyStateNode): string =>
  node.path.length === 0 ? 'root' : node.path.join('__').replace(/[^A-Za-z0-9_]/g, '_');

/** What would end a label, or the line. */
const labelled = (text: string): string => text.replace(/[\s:;#"<>]+/g, ' ').trim();

const transitionLines = (node: AnyStateNode): string[] => {
  const transitions = transitionsOf(node);
  return transitions.flatMap((transition) => {
    const { target, reenter } = transition;
    const guard = guardLabel(transition, transitions);
    const event = eventLabel(node, transition);
    const label = labelled(guard === undefined ? event : `${event} [${guard}]`);
    const targets = (target ?? (reenter ? [node] : [])) as readonly AnyStateNode[];
    return targets.map((each) => `${idOf(node)} --> ${idOf(each)}: ${label}`);
  });
};

const initialLine = (node: AnyStateNode): string[] =>
  node.type === 'compound'
    ? node.initial.target.map((target: AnyStateNode) => `[*] --> ${idOf(target)}`)
    : [];

/** A state and what is in it; its transitions stand below all states, since they may cross levels. */
const stateLines = (node: AnyStateNode): string[] => {
  const children = Object.values(node.states);
  const own = [`state "${labelled(node.key)}" as ${idOf(node)}`];
  if (children.length === 0) {
    return node.type === 'final' ? [...own, `${idOf(node)} --> [*]`] : own;
  }
  const between = node.type === 'parallel' ? ['--'] : [];
  const inside = [
    ...initialLine(node),
    ...children.flatMap((child, index) => [...(index > 0 ? between : []), ...stateLines(child)]),
  ];
  return [`${own[0]!} {`, ...inside.map((line) => `  ${line}`), '}'];
};

const allNodes = (node: AnyStateNode): AnyStateNode[] => [
  node,
  ...Object.values(node.states).flatMap(allNodes),
];

/** The diagram's source. */
export const exportMermaid = ({ root }: AnyStateMachine): string => {
  const isFlat = root.type !== 'parallel' && !transitionsOf(root).length;
  const body = isFlat
    ? [...initialLine(root), ...Object.values(root.states).flatMap(stateLines)]
    : stateLines(root);
  const transitions = allNodes(root).flatMap(transitionLines);
  return ['stateDiagram-v2', ...[...body, ...transitions].map((line) => `  ${line}`), ''].join(
    '\n',
  );
};
