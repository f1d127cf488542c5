/** Editors read a machine's source without running it: what they cannot follow, they drop without a word. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Workflow } from 'ecl';
import { createTestEcl } from 'ecl/testing';
import { draftRounds } from '../../machines/critique-revise/steps.ts';
import { extractionRounds } from '../../machines/document-review/steps.ts';
import * as machines from '../../machines/index.ts';

const builtIn = [
  { id: 'critique-revise', flow: machines.critiqueRevise, own: draftRounds, review: 'critique' },
  { id: 'document-review', flow: machines.documentReview, own: extractionRounds, review: 'review' },
];

/** The source from `createMachine(` to its end. */
const machineSource = (id: string): string => {
  const path = new URL(`../../machines/${id}/machine.ts`, import.meta.url);
  const source = readFileSync(path, 'utf8');
  const parts = source.split('createMachine(');
  expect(parts).toHaveLength(2);
  return parts[1]!.slice(0, parts[1]!.indexOf('\n});'));
};

const functionsIn = (value: unknown, path = ''): string[] => {
  if (typeof value === 'function') return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => functionsIn(part, `${path}/${key}`));
};

describe.each(builtIn)('$id', ({ id, flow, own, review }) => {
  const { config } = flow.machine;

  it('is one literal machine: no spread and no call stands among its states', () => {
    const source = machineSource(id);
    const states = source.slice(source.indexOf('states: {'));
    const beside = states.replaceAll(/input: \(.*?\) => .*?(?=onDone)/gs, '');
    expect(beside.slice(0, beside.indexOf('\n  output:'))).not.toMatch(/\.\.\.|=>|\w\(/);
  });

  it('is data but for context, output and the inputs of its steps', () => {
    const functions = functionsIn(config).filter((path) => !path.endsWith('/invoke/input'));
    expect(functions).toEqual(['/context', '/output']);
    expect(JSON.parse(JSON.stringify(config))).toMatchObject({ id, version: '1.0.0' });
  });

  it('states the bound that its rounds keep, for tools to read', () => {
    expect(config.states?.[review]?.meta).toEqual(own.meta);
  });

  it('says in each state what it is for', () => {
    for (const [name, state] of Object.entries(config.states ?? {})) {
      if (state.type !== 'final') expect(state.description, name).toMatch(/\.$/);
    }
  });

  it('is accepted by the runtime', async () => {
    const ecl = await createTestEcl({ workflows: [flow as Workflow] });
    expect(ecl.registry.list().map(({ workflow: { id: known } }) => known)).toEqual([id]);
    await ecl.close();
  });
});

it('machines/index.ts offers both, and nothing else', () => {
  expect(Object.keys(machines)).toEqual(['critiqueRevise', 'documentReview']);
});
