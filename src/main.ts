/**
 * The composition root: from options to adapters to the actor system. Nothing else knows which adapter is used.
 *
 * Adapters are imported when they are needed, so that a command that needs none starts fast.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { WorkflowLike } from './authoring/workflow.ts';
import { environment, isKurrentDb, shownStore } from './config.ts';
import type { Budget } from './core/budget.ts';
import { EclError } from './core/errors.ts';
import { limits, type Limits } from './core/limits.ts';
import type { PriceOverrides } from './core/prices.ts';
import { createLogger } from './composition/logging.ts';
import type { ArtifactStore } from './ports/artifact-store.ts';
import type { Clock } from './ports/clock.ts';
import type { EventStore } from './ports/event-store.ts';
import type { Model } from './ports/model.ts';
import type { ReadStore } from './ports/read-store.ts';
import { Ecl } from './runtime/ecl.ts';
import type { Ownership, OwnershipParts } from './runtime/ownership/ownership.ts';
import { DailyBudget, type DailyBudgets } from './runtime/daily-budget.ts';
import { InputFiles } from './runtime/input-files.ts';
import type { Projection } from './runtime/projection.ts';
import { PacedModel, type ModelPace } from './runtime/paced-model.ts';
import { Registry } from './runtime/registry.ts';
import type { FindWorkflow } from './runtime/services.ts';

export interface EclOptions {
  /**
   * `sqlite:<folder>`, `kurrentdb://host:2113?tls=false`, `memory:`, which keeps nothing, or stores of your own.
   * @default 'sqlite:.ecl'
   */
  readonly store?: string | Stores;
  /**
   * Where artifacts and read models are kept when the events are in a KurrentDB. Processes on one server need the same
   * artifacts: on several machines, a folder that they share. @default '.ecl'
   */
  readonly dataFolder?: string;
  /**
   * `anthropic:<model>`, `openai-compatible:<url>#<model>`, `rules`, `scripted:<file>`, or a model of your own.
   * @default Claude when ANTHROPIC_API_KEY is set, else `rules`
   */
  readonly model?: string | Model;
  readonly workflows?: readonly WorkflowLike[];
  /** Read models of your own, kept up to date beside ECL's: see `defineProjection`. */
  readonly projections?: readonly Projection<unknown>[];
  /** What a run may spend when its workflow does not say. @default unlimited */
  readonly budget?: Budget;
  /** What all runs together, and those of each tenant, may spend within a day (UTC). @default unlimited */
  readonly dailyBudget?: DailyBudgets;
  /** How fast models may be called. @default no limit; one that does not answer is left alone for a while in any case */
  readonly modelPace?: ModelPace;
  /** List prices to use in place of the built-in ones. */
  readonly prices?: PriceOverrides;
  /**
   * Each decision is a line of the level `info`. A logger of your own gets what ECL says as it is: what steps log is not
   * redacted. @default warnings and errors on stderr, redacted
   */
  readonly logger?: Logger;
  /** Keeps figures for Prometheus, which `ecl.metrics` gives. @default false */
  readonly metrics?: boolean;
  /** `read` takes no lock, writes nothing and works beside a writer. @default 'write' */
  readonly access?: 'write' | 'read';
  /** Whether runs that other processes left go on at once. @default true */
  readonly recover?: boolean;
  /** Stores decisions, but leaves what they owe (steps, timers, children) to another process. @default false */
  readonly leaveWork?: boolean;
  /** Registers the workflow that a run was started with, when it is not registered yet. */
  readonly findWorkflow?: FindWorkflow;
  readonly limits?: Partial<Limits>;
  /** Time, for tests that move it. */
  readonly clock?: Clock;
  readonly anthropic?: { readonly apiKey?: string; readonly baseUrl?: string };
}

/** Where events, artifacts and read models are kept. Closing ECL closes them. */
export interface Stores {
  readonly events: EventStore;
  readonly artifacts: ArtifactStore;
  readonly reads: ReadStore;
}

const openSqliteStores = async (folder: string, access: 'write' | 'read'): Promise<Stores> => {
  const { openSqliteEventStore } = await import('./adapters/sqlite/event-store.ts');
  const events = await openSqliteEventStore({ folder, access });
  return { events, ...(await openFolders({ artifacts: folder, reads: folder }, access)) };
};

const openKurrentDbStores = async (
  connectionString: string,
  access: 'write' | 'read',
  dataFolder: string,
): Promise<Stores> => {
  const { openKurrentDbEventStore } = await import('./adapters/kurrentdb/event-store.ts');
  const { parseConnectionString } = await import('./adapters/kurrentdb/connection-string.ts');
  const { nodes } = parseConnectionString(connectionString);
  const events = await openKurrentDbEventStore({ connectionString, access });
  // Positions are those of one server: what was folded of another one is of no use.
  const reads = join(dataFolder, 'kurrentdb', nodes.replaceAll(/[^a-z0-9.-]+/g, '_'));
  return { events, ...(await openFolders({ artifacts: dataFolder, reads }, access)) };
};

