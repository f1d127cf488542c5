/**
 * Imports a module that a user wrote, TypeScript or JavaScript, so that it and ECL share one copy of what both use.
 *
 * 1. `ecl` is always this package, wherever the module lies. Its peers (`xstate`, `zod`) are the module's own where they
 *    resolve from it, else this package's.
 * 2. Node imports what it can, types stripped. What it cannot (an `enum`, an import without its ending, an older Node)
 *    goes through jiti, which writes no cache.
 * 3. What Node warns about on the way (a missing "type" in package.json, young features) is held back.
 */
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EclError, isEclError } from '../../core/errors.ts';

/** A module as it comes back from an import. */
export type ModuleNamespace = Readonly<Record<string, unknown>>;

/** Imports this package's own copies, by name; `ecl` is among them. */
export type SharedModules = Readonly<Record<string, () => Promise<object>>>;

interface ResolveContext {
  readonly parentURL?: string;
}
type NextResolve = (specifier: string, context?: ResolveContext) => { url: string };
type RegisterHooks = (hooks: {
  resolve: (specifier: string, context: ResolveContext, next: NextResolve) => { url: string };
}) => unknown;

const { createRequire } = nodeModule;
/** Node 22.15 and newer. */
const registerHooks = (nodeModule as { registerHooks?: RegisterHooks }).registerHooks;
const stripsTypes = 'typescript' in process.features && process.features.typescript !== false;

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

const loadingMsMax = 30_000;

let isHooked = false;

const hookResolution = (shared: SharedModules): void => {
  if (isHooked || registerHooks === undefined) return;
  isHooked = true;
  const own = { parentURL: import.meta.url };
  registerHooks({
    resolve: (specifier, context, next) => {
      const name = packageOf(specifier);
      if (!Object.hasOwn(shared, name)) return next(specifier, context);
      if (name === 'ecl') return next(specifier, { ...context, ...own });
      try {
        return next(specifier, context);
      } catch {
        return next(specifier, { ...context, ...own });
      }
    },
  });
};

const held = ['MODULE_TYPELESS_PACKAGE_JSON', 'ExperimentalWarning'];

const quietly = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  const emitWarning = process.emitWarning.bind(process);
  const original = Object.getOwnPropertyDescriptor(process, 'emitWarning');
  process.emitWarning = (warning: string | Error, ...rest: never[]) => {
    const [options] = rest as unknown[];
    const { type, code } = (typeof options === 'object' && options !== null ? options : {}) as {
      type?: unknown;
      code?: unknown;
    };
    if ([options, type, code, ...rest].some((each) => held.includes(String(each)))) return;
    emitWarning(warning, ...rest);
  };
  try {
    return await work();
  } finally {
    if (original === undefined) Reflect.deleteProperty(process, 'emitWarning');
    else Object.defineProperty(process, 'emitWarning', original);
  }
};

const importWithNode = async (path: string): Promise<ModuleNamespace> =>
  (await import(pathToFileURL(path).href)) as ModuleNamespace;

/** Whether the module's own copy of a package is another one than ours. */
const hasOwnCopy = (path: string, name: string): boolean => {
  try {
    const theirs = createRequire(path).resolve(name);
    return theirs !== createRequire(import.meta.url).resolve(name);
  } catch {
    return false;
  }
};

const importWithJiti = async (path: string, shared: SharedModules): Promise<ModuleNamespace> => {
  const { createJiti } = await import('jiti');
  const names = Object.keys(shared).filter((name) => name === 'ecl' || !hasOwnCopy(path, name));
  const virtual = await Promise.all(
    names.map(async (name) => [name, await shared[name]!()] as const),
  );
  const jiti = createJiti(path, { fsCache: false, virtualModules: Object.fromEntries(virtual) });
  return jiti.import(path);
};

/** What Node cannot import in TypeScript, and jiti can. */
const forJiti = new Set([
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_MODULE_NOT_FOUND',
  'ERR_UNSUPPORTED_DIR_IMPORT',
]);

const importEither = async (path: string, shared: SharedModules): Promise<ModuleNamespace> => {
  const isTypeScript = /\.[cm]?ts$/.test(extname(path));
  if (registerHooks === undefined || (isTypeScript && !stripsTypes)) {
    return importWithJiti(path, shared);
  }
  hookResolution(shared);
  try {
    return await importWithNode(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (isTypeScript && forJiti.has(code)) return importWithJiti(path, shared);
    throw error;
  }
};

/** A module may wait at its top level for something that never comes. */
const withinTime = async <Result>(path: string, work: () => Promise<Result>): Promise<Result> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const reason = `it did not finish loading in ${loadingMsMax / 1000} s`;
      reject(new EclError('workflow.module-failed', { module: path, reason }));
    }, loadingMsMax);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
};

/** The message of whatever a module threw, with the place of a syntax error. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const [place = ''] = (error.stack ?? '').split('\n');
  const isPlace = error instanceof SyntaxError && /:\d+$/.test(place);
  return isPlace ? `${error.message} (${place.replace(/^file:\/\//, '')})` : error.message;
};

/**
 * @param path absolute
 * @throws EclError `workflow.module-failed`
 */
export const importModule = async (
  path: string,
  shared: SharedModules,
): Promise<ModuleNamespace> => {
  if (!existsSync(path)) {
    throw new EclError('workflow.module-failed', { module: path, reason: 'there is no such file' });
  }
  try {
    return await withinTime(path, () => quietly(() => importEither(path, shared)));
  } catch (error) {
    if (isEclError(error)) throw error;
    const details = { module: path, reason: reasonOf(error) };
    throw new EclError('workflow.module-failed', details, { cause: error });
  }
};
