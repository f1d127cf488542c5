/** Which modules an entry of `machines:` stands for: one file, or those of a folder that may hold workflows. */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EclError } from '../../core/errors.ts';

const modulePattern = /\.[cm]?[jt]s$/;
const otherPattern = /\.(d|test|spec|config)\.[cm]?[jt]s$/;

const isModule = (name: string): boolean => modulePattern.test(name) && !otherPattern.test(name);

/**
 * The modules of an entry, as absolute paths in the order of their names: the file itself, or `<folder>/*.{js,ts}` and
 * `<folder>/<name>/machine.{js,ts}`.
 *
 * @throws EclError `workflow.module-failed` when nothing is there
 */
export const modulesOfEntry = async (
  entry: string,
): Promise<{ isFolder: boolean; modules: readonly string[] }> => {
  const path = resolve(entry);
  if (!existsSync(path)) {
    const reason = 'there is no such file or folder';
    throw new EclError('workflow.module-failed', { module: path, reason });
  }
  if (!(await stat(path)).isDirectory()) return { isFolder: false, modules: [path] };
  const modules: string[] = [];
  for (const child of (await readdir(path, { withFileTypes: true })).toSorted(byName)) {
    if (child.isDirectory()) {
      const machine = ['machine.ts', 'machine.js'].map((name) => join(path, child.name, name));
      const found = machine.find((each) => existsSync(each));
      if (found !== undefined) modules.push(found);
    } else if (isModule(child.name)) modules.push(join(path, child.name));
  }
  return { isFolder: true, modules };
};

const byName = (left: { name: string }, right: { name: string }): number =>
  left.name < right.name ? -1 : 1;
