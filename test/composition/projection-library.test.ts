import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { createEcl } from '../../src/main.ts';
import { loadProjections } from '../../src/composition/projection-library.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const projection = (name: string, extra = ''): string => `
import { createStore } from '@xstate/store';
import { defineProjection, projectedEvents } from 'ecl';
import { z } from 'zod';
export const one = defineProjection({
  name: '${name}', version: 1, types: ['RunStarted'], key: ({ run }) => run,
  context: z.object({ n: z.number() }),
  store: createStore({
    schemas: { events: projectedEvents },
    context: { n: 0 },
    on: { RunStarted: ({ n }) => ({ n: n + 1 }) },
  }),
  columns: {}, row: () => ({}),
  queries: (rows) => ({ size: () => rows.count() }),
});
${extra}`;

const given = (files: Record<string, string>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'ecl-projections-'));
  folders.push(folder);
  mkdirSync(join(folder, 'projections'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
};

const namesOf = async (...entries: string[]) => {
  const { projections, failures } = await loadProjections(entries);
  return {
    names: projections.map(({ definition }) => definition.name),
    failures: failures.map(({ module, error }) => [module, error.code]),
  };
};

describe('projections out of modules', () => {
  test('come from files and folders; in a folder a module may hold none', async () => {
    const folder = given({
      'projections/a.ts': projection('a'),
      'projections/b.ts': projection('b', 'export const again = one; export const n: number = 1;'),
      'projections/c.ts': 'export const nothing = 1;',
      'd.ts': projection('d'),
    });
    expect(await namesOf(join(folder, 'projections'), join(folder, 'd.ts'))).toEqual({
      names: ['a', 'b', 'd'],
      failures: [],
    });
  });

  test('that cannot be loaded stop only themselves', async () => {
    const folder = given({
      'broken.ts': 'throw new Error("boom");',
      'empty.ts': 'export const nothing = 1;',
      'good.ts': projection('good'),
    });
    const [broken, empty, gone] = ['broken.ts', 'empty.ts', 'gone.ts'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    expect(await namesOf(broken, empty, gone, join(folder, 'good.ts'))).toEqual({
      names: ['good'],
      failures: [broken, empty, gone].map((module) => [module, 'workflow.module-failed']),
    });
  });

  test('are kept by an ECL that is given them, and refused under a name that is taken', async () => {
    const folder = given({ 'a.ts': projection('a'), 'b.ts': projection('run-summaries') });
    const { projections } = await loadProjections([join(folder, 'a.ts')]);
    const ecl = await createEcl({ store: 'memory:', model: 'rules', projections });
    const [one] = projections;
    const queries = (await ecl.query(one!)) as { size(): number };
    expect(queries.size()).toBe(0);
    expect(ecl.readModels.names).toContain('a');
    await ecl.close();
    const { projections: taken } = await loadProjections([join(folder, 'b.ts')]);
    await expect(
      createEcl({ store: 'memory:', model: 'rules', projections: taken }),
    ).rejects.toMatchObject({ code: 'usage.invalid' });
  });
});
