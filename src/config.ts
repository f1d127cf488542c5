/**
 * Configuration: defaults < `ecl.yaml` < environment < flags, read by one strict schema. The only reader of the
 * environment.
 *
 * 1. An unknown key of the file is an error that says where it stands. An unknown `ECL_*` variable is a warning, since
 *    the environment is shared with other programs.
 * 2. Each value knows where it came from. Secrets are read here and never shown.
 * 3. A relative path in the file is meant from the file's folder; one in a variable or a flag from the current folder.
 */
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { readConfigFile, type ConfigFile } from './adapters/filesystem/config-file.ts';
import { EclError } from './core/errors.ts';
import { nearestNames } from './core/nearest.ts';

const Limit = z.number().positive();
const Count = z.number().int().positive();
const Rate = z.number().nonnegative();
const TokenPrice = z.strictObject({ input: Rate, output: Rate, cacheRead: Rate, cacheWrite: Rate });
const Spending = z.strictObject({
  tokens: Count.exactOptional(),
  usd: Limit.exactOptional(),
  calls: Count.exactOptional(),
});

export const Configuration = z.strictObject({
  /** `sqlite:<folder>`, a connection string `kurrentdb://…`, or `memory:`. */
  store: z
    .string()
    .min(1)
    .refine((store) => store !== 'sqlite:', '"sqlite:" names no folder; write sqlite:.ecl')
    .exactOptional(),
  /** Where artifacts and read models are kept when the events are in a KurrentDB. */
  dataFolder: z.string().min(1).exactOptional(),
  model: z.string().min(1).exactOptional(),
  /** Modules, and folders of modules, that hold workflows. */
  machines: z.array(z.string().min(1)).exactOptional(),
  /** Modules, and folders of modules, that hold projections. */
  projections: z.array(z.string().min(1)).exactOptional(),
  budget: Spending.extend({ wallTimeMs: Count.exactOptional() }).exactOptional(),
  dailyBudget: z
    .strictObject({ all: Spending.exactOptional(), tenant: Spending.exactOptional() })
    .exactOptional(),
  modelPace: z.strictObject({ callsPerMinute: Limit.exactOptional() }).exactOptional(),
  prices: z
    .record(
      z.string(),
      TokenPrice.extend({ longPrompt: TokenPrice.extend({ overTokens: Count }).exactOptional() }),
    )
    .exactOptional(),
  anthropic: z.strictObject({ baseUrl: z.url().exactOptional() }).exactOptional(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).exactOptional(),
});
export type Configuration = z.infer<typeof Configuration>;

/** Where one value came from. */
export interface Provenance {
  readonly key: string;
  /** As it may be shown: `(set)` for a secret. */
  readonly value: unknown;
  /** `default`, `ecl.yaml:3:1`, `ECL_STORE` or `--store`. */
  readonly source: string;
}

export interface LoadedConfiguration {
  readonly values: Configuration;
  readonly provenance: readonly Provenance[];
  /** What a person should know, for instance a variable with a typing error. */
  readonly warnings: readonly string[];
}

export interface ConfigurationFlags {
  readonly store?: string | undefined;
  readonly model?: string | undefined;
  readonly logLevel?: string | undefined;
  /** Another file than `ecl.yaml`; it must be there. */
  readonly config?: string | undefined;
}

export const defaultStore = 'sqlite:.ecl';

/** Whether a store is a KurrentDB, by its connection string. */
export const isKurrentDb = (store: string): boolean =>
  /^(kurrentdb|kurrent|kdb|esdb)(\+discover)?:\/\//i.test(store);

/** A store without user and password. */
export const shownStore = (store: string): string => store.replaceAll(/:\/\/.*@/gs, '://***@');

export const configFileName = 'ecl.yaml';

/** Which variable sets which key. */
const variables = {
  ECL_STORE: { key: 'store', read: 'text' },
  ECL_DATA_FOLDER: { key: 'dataFolder', read: 'text' },
  ECL_MODEL: { key: 'model', read: 'text' },
  ECL_MACHINES: { key: 'machines', read: 'list' },
  ECL_PROJECTIONS: { key: 'projections', read: 'list' },
  ECL_LOG_LEVEL: { key: 'logLevel', read: 'text' },
  ECL_ANTHROPIC_BASE_URL: { key: 'anthropic.baseUrl', read: 'text' },
  ECL_BUDGET_TOKENS: { key: 'budget.tokens', read: 'number' },
  ECL_BUDGET_USD: { key: 'budget.usd', read: 'number' },
  ECL_BUDGET_CALLS: { key: 'budget.calls', read: 'number' },
  ECL_BUDGET_WALL_TIME_MS: { key: 'budget.wallTimeMs', read: 'number' },
  ECL_MODEL_CALLS_PER_MINUTE: { key: 'modelPace.callsPerMinute', read: 'number' },
} as const satisfies Record<string, { key: string; read: 'text' | 'list' | 'number' }>;

