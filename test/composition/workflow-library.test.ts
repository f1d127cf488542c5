import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Registry } from '../../src/runtime/registry.ts';
import { WorkflowLibrary } from '../../src/composition/workflow-library.ts';

let folder: string;
const write = (name: string, content: string): string => {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
};
const machine = (id: string, version: string, state = 'done'): string =>
  `setup({}).createMachine({ id: '${id}', version: '${version}', initial: '${state}', states: { ${state}: { type: 'final' } } })`;
const module = (...exports: string[]): string =>
  ["import { setup } from 'xstate';", ...exports].join('\n');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ecl-library-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const library = (...machines: string[]): WorkflowLibrary =>
  new WorkflowLibrary({ machines, storeFolder: join(folder, '.ecl') });

test('of several versions a name means the newest, however they are exported', async () => {
  const path = write(
    'flow.mjs',
    module(
      `export default ${machine('flow', '1.9.0')};`,
      `export const newer = ${machine('flow', '1.10.0')};`,
      `export const old = ${machine('flow', '1.2.0')};`,
    ),
  );
  expect((await library(path).find('flow')).workflow.version).toBe('1.10.0');
  expect((await library().find(path)).workflow.version).toBe('1.10.0');
});

test('a file with several workflows gives its default, or the one that is named after #', async () => {
  const path = write(
    'flows.mjs',
    module(
      `export const a = ${machine('a', '1.0.0')};`,
      `export default ${machine('b', '1.0.0')};`,
    ),
  );
  expect((await library().find(path)).workflow.id).toBe('b');
  expect((await library().find(`${path}#a`)).workflow.id).toBe('a');
  await expect(library().find(`${path}#c`)).rejects.toMatchObject({
    code: 'workflow.not-found',
    details: { candidates: ['a', 'b'] },
  });
});

test('a name means a configured workflow before a built-in one', async () => {
  const path = write(
    'own.mjs',
    module(`export const own = ${machine('critique-revise', '1.0.0')};`),
  );
  expect((await library(path).find('critique-revise')).origin).toBe(path);
  expect((await library().find('critique-revise')).origin).toBe('built-in');
});

test('a folder gives its modules and the machine of each folder in it, without tests and declarations', async () => {
  write('flows/a.mjs', module(`export const a = ${machine('a', '1.0.0')};`));
  write('flows/b/machine.js', module(`export default ${machine('b', '1.0.0')};`));
  write('flows/helper.mjs', 'export const help = 1;');
  write('flows/a.test.mjs', 'throw new Error("not to be loaded")');
  write('flows/a.d.ts', 'export {};');
  const found = library(join(folder, 'flows'));
  const own = (await found.all()).filter(({ origin }) => origin !== 'built-in');
  expect(own.map(({ workflow }) => workflow.id)).toEqual(['a', 'b']);
  expect(found.failures).toEqual([]);
});

test('what cannot be loaded, holds no workflow or is refused stops only itself', async () => {
  const found = library(
    write('broken.mjs', 'throw new Error("boom");'),
    write('empty.mjs', 'export const nothing = 1;'),
    write(
      'refused.mjs',
      module(
        "import { fromCallback } from 'xstate';",
        "export const refused = setup({ actors: { c: fromCallback(() => {}) } }).createMachine({ id: 'refused', version: '1.0.0' });",
        `export const fine = ${machine('fine', '1.0.0')};`,
      ),
    ),
    join(folder, 'missing.mjs'),
  );
  const own = (await found.all()).filter(({ origin }) => origin !== 'built-in');
  expect(own.map(({ workflow }) => workflow.id)).toEqual(['fine']);
  expect(found.failures.map(({ error }) => error.message)).toEqual([
    expect.stringContaining('boom'),
    expect.stringContaining('exports no workflow'),
    expect.stringMatching(/refused .*callback/),
    expect.stringContaining('no such file'),
  ]);
});

test('a module beside the store is recorded relative to it, another one by its whole path', async () => {
  const beside = write('flows/a.mjs', module(`export default ${machine('a', '1.0.0')};`));
  expect((await library().find(beside)).module).toBe('../flows/a.mjs');
  const elsewhere = new WorkflowLibrary({ storeFolder: join(folder, 'store/inner/.ecl') });
  expect((await elsewhere.find(beside)).module).toBe(beside);
});

test('a run finds its own workflow also where another one has its id and version', async () => {
  const first = write('first.mjs', module(`export default ${machine('twin', '1.0.0', 'one')};`));
  const second = write('second.mjs', module(`export default ${machine('twin', '1.0.0', 'two')};`));
  const registry = new Registry();
  const found = library(first);
  registry.register((await found.find('twin')).workflow);
  const { workflow } = await library().find(second);
  const { structure } = new Registry().register(workflow).durable;
  const started = { workflow: 'twin', version: '1.0.0', structure, module: '../second.mjs' };
  expect(registry.find(started)).toBeUndefined();
  await found.registerFor(started as never, registry);
  expect(registry.find(started)?.durable.structure).toBe(structure);
  expect(registry.get('twin').durable.structure).not.toBe(structure);
});
