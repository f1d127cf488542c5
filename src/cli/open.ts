/**
 * Opens what a command works with: the configuration, the workflows, the store. Imported by commands when they run, since
 * all of ECL comes with it.
 *
 * 1. A command that only reads takes no lock, creates no file and needs no model.
 * 2. A command that writes drives the run it is about, and no other: what others left is theirs to go on with. Only
 *    `serve` takes up everything.
 */
import type { Logger } from 'pino';
import {
  defaultStore,
  environment,
  loadConfiguration,
  type LoadedConfiguration,
} from '../config.ts';
import { EclError } from '../core/errors.ts';
import { createLogger as createEclLogger } from '../composition/logging.ts';
import { createEcl, defaultModel } from '../main.ts';
import type { Ecl } from '../runtime/ecl.ts';
import type { Projection } from '../runtime/projection.ts';
import { WorkflowLibrary } from '../composition/workflow-library.ts';
import type { Context } from './context.ts';
import { sayReading } from './reading.ts';
import { oneLine } from './sanitize.ts';
import type { Terminal } from './terminal.ts';

export interface Library {
  readonly library: WorkflowLibrary;
  readonly configuration: LoadedConfiguration;
  /** As configured, or the one that is used when none is: `rules`, `anthropic:…`. */
  readonly model: string;
}

export interface Opened extends Library {
  readonly ecl: Ecl;
}

const storeFolderOf = (store: string): string | undefined =>
  store.startsWith('sqlite:') ? store.slice('sqlite:'.length) : undefined;

const levels: Readonly<Record<number, string>> = {
  20: 'debug',
  30: 'info',
  40: 'warning',
  50: 'error',
};

/** Log lines as people read them; with `--json` and an explicit level, as they are. */
export const createLogger = (terminal: Terminal, level: string | undefined): Logger => {
  if (terminal.json) return createEclLogger({ level: level ?? 'silent' });
  const write = (line: string): void => {
    const {
      level: number,
      msg,
      run,
      revision,
      err,
    } = JSON.parse(line) as {
      level: number;
      msg?: string;
      run?: string;
      revision?: number;
      err?: { message?: string };
    };
    const about = run === undefined ? '' : ` ${run}:`;
    const at = revision === undefined ? '' : ` at revision ${revision}`;
    const why = err?.message === undefined ? '' : ` (${oneLine(err.message)})`;
    terminal.progress(`${levels[number] ?? 'log'}:${about} ${msg ?? ''}${at}${why}`);
  };
  return createEclLogger({ level: level ?? 'warn', destination: { write } });
};

/** The configuration and the workflows, without a store. */
export const openLibrary = async ({ terminal, flags }: Context): Promise<Library> => {
  const configuration = await loadConfiguration(flags);
  for (const warning of configuration.warnings) terminal.warn(warning);
  const { store = defaultStore, machines = [] } = configuration.values;
  return {
    configuration,
    model: configuration.values.model ?? defaultModel(environment().anthropicApiKey),
    library: new WorkflowLibrary({ machines, storeFolder: storeFolderOf(store) }),
  };
};

export interface OpenOptions {
  readonly access: 'read' | 'write';
  /** Stores what is decided, but executes nothing. */
  readonly leaveWork?: boolean;
  /** Takes up what all runs owe, not only the one that the command is about. */
  readonly recover?: boolean;
  /** Keeps figures for Prometheus. */
  readonly metrics?: boolean;
}

const configuredProjections = async (
  { terminal }: Context,
  entries: readonly string[] | undefined,
): Promise<readonly Projection<unknown>[]> => {
  if (entries === undefined) return [];
  const { loadProjections } = await import('../composition/projection-library.ts');
  const { projections, failures } = await loadProjections(entries);
  for (const { error } of failures) terminal.warn(oneLine(error.message));
  return projections;
};

const open = async (context: Context, options: OpenOptions): Promise<Opened> => {
  if (context.flags.server !== undefined) {
    const reason =
      'This command works on the store itself: leave --server out, and run it where the store is';
    throw new EclError('usage.invalid', { reason });
  }
  const opened = await openLibrary(context);
  const { library, model } = opened;
  const { values } = opened.configuration;
  const projections = await configuredProjections(context, values.projections);
  const ecl = await createEcl({
    store: values.store ?? defaultStore,
    ...(values.dataFolder === undefined ? {} : { dataFolder: values.dataFolder }),
    model,
    access: options.access,
    recover: options.recover ?? false,
    leaveWork: options.leaveWork ?? false,
    metrics: options.metrics ?? false,
    logger: createLogger(context.terminal, values.logLevel),
    findWorkflow: (started, registry) => library.registerFor(started, registry),
    ...(values.dataFolder === undefined ? {} : { dataFolder: values.dataFolder }),
    projections,
    ...(values.budget === undefined ? {} : { budget: values.budget }),
    ...(values.dailyBudget === undefined ? {} : { dailyBudget: values.dailyBudget }),
    ...(values.modelPace === undefined ? {} : { modelPace: values.modelPace }),
    ...(values.prices === undefined ? {} : { prices: values.prices }),
    ...(values.anthropic === undefined ? {} : { anthropic: values.anthropic }),
  });
  return { ...opened, ecl };
};

export const warnOfFailures = (terminal: Terminal, library: WorkflowLibrary): void => {
  for (const { error } of library.failures) terminal.warn(oneLine(error.message));
};

/** Opens ECL, works, and closes it whatever happens. */
export const withEcl = async (
  context: Context,
  options: OpenOptions,
  work: (opened: Opened) => Promise<number>,
): Promise<number> => {
  const opened = await open(context, options);
  const endSaying = sayReading(context.terminal, opened.ecl.readModels);
  try {
    return await work(opened);
  } finally {
    endSaying();
    warnOfFailures(context.terminal, opened.library);
    await opened.ecl.close();
  }
};
