import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  initialTransition,
  setup,
  transition,
  type AnyMachineSnapshot,
  type AnyStateMachine,
} from 'xstate';
import { inDocumentOrder } from '../../src/core/document-order.ts';
import { throughJson } from './kit.ts';

const region = {
  initial: 'off',
  states: { off: { tags: 'off' }, on: { tags: 'on', initial: 'x', states: { x: {}, y: {} } } },
};
const names = ['z', 'a', 'k'] as const;
const machine: AnyStateMachine = setup({}).createMachine({
  id: 'm',
  type: 'parallel',
  states: Object.fromEntries(
    names.map((name) => [
      name,
      {
        ...region,
        on: { [`${name}.on`]: '.on', [`${name}.off`]: '.off', [`${name}.deep`]: '.on.y' },
      },
    ]),
  ),
} as never) as never;
const types = names.flatMap((name) => ['on', 'off', 'deep'].map((move) => `${name}.${move}`));

const after = (path: readonly string[]): AnyMachineSnapshot => {
  let [snapshot] = initialTransition(machine);
  for (const type of path) [snapshot] = transition(machine, snapshot, { type });
  return snapshot;
};

describe('document order', () => {
  test('is the same for the same state, however it was reached', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...types)), (path) => {
        const reached = inDocumentOrder(after(path));
        const restored = inDocumentOrder(
          machine.restoreSnapshot(throughJson(machine.getPersistedSnapshot(reached)), {} as never),
        );
        expect(JSON.stringify(reached.value)).toBe(JSON.stringify(restored.value));
        expect(reached._nodes.map(({ id }) => id)).toEqual(restored._nodes.map(({ id }) => id));
        expect([...reached.tags]).toEqual([...restored.tags]);
      }),
    );
  });

  test('is another form of the same state', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...types)), (path) => {
        const plain = after(path);
        const ordered = inDocumentOrder(plain);
        expect(ordered.value).toEqual(plain.value);
        expect(ordered.tags).toEqual(plain.tags);
        for (const type of types) {
          const next = inDocumentOrder(transition(machine, ordered, { type })[0]);
          expect(next.value).toEqual(transition(machine, plain, { type })[0].value);
        }
      }),
    );
  });

  test('costs nothing where it holds already', () => {
    const [snapshot] = initialTransition(machine);
    const ordered = inDocumentOrder(snapshot);
    expect(inDocumentOrder(ordered)).toBe(ordered);
  });
});
