import { createActor, createMachine, setup, type AnyStateMachine } from 'xstate';
import { describe, expect, test } from 'vitest';
import { critiqueRevise, documentReview } from '../../machines/index.ts';
import { gate } from '../../src/authoring/gate.ts';
import { rounds, verdict } from '../../src/authoring/rounds.ts';
import { serial } from '../../src/authoring/serial.ts';
import { step } from '../../src/authoring/step.ts';
import { exportConfig } from '../../src/core/export-config.ts';
import { exportMermaid } from '../../src/core/export-mermaid.ts';
import { exportStately } from '../../src/core/export-stately.ts';
import { z } from 'zod';

const draft = step({
  name: 'draft',
  output: z.object({ text: z.string() }),
  execute: () => ({ text: '' }),
});
const review = step({
  name: 'review',
  input: draft.output,
  output: verdict(),
  execute: () => ({ decision: 'pass' as const, feedback: '' }),
});
const chain = serial({
  id: 'chain',
  version: '1.0.0',
  description: 'A chain "with" quotes.',
  steps: [draft, rounds({ review, of: draft, max: 2 }), gate({ name: 'editor', deadline: 60_000 })],
}).machine;

const nested = setup({
  guards: { isReady: () => true },
  actions: { note: () => {} },
  delays: { patience: 1000 },
}).createMachine({
  id: 'nested',
  initial: 'both',
  states: {
    both: {
      type: 'parallel',
      states: {
        left: { initial: 'a b', states: { 'a b': { on: { go: 'c' } }, c: { type: 'final' } } },
        right: { initial: 'x', states: { x: { after: { patience: 'y' } }, y: { type: 'final' } } },
      },
      onDone: {
        target: 'end',
        guard: 'isReady',
        actions: ['note', { type: 'note', params: { n: 1 } }],
      },
      on: {
        'stop.now': { target: '#nested.end', guard: ({ event }) => event.type === 'stop.now' },
      },
    },
    end: { type: 'final', tags: ['over'], meta: { ecl: { about: 'the end' } } },
  },
}) as unknown as AnyStateMachine;

const machines: [string, AnyStateMachine][] = [
  ['a serial chain', chain],
  ['critique-revise', critiqueRevise.machine],
  ['document-review', documentReview.machine],
  ['a nested machine', nested],
];

/** Ids of all state nodes, with what each transition reacts to. */
const shape = (machine: AnyStateMachine): Record<string, string[]> => {
  const found: Record<string, string[]> = {};
  const visit = (node: AnyStateMachine['root']): void => {
    found[node.id] = [...node.transitions.keys()];
    for (const child of Object.values(node.states)) visit(child);
  };
  visit(machine.root);
  return found;
};

describe('as Stately source', () => {
  test.each(machines)('%s is one literal that runs with nothing but xstate', async (_, machine) => {
    const source = exportStately(machine);
    expect([...source.matchAll(/from '([^']+)'/g)].map((match) => match[1])).toEqual(['xstate']);
    const xstate = await import('xstate');
    const body = source
      .replace(/^import .*$/m, 'const { fromPromise, setup } = xstate;')
      .replace('export const machine =', 'return');
    // oxlint-disable-next-line typescript/no-implied-eval, no-new-func
    const again = new Function('xstate', body)(xstate) as AnyStateMachine;
    expect(shape(again)).toEqual(shape(machine));
    expect(createActor(again).start().getSnapshot().status).toBe('active');
  });

  test('everything that the config names has a stub', () => {
    const source = exportStately(nested);
    for (const name of ['isReady', 'note', 'patience']) expect(source).toContain(`"${name}":`);
  });
});

describe('as JSON', () => {
  test.each(machines)('%s makes the same machine again', (_, machine) => {
    const config = JSON.parse(JSON.stringify(exportConfig(machine))) as never;
    expect(shape(createMachine(config) as unknown as AnyStateMachine)).toEqual(shape(machine));
  });

  test('metadata, tags and descriptions come through, and functions by their names', () => {
    expect(exportConfig(nested)).toMatchObject({
      states: { end: { tags: ['over'], meta: { ecl: { about: 'the end' } } } },
    });
    expect(exportConfig(chain)).toMatchObject({
      description: 'A chain "with" quotes.',
      context: { $function: 'context' },
      states: { review: { meta: { ecl: { rounds: { max: 2 } } } } },
    });
  });
});

describe('as a diagram', () => {
  test.each(machines)('%s shows every state', (_, machine) => {
    const diagram = exportMermaid(machine);
    expect(diagram.startsWith('stateDiagram-v2\n')).toBe(true);
    const states = Object.keys(shape(machine)).length - 1;
    expect(diagram.match(/state "/g)).toHaveLength(states);
  });

  test('nesting, parallel regions, guards, delays and ends are drawn', () => {
    expect(exportMermaid(nested)).toBe(
      [
        'stateDiagram-v2',
        '  [*] --> both',
        '  state "both" as both {',
        '    state "left" as both__left {',
        '      [*] --> both__left__a_b',
        '      state "a b" as both__left__a_b',
        '      state "c" as both__left__c',
        '      both__left__c --> [*]',
        '    }',
        '    --',
        '    state "right" as both__right {',
        '      [*] --> both__right__x',
        '      state "x" as both__right__x',
        '      state "y" as both__right__y',
        '      both__right__y --> [*]',
        '    }',
        '  }',
        '  state "end" as end',
        '  end --> [*]',
        '  both --> end: stop.now [guard]',
        '  both --> end: done [isReady]',
        '  both__left__a_b --> both__left__c: go',
        '  both__right__x --> both__right__y: after patience',
        '',
      ].join('\n'),
    );
  });
});
