/**
 * Puts a snapshot into document order: active states as the machine's config lists them.
 *
 * XState keeps them in the order in which they were entered, forgets that order on restore, and carries out the
 * transitions of parallel states by it. A run would go on differently after a restore; in document order it does not.
 */
import type { AnyMachineSnapshot, AnyStateNode, StateValue } from 'xstate';

const isSorted = (nodes: readonly AnyStateNode[]): boolean =>
  nodes.every((node, index) => index === 0 || nodes[index - 1]!.order < node.order);

const valueOf = (node: AnyStateNode, active: ReadonlySet<AnyStateNode>): StateValue => {
  const children = Object.values(node.states).filter((child) => active.has(child));
  const [only] = children;
  const isLeaf = only?.type === 'atomic' || only?.type === 'final';
  if (node.type === 'compound' && isLeaf) {
    return only.key;
  }
  return Object.fromEntries(children.map((child) => [child.key, valueOf(child, active)]));
};

export const inDocumentOrder = (snapshot: AnyMachineSnapshot): AnyMachineSnapshot => {
  const nodes = snapshot._nodes as readonly AnyStateNode[];
  if (isSorted(nodes)) return snapshot;
  const sorted = nodes.toSorted((left, right) => left.order - right.order);
  return {
    ...snapshot,
    _nodes: sorted,
    value: valueOf(snapshot.machine.root, new Set(sorted)),
    tags: new Set(sorted.flatMap((node) => node.tags)),
  } as AnyMachineSnapshot;
};
