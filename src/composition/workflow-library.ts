/**
 * Where workflows come from: this package's own, the modules of `machines:`, and a file that a command names. Part of the
 * composition root: it loads modules, which the runtime does not.
 *
 * 1. A module that cannot be loaded, or a workflow that is refused, stops only itself; it is kept in `failures`.
 * 2. A name means a configured workflow before a built-in one.
 * 3. A run records its module relative to the store's folder when it lies beside it, else absolute: a project that is
 *    moved as a whole keeps its runs, and any current folder will do.
 */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import {
  importModule,
  type ModuleNamespace,
  type SharedModules,
} from '../adapters/filesystem/module-loader.ts';
import { modulesOfEntry } from '../adapters/filesystem/module-folders.ts';
import { isWorkflow, toWorkflow, type Workflow } from '../authoring/workflow.ts';
import { EclError, toErrorDocument, type ErrorDocument } from '../core/errors.ts';
import type { JournalData } from '../core/journal-events.ts';
import { isMachine } from '../core/machine-rules.ts';
import { nearestNames } from '../core/nearest.ts';
import { Registry } from '../runtime/registry.ts';

export interface FoundWorkflow {
  readonly workflow: Workflow;
  /** As a run records it; undefined for a built-in one. */
  readonly module: string | undefined;
  /** `built-in`, or the path of its module. */
  readonly origin: string;
}

export interface FailedModule {
  readonly module: string;
  readonly error: ErrorDocument;
}

export interface WorkflowLibraryOptions {
  /** Files and folders. */
  readonly machines?: readonly string[];
  /** The folder of the store, or undefined when it has none. */
  readonly storeFolder?: string | undefined;
}

/** This package's own copies of what modules import too. */
export const shared: SharedModules = {
  ecl: () => import('ecl'),
  xstate: () => import('xstate'),
  zod: () => import('zod'),
  '@xstate/store': () => import('@xstate/store'),
};

/** The workflows among the exports; the default one comes last, since the last of a name is the one that is run. */
const workflowsOf = (namespace: ModuleNamespace): Workflow[] => {
  const { default: main, ...named } = namespace;
  const found = new Set<Workflow>();
  for (const value of [...Object.values(named), main]) {
    if (isWorkflow(value)) {
      found.delete(value);
      found.add(value);
    } else if (isMachine(value) && value.version !== undefined) found.add(toWorkflow(value));
  }
  return [...found];
};

const failed = (module: string, reason: string): EclError =>
  new EclError('workflow.module-failed', { module, reason });

const noWorkflow =
  'it exports no workflow: export one of workflow() or serial(), or a machine with an id and a version';

export class WorkflowLibrary {
  readonly #options: WorkflowLibraryOptions;
  readonly #modules = new Map<string, Promise<FoundWorkflow[]>>();
  readonly #failures = new Map<string, ErrorDocument>();
  #builtIn: Promise<FoundWorkflow[]> | undefined;
  #configured: Promise<FoundWorkflow[]> | undefined;

  constructor(options: WorkflowLibraryOptions = {}) {
    this.#options = options;
  }

