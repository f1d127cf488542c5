/**
 * Where a user's projections come from: the modules of `projections:`. Part of the composition root: it loads modules, which
 * the runtime does not.
 *
 * A module that cannot be loaded stops only itself; it is kept in `failures`.
 */
import { importModule } from '../adapters/filesystem/module-loader.ts';
import { modulesOfEntry } from '../adapters/filesystem/module-folders.ts';
import { EclError, toErrorDocument } from '../core/errors.ts';
import type { Projection } from '../runtime/projection.ts';
import { shared, type FailedModule } from './workflow-library.ts';

export interface LoadedProjections {
  readonly projections: readonly Projection<unknown>[];
  readonly failures: readonly FailedModule[];
}

/** What `defineProjection` gives, whichever copy of the package made it. */
const isProjection = (value: unknown): value is Projection<unknown> =>
  typeof value === 'object' &&
  value !== null &&
  'definition' in value &&
  ['key', 'next', 'toRow', 'fromBody', 'queries'].every(
    (name) => typeof (value as Record<string, unknown>)[name] === 'function',
  );

const projectionsIn = async (path: string, mayBeEmpty: boolean): Promise<Projection<unknown>[]> => {
  const found = Object.values(await importModule(path, shared)).filter(isProjection);
  if (found.length > 0 || mayBeEmpty) return [...new Set(found)];
  const reason = 'it exports no projection: export one of defineProjection()';
  throw new EclError('workflow.module-failed', { module: path, reason });
};

/** Loads what the entries of `projections:` hold: modules, and folders of modules. Of one name the first is taken. */
export const loadProjections = async (entries: readonly string[]): Promise<LoadedProjections> => {
  const projections = new Map<string, Projection<unknown>>();
  const failures: FailedModule[] = [];
  const attempt = async (module: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures.push({ module, error: toErrorDocument(error) });
    }
  };
  for (const entry of entries) {
    await attempt(entry, async () => {
      const { modules, isFolder } = await modulesOfEntry(entry);
      for (const path of modules) {
        await attempt(path, async () => {
          for (const each of await projectionsIn(path, isFolder)) {
            const { name } = each.definition;
            if (!projections.has(name)) projections.set(name, each);
          }
        });
      }
    });
  }
  return { projections: [...projections.values()], failures };
};
