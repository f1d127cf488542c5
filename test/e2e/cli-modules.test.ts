/** Workflows that a user wrote, in files of their own, on this Node and on a newer one. */
import { symlinkSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  builtPackage,
  cliArgs,
  ecl,
  newerNode,
  project,
  startProgram,
  type Ended,
} from './built-cli.ts';

const typescript = `
import { serial, step } from 'ecl';
import { z } from 'zod';
import { times } from './times';
enum Kind { Double = 2 }
const double = step({
  name: 'double',
  input: z.object({ value: z.number() }),
  output: z.object({ value: z.number() }),
  execute: ({ input }: { input: { value: number } }) => ({ value: times(input.value, Kind.Double) }),
});
export default serial({ id: 'typed', version: '1.0.0', steps: [double] });
`;
const erasable = typescript
  .replace(/^enum.*$/m, '')
  .replace("'./times'", "'./times.ts'")
  .replace('Kind.Double', '2');
const javascript = erasable
  .replace("'./times.ts'", "'./times.js'")
  .replace(': { input: { value: number } }', '')
  .replace("'typed'", "'plain'");
const machine = `
import { setup } from 'xstate';
export const bare = setup({}).createMachine({
  id: 'bare', version: '2.0.0', initial: 'asking',
  states: { asking: { on: { 'answer.given': 'done' } }, done: { type: 'final' } },
});
`;
const files = {
  'flow.ts': typescript,
  'erasable.ts': erasable,
  'times.ts': 'export const times = (a: number, b: number): number => a * b;\n',
  'plain.js': javascript,
  'times.js': 'export const times = (a, b) => a * b;\n',
  'bare.mjs': machine,
};

const node24 = newerNode();
const nodes: [string, string | undefined][] = [
  [`Node ${process.versions.node}`, process.execPath],
  ...(node24 === process.execPath ? [] : ([['Node 24', node24]] as [string, string | undefined][])),
];

const on = (node: string, folder: string, ...args: string[]): Promise<Ended> =>
  startProgram(folder, [node, ...cliArgs(...args)]).ended;

describe.each(nodes)('on %s', (name, node) => {
  const skip =
    node === undefined ? `${name} is not on this machine; set NODE_24 to its path` : false;
  if (skip !== false) process.stderr.write(`skipped: ${skip}\n`);

  test.skipIf(skip !== false).each([
    ['TypeScript with an enum and an import without its ending', './flow.ts', 'typed'],
    ['TypeScript whose types can be stripped', './erasable.ts', 'typed'],
    ['JavaScript', './plain.js', 'plain'],
  ])('%s runs without a package beside it', async (_, file, workflow) => {
    const folder = project(files);
    const ran = await on(node!, folder, 'run', file, 'value=21', '--json');
    expect([ran.exitCode, ran.stderr]).toEqual([0, '']);
    expect(JSON.parse(ran.stdout)).toMatchObject({ workflow, output: { value: 42 } });
  });

  test.skipIf(skip !== false)(
    'a bare machine is a workflow, found again from its run',
    async () => {
      const folder = project(files);
      const ran = await on(node!, folder, 'run', './bare.mjs', '--key', 'a', '--json');
      expect([ran.exitCode, JSON.parse(ran.stdout)]).toMatchObject([6, { version: '2.0.0' }]);
      const signalled = await on(node!, folder, 'signal', 'bare.a', 'answer.given', '--json');
      expect(JSON.parse(signalled.stdout)).toMatchObject({ status: 'completed' });
    },
  );
});

test('a run finds its module again from any folder, and after the project was moved', async () => {
  const folder = project(files);
  await ecl(folder, 'run', './bare.mjs', '--key', 'a');
  const inner = join(folder, 'inner');
  mkdirSync(inner);
  const proven = async (cwd: string, store: string): Promise<unknown> => {
    const { stdout } = await ecl(cwd, 'verify', '--json', '--store', `sqlite:${store}`);
    return JSON.parse(stdout);
  };
  const expected = { ok: true, runs: [{ run: 'bare.a', result: 'proven' }] };
  expect(await proven(inner, '../.ecl')).toMatchObject(expected);
  const moved = join(project(), 'moved');
  renameSync(folder, moved);
  expect(await proven(moved, '.ecl')).toMatchObject(expected);
});

test('a module that throws stops only itself, unless it is the one that is asked for', async () => {
  const folder = project({
    ...files,
    'flows/broken.mjs': 'throw new Error("boom");',
    'flows/good/machine.js': machine.replace("'bare'", "'good'"),
    'ecl.yaml': 'machines: [flows]\n',
  });
  const listed = await ecl(folder, 'workflows', '--json');
  expect(JSON.parse(listed.stdout)).toMatchObject({
    items: expect.arrayContaining([expect.objectContaining({ id: 'good' })]) as object[],
    failed: [{ error: { code: 'workflow.module-failed' } }],
  });
  const good = await ecl(folder, 'run', 'good', '--key', 'a');
  expect(good.exitCode).toBe(6);
  expect(good.stderr).toMatch(/warning: .*broken\.mjs cannot be loaded: boom/);
  const asked = await ecl(folder, 'run', './flows/broken.mjs');
  expect([asked.exitCode, asked.stdout]).toEqual([2, '']);
  expect(asked.stderr).toContain('boom');
});

test('a run whose module is gone is blocked: it shows so, is verified by its chain, and comes back with it', async () => {
  const folder = project(files);
  await ecl(folder, 'run', './bare.mjs', '--key', 'a');
  renameSync(join(folder, 'bare.mjs'), join(folder, 'away'));
  const [list, status, verified, signalled, doctor] = await Promise.all([
    ecl(folder, 'list', '--status', 'blocked', '--json'),
    ecl(folder, 'status', 'bare.a', '--json'),
    ecl(folder, 'verify', '--json'),
    ecl(folder, 'signal', 'bare.a', 'answer.given', '--json'),
    ecl(folder, 'doctor'),
  ]);
  expect(JSON.parse(list.stdout)).toMatchObject({ items: [{ id: 'bare.a' }] });
  expect(JSON.parse(status.stdout)).toMatchObject({ status: 'blocked' });
  expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, runs: [{ result: 'chain-only' }] });
  expect([signalled.exitCode, signalled.stdout]).toEqual([4, '']);
  expect(doctor.exitCode).toBe(1);
  expect(doctor.stdout).toMatch(/blocked, their workflow is not here: bare\.a/);
  renameSync(join(folder, 'away'), join(folder, 'bare.mjs'));
  expect((await ecl(folder, 'signal', 'bare.a', 'answer.given')).exitCode).toBe(0);
});

test('a project of `ecl init` runs, and its own test passes', async () => {
  const folder = project();
  expect((await ecl(folder, 'init')).exitCode).toBe(0);
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  symlinkSync(builtPackage, join(modules, 'ecl'));
  for (const name of ['xstate', 'zod', 'vitest']) {
    symlinkSync(join(builtPackage, 'node_modules', name), join(modules, name));
  }
  const ran = await ecl(folder, 'run', 'essay', 'topic=the sea', '--json');
  expect(JSON.parse(ran.stdout)).toMatchObject({ workflow: 'essay', status: 'completed' });
  const vitest = join(modules, 'vitest/vitest.mjs');
  const tested = await startProgram(folder, [process.execPath, vitest, 'run']).ended;
  expect([tested.exitCode, tested.stdout]).toMatchObject([0, expect.stringMatching(/1 passed/)]);
});
