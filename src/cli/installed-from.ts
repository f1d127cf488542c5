/** Where an installed package came from, so that another project can ask for the same. */
import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

interface Installed {
  readonly packages?: Readonly<Record<string, { readonly resolved?: string }>>;
}

/** The file or repository that npm has installed the package in a folder from; undefined for a registry. */
export const installedFrom = (folder: string): string | undefined => {
  const modules = dirname(folder);
  let installed: Installed;
  try {
    installed = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')) as Installed;
  } catch {
    // Another package manager keeps other records.
    return undefined;
  }
  const resolved = installed.packages?.[`node_modules/${basename(folder)}`]?.resolved;
  if (resolved?.startsWith('file:') === true) {
    return `file:${resolve(modules, '..', resolved.slice('file:'.length))}`;
  }
  return resolved?.startsWith('git+') === true ? resolved : undefined;
};