const secretVariables = ['ANTHROPIC_API_KEY', 'ECL_OPENAI_API_KEY'] as const;
/** Read elsewhere by this name, or a switch of this module. */
const otherVariables = ['ECL_CONFIG', 'ECL_OPENAI_API_KEY', 'ECL_SERVER', 'ECL_TOKEN'];

/** All variables that are read, secrets included. */
export const knownVariables: readonly string[] = [
  ...new Set([...Object.keys(variables), ...otherVariables, ...secretVariables]),
];

const given = (name: string): string | undefined => {
  const value = process.env[name];
  return value === undefined || value === '' ? undefined : value;
};

export interface Environment {
  readonly anthropicApiKey: string | undefined;
  readonly anthropicBaseUrl: string | undefined;
  readonly openAiApiKey: string | undefined;
  /** Address of a server that commands go to. */
  readonly server: string | undefined;
  /** The token for it. */
  readonly token: string | undefined;
  /** Whether a person asked for plain text (no-color.org). */
  readonly noColor: boolean;
  /** Whether npx started this process, so that commands can be repeated as they were typed. */
  readonly isNpx: boolean;
}

export const environment = (): Environment => ({
  anthropicApiKey: given('ANTHROPIC_API_KEY'),
  anthropicBaseUrl: given('ECL_ANTHROPIC_BASE_URL'),
  openAiApiKey: given('ECL_OPENAI_API_KEY'),
  server: given('ECL_SERVER'),
  token: given('ECL_TOKEN'),
  noColor: given('NO_COLOR') !== undefined || process.env['TERM'] === 'dumb',
  isNpx: given('npm_command') === 'exec',
});

/** One value by its dotted key, before it is checked. */
interface Setting {
  readonly key: string;
  readonly value: unknown;
  readonly source: string;
}

const invalid = (list: readonly { path: string; message: string }[]): EclError =>
  new EclError('config.invalid', {
    issues: list.map(({ path, message }) => `${path}: ${message}`).join('; '),
    list,
  });

