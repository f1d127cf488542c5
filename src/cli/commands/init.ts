/** `ecl init`: writes a small project that runs, and overwrites nothing. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve, sep } from 'node:path';
import type { Command } from 'commander';
import { EclError } from '../../core/errors.ts';
import type { Act, Context } from '../context.ts';
import { quoted } from '../format.ts';
import { installedFrom } from '../installed-from.ts';

const examples = `
Examples:
  ecl init                 in the current folder
  ecl init my-project`;

export const declareInit = (program: Command, act: Act): void => {
  program
    .command('init')
    .summary('write a small project of your own')
    .description(
      'Writes a small project: a workflow, its steps, a test and how to run them. Overwrites nothing.',
    )
    .argument('[folder]', 'where; the current folder without it')
    .addHelpText('after', examples)
    .action(act(init));
};

interface Package {
  readonly version: string;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** How the project asks for this package: by version, or by where it is when it was not installed from a registry. */
const versionsOf = (): { ecl: string; xstate: string; zod: string; vitest: string } => {
  const require = createRequire(import.meta.url);
  const path = require.resolve('ecl/package.json');
  const { version, peerDependencies, devDependencies } = require(path) as Package;
  const isInstalled = path.includes(`${sep}node_modules${sep}`);
  return {
    ecl: isInstalled ? (installedFrom(dirname(path)) ?? `^${version}`) : `file:${dirname(path)}`,
    xstate: peerDependencies['xstate'] ?? '*',
    zod: peerDependencies['zod'] ?? '*',
    vitest: devDependencies['vitest'] ?? '*',
  };
};

/** What npm takes for a name. */
const nameOf = (folder: string): string =>
  basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '') || 'my-ecl-project';

const refuse = (folder: string, existing: readonly string[]): EclError =>
  new EclError('usage.invalid', {
    reason: `${folder} has ${existing.join(', ')} already, and nothing is overwritten; choose another folder`,
    existing,
  });

const init = async (
  context: Context,
  _: object,
  ...[target]: readonly (string | readonly string[] | undefined)[]
): Promise<number> => {
  const { projectFiles } = await import('../init-files.ts');
  const { terminal } = context;
  const folder = resolve(target === undefined ? '.' : String(target));
  const files = projectFiles({ name: nameOf(folder), ...versionsOf() });
  const existing = files.map(([path]) => path).filter((path) => existsSync(join(folder, path)));
  if (existing.length > 0) throw refuse(folder, existing);
  try {
    for (const [path, content] of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content, { flag: 'wx' });
    }
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const reason = `the project cannot be written into ${folder}: ${said}; choose another folder`;
    throw new EclError('usage.invalid', { reason }, { cause: error });
  }
  terminal.document({ folder, files: files.map(([path]) => path) });
  terminal.print(`Wrote ${files.length} files to ${folder}. Next:`);
  if (target !== undefined) terminal.print(`  cd ${quoted(String(target))}`);
  for (const line of ['npm install', 'npm test', 'npx ecl run essay topic="the sea"']) {
    terminal.print(`  ${line}`);
  }
  return 0;
};