  /** What could not be loaded or was refused so far. */
  get failures(): readonly FailedModule[] {
    return Array.from(this.#failures, ([module, error]) => ({ module, error }));
  }

  /** Configured and built-in workflows; the ones that a name means stand first. */
  async all(): Promise<readonly FoundWorkflow[]> {
    this.#builtIn ??= this.#loadBuiltIn();
    this.#configured ??= this.#loadConfigured();
    return [...(await this.#configured), ...(await this.#builtIn)];
  }

  /**
   * The workflow of this name, its newest version; or the one that the file `path` or `path#name` holds.
   *
   * @throws EclError `workflow.not-found` with the nearest names, `workflow.module-failed`, `workflow.refused`
   */
  async find(target: string): Promise<FoundWorkflow> {
    if (isPath(target)) return this.#findInFile(target);
    const all = await this.all();
    const found = newest(all.filter(({ workflow }) => workflow.id === target));
    if (found !== undefined) return found;
    const candidates = nearestNames(target, [...new Set(all.map(({ workflow }) => workflow.id))]);
    throw new EclError('workflow.not-found', {
      workflow: target,
      nearest: candidates.length > 0 ? ` Did you mean ${candidates.join(' or ')}?` : '',
      candidates,
    });
  }

  /** Registers what a run was started with, where it can be found. What fails is kept in `failures`. */
  async registerFor(started: JournalData<'RunStarted'>, registry: Registry): Promise<void> {
    const { module } = started;
    const candidates: FoundWorkflow[] = [];
    if (module !== undefined) {
      candidates.push(...(await this.#try(module, () => this.#load(this.#locate(module)))));
    }
    const isFound = candidates.some(({ workflow }) => workflow.version === started.version);
    if (!isFound) candidates.push(...(await this.all()));
    // All of them: the machine of a child run is found through the workflow that invokes it.
    for (const { workflow, module: from, origin } of candidates) {
      await this.#try(`${origin}#${workflow.id}`, async () => {
        const options = { beside: true, ...(from === undefined ? {} : { module: from }) };
        return [registry.register(workflow, options)];
      });
    }
  }

  async #findInFile(target: string): Promise<FoundWorkflow> {
    const at = existsSync(resolve(target)) ? -1 : target.lastIndexOf('#');
    const [path, name] =
      at === -1 ? [target, undefined] : [target.slice(0, at), target.slice(at + 1)];
    const found = await this.#load(resolve(path));
    const named = name === undefined ? found : found.filter(({ workflow }) => workflow.id === name);
    const ids = [...new Set(found.map(({ workflow }) => workflow.id))];
    if (named.length === 0) {
      const nearest = ` ${path} has ${ids.join(', ')}.`;
      throw new EclError('workflow.not-found', { workflow: name, nearest, candidates: ids });
    }
    // The default export is the last one.
    const last = named.at(-1)!;
    return newest(named.filter(({ workflow }) => workflow.id === last.workflow.id))!;
  }

  async #loadBuiltIn(): Promise<FoundWorkflow[]> {
    const namespace = (await import('../../machines/index.ts')) as unknown as ModuleNamespace;
    const found = workflowsOf(namespace);
    return found.map((workflow) => ({ workflow, module: undefined, origin: 'built-in' }));
  }

  async #loadConfigured(): Promise<FoundWorkflow[]> {
    const found: FoundWorkflow[] = [];
    for (const entry of this.#options.machines ?? []) {
      const modules = await this.#try(entry, async () => {
        const { modules: paths, isFolder } = await modulesOfEntry(entry);
        return paths.map((path) => ({ path, isFolder }));
      });
      for (const { path, isFolder } of modules) {
        found.push(...(await this.#try(path, () => this.#load(path, isFolder))));
      }
    }
    return found;
  }

  async #try<Item>(module: string, load: () => Promise<readonly Item[]>): Promise<readonly Item[]> {
    try {
      return await load();
    } catch (error) {
      this.#failures.set(module, toErrorDocument(error));
      return [];
    }
  }

  #load(path: string, mayBeEmpty = false): Promise<FoundWorkflow[]> {
    const known = this.#modules.get(path);
    if (known !== undefined) return known;
    const loading = this.#loadModule(path, mayBeEmpty);
    this.#modules.set(path, loading);
    return loading;
  }

  async #loadModule(path: string, mayBeEmpty: boolean): Promise<FoundWorkflow[]> {
    const workflows = workflowsOf(await importModule(path, shared));
    if (workflows.length === 0 && !mayBeEmpty) throw failed(path, noWorkflow);
    const found: FoundWorkflow[] = [];
    let refusal: unknown;
    const trial = new Registry();
    for (const workflow of workflows) {
      try {
        trial.register(workflow);
        found.push({ workflow, module: this.#recorded(path), origin: path });
      } catch (error) {
        refusal = error;
        const name = `${path}#${workflow.id}`;
        this.#failures.set(name, toErrorDocument(error));
      }
    }
    if (found.length === 0 && refusal !== undefined) throw refusal;
    return found;
  }

  /** The path as a run records it. */
  #recorded(path: string): string {
    const { storeFolder } = this.#options;
    if (storeFolder === undefined) return path;
    const folder = resolve(storeFolder);
    const isBeside = path.startsWith(`${dirname(folder)}${sep}`);
    return isBeside ? relative(folder, path).split(sep).join('/') : path;
  }

  #locate(recorded: string): string {
    return isAbsolute(recorded) ? recorded : resolve(this.#options.storeFolder ?? '.', recorded);
  }
}

/** Whether a target names a file rather than a workflow; no workflow's name has a dot or a slash. */
export const isPath = (target: string): boolean => /[./\\]/.test(target);

const versionParts = (version: string): number[] =>
  version.split(/[.+-]/).map((part) => (/^\d+$/.test(part) ? Number(part) : -1));

const isNewer = (left: string, right: string): boolean => {
  const [a, b] = [versionParts(left), versionParts(right)];
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
};

/** Of the same version the first one. */
const newest = (found: readonly FoundWorkflow[]): FoundWorkflow | undefined => {
  let best: FoundWorkflow | undefined;
  for (const each of found) {
    if (best === undefined || isNewer(each.workflow.version, best.workflow.version)) best = each;
  }
  return best;
};