const didYouMean = (name: string, names: readonly string[]): string => {
  const [nearest] = nearestNames(name, names);
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`;
};

const keysOf = (keys: readonly PropertyKey[]): string[] => {
  let schema: z.ZodType = Configuration;
  for (const key of keys) {
    const inner = unwrap(schema);
    if (!(inner instanceof z.ZodObject)) return [];
    schema = (inner.shape as Record<string, z.ZodType>)[String(key)] ?? z.never();
  }
  const object = unwrap(schema);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
};

const unwrap = (schema: z.ZodType): z.ZodType => {
  const inner = (schema as { def?: { innerType?: z.ZodType } }).def?.innerType;
  return inner === undefined ? schema : unwrap(inner);
};

/** Issues of a file or of a variable, each with its place in front. */
const issuesOf = (
  error: z.ZodError,
  locate: (keys: readonly PropertyKey[]) => string,
): { path: string; message: string }[] =>
  error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') {
      const name = issue.path.join('.');
      const message = name === '' ? issue.message : `${name}: ${issue.message}`;
      return [{ path: locate(issue.path), message }];
    }
    return issue.keys.map((key) => ({
      path: locate([...issue.path, key]),
      message: `unknown key "${key}"${didYouMean(key, keysOf(issue.path))}`,
    }));
  });

/** A store or a module that the file names, as it is found from the current folder. */
const fromFileFolder = (values: Configuration, folder: string): Configuration => {
  const { store, dataFolder, machines, projections } = values;
  const locate = (path: string): string => (isAbsolute(path) ? path : join(folder, path));
  return {
    ...values,
    ...(store?.startsWith('sqlite:') === true
      ? { store: `sqlite:${locate(store.slice('sqlite:'.length))}` }
      : {}),
    ...(dataFolder === undefined ? {} : { dataFolder: locate(dataFolder) }),
    ...(machines === undefined ? {} : { machines: machines.map(locate) }),
    ...(projections === undefined ? {} : { projections: projections.map(locate) }),
  };
};

const fromFile = (file: ConfigFile | undefined): Setting[] => {
  if (file === undefined || file.value === null) return [];
  const parsed = Configuration.safeParse(file.value);
  if (!parsed.success) throw invalid(issuesOf(parsed.error, (keys) => file.locate(keys)));
  return settingsOf(fromFileFolder(parsed.data, dirname(file.path)), (key) => file.locate(key));
};

/** Objects with fixed keys are merged key by key; everything else as a whole. */
const merged = ['budget', 'modelPace', 'anthropic'];

const settingsOf = (
  values: Configuration,
  sourceOf: (keys: readonly string[]) => string,
): Setting[] =>
  Object.entries(values).flatMap(([name, value]): Setting[] =>
    merged.includes(name)
      ? Object.entries(value as object).map(([part, inner]) => ({
          key: `${name}.${part}`,
          value: inner as unknown,
          source: sourceOf([name, part]),
        }))
      : [{ key: name, value, source: sourceOf([name]) }],
  );

const nested = (settings: readonly Setting[]): Record<string, unknown> => {
  const values: Record<string, unknown> = {};
  for (const { key, value } of settings) {
    const [name, part] = key.split('.') as [string, string | undefined];
    if (part === undefined) values[name] = value;
    else values[name] = { ...(values[name] as object | undefined), [part]: value };
  }
  return values;
};

/** Checks settings whose names stand for their places: variables and flags. */
const checked = (settings: readonly Setting[]): readonly Setting[] => {
  const parsed = Configuration.safeParse(nested(settings));
  if (parsed.success) return settings;
  const sourceOf = (keys: readonly PropertyKey[]): string =>
    settings.find(({ key }) => key === keys.slice(0, 2).join('.') || key === keys[0])?.source ?? '';
  throw invalid(issuesOf(parsed.error, sourceOf));
};

const readVariable = (text: string, read: 'text' | 'list' | 'number'): unknown => {
  if (read === 'list') return text.split(',').map((part) => part.trim());
  return read === 'number' && Number.isFinite(Number(text)) ? Number(text) : text;
};

const fromEnvironment = (): Setting[] =>
  Object.entries(variables).flatMap(([name, { key, read }]) => {
    const text = given(name);
    return text === undefined ? [] : [{ key, value: readVariable(text, read), source: name }];
  });

const fromFlags = ({ store, model, logLevel }: ConfigurationFlags): Setting[] => [
  ...(store === undefined ? [] : [{ key: 'store', value: store, source: '--store' }]),
  ...(model === undefined ? [] : [{ key: 'model', value: model, source: '--model' }]),
  ...(logLevel === undefined ? [] : [{ key: 'logLevel', value: logLevel, source: '--log-level' }]),
];

/** Variables that look like ours and are not. */
const unknownVariables = (): string[] => {
  return Object.keys(process.env)
    .filter((name) => name.startsWith('ECL_') && !knownVariables.includes(name))
    .map((name) => `the variable ${name} is not known${didYouMean(name, knownVariables)}`);
};

const secrets = (): Provenance[] =>
  secretVariables.map((name) => ({
    key: name,
    value: given(name) === undefined ? '(not set)' : '(set)',
    source: given(name) === undefined ? 'default' : 'environment',
  }));

/** A connection string may hold a password. */
const shown = (setting: Setting): Provenance =>
  setting.key === 'store' && typeof setting.value === 'string'
    ? { ...setting, value: shownStore(setting.value) }
    : setting;

const defaults: readonly Setting[] = [
  { key: 'store', value: defaultStore, source: 'default' },
  { key: 'machines', value: [], source: 'default' },
];

/**
 * Reads the configuration of this process.
 *
 * @throws EclError `config.invalid`, `input.file-missing`
 */
export const loadConfiguration = async (
  flags: ConfigurationFlags = {},
): Promise<LoadedConfiguration> => {
  const named = flags.config ?? given('ECL_CONFIG');
  const path = named ?? configFileName;
  const file = await readConfigFile(path);
  if (file === undefined && named !== undefined) {
    const source = flags.config === undefined ? 'ECL_CONFIG' : '--config';
    const reason = `there is no such file; name another one with ${source}, or leave it out`;
    throw new EclError('input.file-missing', { path: resolve(path), reason });
  }
  const settings = new Map<string, Setting>();
  const layers = [
    defaults,
    fromFile(file),
    checked(fromEnvironment()),
    checked(fromFlags(flags)),
  ].flat();
  for (const setting of layers) settings.set(setting.key, setting);
  return {
    values: Configuration.parse(nested([...settings.values()])),
    provenance: [...Array.from(settings.values(), shown), ...secrets()],
    warnings: unknownVariables(),
  };
};
