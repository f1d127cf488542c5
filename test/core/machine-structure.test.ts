import { describe, expect, test } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import { z } from 'zod';
import { machineStructure } from '../../src/core/machine-structure.ts';

const base = {
  id: 'm',
  version: '1',
  context: { n: 0 },
  initial: 'a',
  states: {
    a: { on: { go: { target: 'b', guard: 'isBig', actions: ['count'] } }, after: { 1000: 'b' } },
    b: { type: 'final', tags: ['failed'], meta: { ecl: { gate: 'x' } } },
  },
} as const;

const structureOf = (config: object, implementations: object = {}): string =>
  machineStructure(
    setup({
      guards: { isBig: () => true },
      actions: { count: assign({}) },
      actors: { work: fromPromise(() => Promise.resolve(1)) },
      ...implementations,
    }).createMachine(config as never) as never,
  );

const changed = (states: object): string =>
  structureOf({ ...base, states: { ...base.states, ...states } });

describe('the structure of a machine', () => {
  test('is 64 hex digits, the same for the same machine', () => {
    expect(structureOf(base)).toMatch(/^[0-9a-f]{64}$/);
    expect(structureOf(structuredClone(base))).toBe(structureOf(base));
  });

  test.each<[string, object]>([
    ['another state', { c: {} }],
    ['another target', { a: { ...base.states.a, after: { 1000: 'a' } } }],
    ['another delay', { a: { ...base.states.a, after: { 1001: 'b' } } }],
    ['another guard', { a: { on: { go: { target: 'b', guard: 'isSmall', actions: ['count'] } } } }],
    ['another tag', { b: { ...base.states.b, tags: ['done'] } }],
    ['other metadata', { b: { ...base.states.b, meta: { ecl: { gate: 'y' } } } }],
    ['an invoke', { a: { ...base.states.a, invoke: { src: 'work' } } }],
  ])('changes with %s', (_, states) => {
    expect(changed(states)).not.toBe(structureOf(base));
  });

  test.each<[string, object]>([
    ['its version', { ...base, version: '2' }],
    ['its first context', { ...base, context: { n: 1 } }],
    [
      'its descriptions',
      {
        ...base,
        description: 'new words',
        states: { ...base.states, a: { ...base.states.a, description: 'too' } },
      },
    ],
  ])('does not change with %s', (_, config) => {
    expect(structureOf(config)).toBe(structureOf(base));
  });

  test('does not change with what a function does, since another compiler writes it in other words', () => {
    expect(structureOf(base, { guards: { isBig: () => false } })).toBe(structureOf(base));
    const inline = (guard: () => boolean): string =>
      changed({ a: { on: { go: { target: 'b', guard } } } });
    expect(inline(() => false)).toBe(inline(() => true));
  });

  test('changes with the kind of an action', () => {
    const doing = (actions: unknown): string => changed({ a: { entry: actions } });
    expect(doing(assign({ n: 1 }))).not.toBe(doing(() => {}));
  });

  test('takes a schema under meta for one thing, whatever it is made of', () => {
    const recursive: z.ZodType = z.lazy(() => z.object({ next: recursive.optional() }));
    const withMeta = (schema: unknown): string => structureOf({ ...base, meta: { schema } });
    expect(withMeta(recursive)).toMatch(/^[0-9a-f]{64}$/);
    expect(withMeta(z.string())).not.toBe(withMeta(z.number()));
  });
});
