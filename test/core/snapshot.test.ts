import { describe, expect, test } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import { restoreSnapshot, takeSnapshot, type RunSnapshot } from '../../src/core/snapshot.ts';
import { asDurable, given, signal, succeeds, throughJson, visible } from './kit.ts';

const machine = setup({
  actors: { work: fromPromise(() => Promise.resolve(1)) },
  types: { context: {} as { got: unknown } },
}).createMachine({
  id: 'm',
  version: '1',
  context: { got: null },
  initial: 'a',
  states: {
    a: {
      invoke: {
        src: 'work',
        id: 'w',
        onDone: { target: 'b', actions: assign({ got: ({ event }) => event.output }) },
      },
    },
    b: { after: { 1000: 'c' }, on: { go: 'c' } },
    c: { type: 'final' },
  },
});
const lab = given(machine, succeeds('w', { text: 'x' }));
const taken = (): RunSnapshot => throughJson(takeSnapshot(lab.state));
const restored = (snapshot: unknown, by = lab.machine) =>
  restoreSnapshot(lab.id, snapshot as RunSnapshot, by);

describe('a snapshot', () => {
  test('gives the state that it was taken of', () => {
    expect(visible(restored(taken())!)).toEqual(visible(lab.state));
  });

  test('taken again of what it gave is the same', () => {
    expect(throughJson(takeSnapshot(restored(taken())!))).toEqual(taken());
  });

  test('of a run that is over gives the end with its output', () => {
    const over = given(machine, succeeds('w'), signal('go'));
    expect(over.bySnapshot()).toMatchObject({ ending: 'completed', output: undefined });
  });

  test('does not live on with the state: it is a value', () => {
    const before = taken();
    given(lab, { type: 'RunPaused', data: { reason: 'r' } }, { type: 'RunResumed', data: {} });
    expect(before.revision).toBeLessThan(lab.state.revision);
    expect(restored(before)?.resumes).toBe(0);
  });
});

describe('is not taken up', () => {
  test.each<[string, (snapshot: RunSnapshot) => unknown]>([
    ['of another format', (snapshot) => ({ ...snapshot, format: snapshot.format + 1 })],
    ['of another structure', (snapshot) => ({ ...snapshot, structure: 'x' })],
    [
      'with another context',
      (snapshot) => ({
        ...snapshot,
        machine: { ...(snapshot.machine as object), context: { got: { text: 'y' } } },
      }),
    ],
    [
      'with a state that the machine lacks',
      (snapshot) => ({ ...snapshot, machine: { ...(snapshot.machine as object), value: 'gone' } }),
    ],
    ['with a machine that is no snapshot', (snapshot) => ({ ...snapshot, machine: null })],
    ['without its books', (snapshot) => ({ ...snapshot, books: {} })],
    ['with broken books', (snapshot) => ({ ...snapshot, books: { ...snapshot.books, steps: 7 } })],
  ])('one %s', (_, damage) => {
    expect(restored(damage(taken()))).toBe(undefined);
  });

  test('one of a machine whose structure changed since', () => {
    const changed = setup({
      actors: { work: fromPromise(() => Promise.resolve(1)) },
    }).createMachine({
      id: 'm',
      version: '1',
      context: { got: null },
      initial: 'b',
      states: { b: {} },
    } as never);
    expect(restored(taken(), asDurable(changed))).toBe(undefined);
  });

  test('one whose context looks like an actor to XState, which would restore it as another', () => {
    const odd = setup({}).createMachine({
      id: 'm',
      version: '1',
      context: { ref: { xstate$$type: 1, id: 'x' } },
    });
    expect(() => given(odd).bySnapshot()).toThrow(/the snapshot is taken up/);
    const alike = setup({}).createMachine({
      id: 'm',
      version: '1',
      context: { a: { sessionId: 's', send: 1, ref: 2 } },
    });
    expect(() => given(alike).bySnapshot()).toThrow(/the snapshot is taken up/);
  });
});