const openFolders = async (
  folders: { readonly artifacts: string; readonly reads: string },
  access: 'write' | 'read',
): Promise<Omit<Stores, 'events'>> => {
  const { openSqliteReadStore } = await import('./adapters/sqlite/read-store.ts');
  const { createFilesystemArtifactStore } = await import('./adapters/filesystem/artifact-store.ts');
  const artifacts = createFilesystemArtifactStore({ folder: join(folders.artifacts, 'artifacts') });
  // A reader brings the rows up to date as well, but makes no files where there is no store yet.
  if (access === 'read' && !existsSync(join(folders.reads, 'read-models.db'))) {
    const { createMemoryReadStore } = await import('./adapters/memory/read-store.ts');
    return { artifacts, reads: createMemoryReadStore() };
  }
  return { artifacts, reads: await openSqliteReadStore({ folder: folders.reads }) };
};

/** @throws EclError `config.invalid`, `store.locked`, `store.unavailable` and what else keeps one from being opened */
export const openStores = async (
  spec: string | Stores,
  access: 'write' | 'read',
  dataFolder: string,
): Promise<Stores> => {
  if (typeof spec === 'object') return spec;
  if (spec === 'memory:' || spec === 'memory') {
    const { createMemoryEventStore } = await import('./adapters/memory/event-store.ts');
    const { createMemoryArtifactStore } = await import('./adapters/memory/artifact-store.ts');
    const { createMemoryReadStore } = await import('./adapters/memory/read-store.ts');
    return {
      events: createMemoryEventStore(),
      artifacts: createMemoryArtifactStore(),
      reads: createMemoryReadStore(),
    };
  }
  if (/^sqlite:./s.test(spec)) return openSqliteStores(spec.slice('sqlite:'.length), access);
  if (isKurrentDb(spec)) return openKurrentDbStores(spec, access, dataFolder);
  throw new EclError('config.invalid', {
    issues: `store: "${shownStore(spec)}" is neither sqlite:<folder>, kurrentdb://<host> nor memory:`,
  });
};

/**
 * The durability that a writer gets from the engine on this machine, tried on a store of its own that is removed again.
 *
 * @throws EclError `store.not-durable`, `store.unavailable`
 */
