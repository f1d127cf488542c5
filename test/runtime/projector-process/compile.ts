/** Compiles a script with all it imports, as no process could start hundreds of times through a loader. */
import { spawnSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');
const here = 'test/runtime/projector-process';

const options = {
  target: 'ES2023',
  module: 'NodeNext',
  moduleResolution: 'NodeNext',
  customConditions: 'ecl-source',
  types: 'node',
  rootDir: root,
};

/** @returns the path of the compiled script, to be run with plain Node */
export const compileProjectForever = (folder: string): string => {
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const switches = ['--ignoreConfig', '--noCheck', '--skipLibCheck'];
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const scripts = ['project-forever', 'lean-ecl'].map((name) => join(root, here, `${name}.ts`));
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      compiler,
      ...switches,
      '--rewriteRelativeImportExtensions',
      ...flags,
      '--outDir',
      folder,
      ...scripts,
    ],
    { cwd: root, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stdout);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  const lean = { name: 'ecl', type: 'module', exports: { '.': `./${here}/lean-ecl.js` } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(lean));
  return join(folder, here, 'project-forever.js');
};
