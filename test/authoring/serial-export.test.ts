import { describe, expect, it } from 'vitest';
import { createActor, createMachine, setup } from 'xstate';
import { gate, rounds, serial } from 'ecl';
import { drafting, upper } from './kit.ts';

const { draft, review } = drafting(['pass']);
const chain = serial({
  id: 'chain',
  version: '1.0.0',
  description: 'Writes, reviews, asks.',
  steps: [
    draft,
    rounds({ review, of: draft, max: 3 }),
    gate({ name: 'approval', description: 'Is it good?', deadline: 60_000 }),
    upper,
  ],
});

/** Paths of everything in a value that is no JSON. */
const functionsIn = (value: unknown, path = ''): string[] => {
  if (typeof value === 'function') return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => functionsIn(part, `${path}/${key}`));
};

describe('the machine of a chain', () => {
  it('is data but for the inputs of invocations, the context and the output', () => {
    expect(functionsIn(chain.machine.config)).toEqual([
      '/context',
      '/states/draft/invoke/input',
      '/states/review/invoke/input',
      '/states/upper/invoke/input',
      '/output',
    ]);
  });

  it('stands under names that a person would have given', () => {
    expect(Object.keys(chain.machine.config.states ?? {})).toEqual([
      'draft',
      'review',
      'exhausted',
      'approval',
      'upper',
      'done',
      'failed',
    ]);
    expect(chain.machine.config.initial).toBe('draft');
    expect(chain.machine.config.states?.['review']?.meta).toEqual({
      ecl: { rounds: { review: 'review', of: 'draft', max: 3, onExhausted: 'ask' } },
    });
  });

  it('is the same machine when its JSON is read back with the implementations', () => {
    const json = JSON.parse(JSON.stringify(chain.machine.config)) as object;
    const again = setup(chain.machine.implementations as never).createMachine({
      ...json,
      context: { rounds: null },
    } as never);
    const states = (machine: { root: { states: object } }): string[] =>
      Object.keys(machine.root.states);
    expect(states(again as never)).toEqual(states(chain.machine));
    expect(JSON.parse(JSON.stringify(again.config))).toMatchObject({
      ...json,
    });
    expect(() => createActor(createMachine(json as never))).not.toThrow();
  });

  it('builds the same structure every time', () => {
    const build = () => serial({ id: 'again', version: '1.0.0', steps: [draft, upper] });
    expect(JSON.stringify(build().machine.config)).toBe(JSON.stringify(build().machine.config));
  });
});