export const tryDurability = async (): Promise<string> => {
  const { mkdtemp, rm } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const { openSqliteEventStore } = await import('./adapters/sqlite/event-store.ts');
  const folder = await mkdtemp(join(tmpdir(), 'ecl-doctor-'));
  try {
    const store = await openSqliteEventStore({ folder, access: 'write' });
    const { durability } = await store.describe();
    await store.close();
    return durability;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const anthropicModelDefault = 'claude-sonnet-5-5';

/** The model that is used when none is named: Claude with a key, else the offline rules. */
export const defaultModel = (apiKey: string | undefined): string =>
  apiKey === undefined ? 'rules' : `anthropic:${anthropicModelDefault}`;

const createModel = async (
  spec: string,
  anthropic: { apiKey: string | undefined; baseUrl: string | undefined },
): Promise<Model> => {
  const [kind, rest] = splitSpec(spec);
  switch (kind) {
    case 'rules': {
      const { createRulesModel } = await import('./adapters/rules/model.ts');
      return createRulesModel();
    }
    case 'scripted': {
      const { createScriptedModel } = await import('./adapters/scripted/model.ts');
      const { readScript } = await import('./adapters/scripted/script.ts');
      // What cannot be read is refused here, before a run is started that would fail for it.
      await readScript(rest);
      return createScriptedModel(rest);
    }
    case 'anthropic': {
      const { createAnthropicModel } = await import('./adapters/anthropic/model.ts');
      const { apiKey, baseUrl } = anthropic;
      if (apiKey === undefined) {
        throw new EclError('model.none', {
          hint: 'set ANTHROPIC_API_KEY, or use the model "rules"',
        });
      }
      return createAnthropicModel({
        model: rest,
        apiKey,
        ...(baseUrl === undefined ? {} : { baseUrl }),
      });
    }
    case 'openai-compatible': {
      const { createOpenAiCompatibleModel } = await import('./adapters/openai-compatible/model.ts');
      const hash = rest.lastIndexOf('#');
      if (hash === -1) {
        throw new EclError('model.unknown-kind', {
          model: spec,
          hint: 'write openai-compatible:<url>#<model>',
        });
      }
      const { openAiApiKey } = environment();
      return createOpenAiCompatibleModel({
        url: rest.slice(0, hash),
        model: rest.slice(hash + 1),
        ...(openAiApiKey === undefined ? {} : { apiKey: openAiApiKey }),
      });
    }
    default:
      throw new EclError('model.unknown-kind', {
        model: spec,
        hint: 'use anthropic:<model>, openai-compatible:<url>#<model>, rules or scripted:<file>',
      });
  }
};

const splitSpec = (spec: string): [string, string] => {
  const at = spec.indexOf(':');
  return at === -1 ? [spec, ''] : [spec.slice(0, at), spec.slice(at + 1)];
};

const resolveModel = async (options: EclOptions): Promise<Model> => {
  if (typeof options.model === 'object') return options.model;
  const { anthropicApiKey, anthropicBaseUrl } = environment();
  const apiKey = options.anthropic?.apiKey ?? anthropicApiKey;
  const baseUrl = options.anthropic?.baseUrl ?? anthropicBaseUrl;
  return createModel(options.model ?? defaultModel(apiKey), { apiKey, baseUrl });
};

/** What answers in this process needs no pace. */
const paced = (model: Model, parts: ConstructorParameters<typeof PacedModel>[1]): Model =>
  model.isLanguageModel ? new PacedModel(model, parts) : model;

/** The part that this process takes where others use the same store; none for one that only reads. */
const createOwnership = async (
  parts: Omit<OwnershipParts, 'role' | 'place'>,
  { access, leaveWork, recover }: EclOptions,
): Promise<Ownership | undefined> => {
  if (access === 'read') return undefined;
  const { hostname } = await import('node:os');
  const { Ownership } = await import('./runtime/ownership/ownership.ts');
  const role = leaveWork === true ? 'observer' : recover === false ? 'guest' : 'worker';
  return new Ownership({ ...parts, role, place: `${hostname()}/${process.pid}` });
};

/**
 * Opens ECL: takes the store, registers workflows, takes up what other processes left.
 *
 * @throws EclError `store.locked` when another process writes there, `store.not-durable`, `workflow.refused`,
 * `model.unknown-kind`, `config.invalid`; for a script of a model `input.file-missing`, `input.invalid`
 * @example
 * const ecl = await createEcl({ store: 'sqlite:.ecl', model: 'rules', workflows: [flow] });
 * const run = await ecl.spawn(flow, { key: 'sea-1', input: { topic: 'the sea' } });
 * const { text } = await run.result();
 * await ecl.close();
 */
export const createEcl = async (options: EclOptions = {}): Promise<Ecl> => {
  const access = options.access ?? 'write';
  const registry = new Registry();
  for (const each of options.workflows ?? []) registry.register(each);
  const logger = options.logger ?? createLogger({ level: 'warn' });
  // A reader executes nothing: it must not fail for want of a key.
  const unpaced = access === 'read' ? undefined : await resolveModel(options);
  const { createSystemClock } = await import('./adapters/system/clock.ts');
  const { createSystemIdGenerator } = await import('./adapters/system/id-generator.ts');
  const { readInputFile } = await import('./adapters/filesystem/input-file.ts');
  const stores = await openStores(
    options.store ?? 'sqlite:.ecl',
    access,
    options.dataFolder ?? '.ecl',
  );
  const ids = createSystemIdGenerator();
  const clock = options.clock ?? createSystemClock();
  const model = unpaced && paced(unpaced, { clock, logger, pace: options.modelPace ?? {} });
  const { openTelemetry } = await import('./composition/telemetry.ts');
  const { telemetry, metrics } = await openTelemetry({ clock, metrics: options.metrics ?? false });
  const { openReadModels } = await import('./composition/read-models.ts');
  const readModels = await openReadModels(stores, {
    clock,
    logger,
    access,
    projections: options.projections,
  });
  const shared = {
    store: stores.events,
    clock,
    logger,
    limits: { ...limits, ...options.limits },
    writer: ids.uuid(),
  };
  const ownership = stores.events.features.shared
    ? await createOwnership({ ...shared, ids }, options)
    : undefined;
  const ecl = new Ecl({
    services: {
      ...shared,
      artifacts: stores.artifacts,
      registry,
      model,
      prices: options.prices ?? {},
      budget: options.budget,
      dailyBudget:
        options.dailyBudget && new DailyBudget({ budgets: options.dailyBudget, readModels, clock }),
      readOnly: access === 'read',
      leavesWork: options.leaveWork ?? false,
      findWorkflow: options.findWorkflow,
      ownership,
      telemetry,
    },
    ids,
    readModels,
    metrics,
    inputFiles: new InputFiles(stores.artifacts, readInputFile),
    close: async () => {
      await readModels.close();
      stores.reads.close();
      await stores.events.close();
      await telemetry?.flush?.();
    },
  });
  if (ownership !== undefined) await ecl.takePart(options.recover !== false);
  else if (access === 'write' && options.recover !== false) await ecl.recover();
  return ecl;
};
