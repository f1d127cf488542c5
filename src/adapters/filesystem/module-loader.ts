/**
 * Imports a module that a user wrote, TypeScript or JavaScript, so that it and ECL share one copy of what both use.
 *
 * 1. `ecl` is always this package, wherever the module lies. Its peers (`xstate`, `zod`) are the module's own where they
 *    resolve from it to another version, else this package's.
 * 2. Node imports what it can, types stripped. What it cannot (an `enum`, an import without its ending, an older Node)
 *    goes through jiti, which writes no cache.
 * 3. What Node warns about on the way (a missing "type" in package.json, young features) is held back.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
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

/** Version of the installed package that a file belongs to, told by its path. */
const versionAt = (path: string, name: string): string | undefined => {
  const folder = `/node_modules/${name}/`;
  const at = path.replaceAll('\\', '/').lastIndexOf(folder);
  if (at === -1) return undefined;
  const manifest = `${path.slice(0, at + folder.length)}package.json`;
  try {
    const file = manifest.startsWith('file:') ? fileURLToPath(manifest) : manifest;
    return (JSON.parse(readFileSync(file, 'utf8')) as { version?: string }).version;
  } catch {
    return undefined;
  }
};

const isOtherVersion = (theirs: string, name: string): boolean => {
  const ours = createRequire(import.meta.url).resolve(name);
  const version = versionAt(theirs, name);
  return version === undefined || version !== versionAt(ours, name);
};

let isHooked = false;

const hookResolution = (shared: SharedModules): void => {
  if (isHooked || registerHooks === undefined) return;
  isHooked = true;
  const own = { parentURL: import.meta.url };
  registerHooks({
    resolve: (specifier, context, next) => {
      const name = packageOf(specifier);
      if (!Object.hasOwn(shared, name)) return next(specifier, context);
      const ours = (): { url: string } => next(specifier, { ...context, ...own });
      if (name === 'ecl') return ours();
      try {
        const theirs = next(specifier, context);
        return isOtherVersion(theirs.url, name) ? theirs : ours();
      } catch {
        return ours();
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

/** Whether the module has another version of a package than ours. */
const hasOtherVersion = (path: string, name: string): boolean => {
  try {
    return isOtherVersion(createRequire(path).resolve(name), name);
  } catch {
    return false;
  }
};

const importWithJiti = async (path: string, shared: SharedModules): Promise<ModuleNamespace> => {
  const { createJiti } = await import('jiti');
  const names = Object.keys(shared).filter(
    (name) => name === 'ecl' || !hasOtherVersion(path, name),
  );
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
  if (statSync(path).isDirectory()) {
    const reason =
      'it is a folder; name a file in it, or give the folder in `machines:` of ecl.yaml';
    throw new EclError('workflow.module-failed', { module: path, reason });
  }
  try {
    return await withinTime(path, () => quietly(() => importEither(path, shared)));
  } catch (error) {
    if (isEclError(error)) throw error;
    const details = { module: path, reason: reasonOf(error) };
    throw new EclError('workflow.module-failed', details, { cause: error });
  }
};
