/** ECL as a library sees it: start runs, find them, follow what happens, close. */
import { randomKey, runKey } from './run-key.ts';
import { EclError } from '../core/errors.ts';
import {
  checkKey,
  checkName,
  defaultTenant,
  formatRunId,
  journalPrefix,
  journalStream,
  parseRunId,
} from '../core/ids.ts';
import type { z } from 'zod';
import { assertJson } from '../core/json-value.ts';
import { describeIssues } from '../core/step-checks.ts';
import type { Workflow, WorkflowLike } from '../authoring/workflow.ts';
import type { StoreDescription } from '../ports/event-store.ts';
import type { IdGenerator } from '../ports/id-generator.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { OwnProjection, Queryable, ReadModels } from '../ports/read-models.ts';
import type { RunListQuery, RunPage } from '../ports/run-directory.ts';
import type {
  GatePage,
  GateQuery,
  StoredArtifact,
  TimelinePage,
  TimelineQuery,
  UsageQuery,
  UsageReport,
} from '../ports/status-queries.ts';
import { ActorSystem } from './actor-system.ts';
import { inputHashOf } from './family.ts';
import { gaugesOf } from './gauges.ts';
import { SharedRuns } from './ownership/shared-runs.ts';
import {
  readEventPage,
  readEvents,
  type EventPage,
  type EventPageQuery,
  type EventQuery,
  type PublicEvent,
} from './event-feed.ts';
import { blockedReason, type RegisteredWorkflow, type Registry } from './registry.ts';
import { showing, type Fresh } from './read-own-writes.ts';
import { RunHandle } from './run-handle.ts';
import { runDocument, type RunDocument } from './run-document.ts';
import type { Services } from './services.ts';
import { startedState } from './started-document.ts';
import type { InputFiles } from './input-files.ts';
import { verify, type Verification, type VerifyOptions } from './verify.ts';

export interface SpawnOptions<Input = unknown> {
  readonly input?: Input;
  /** @default the first 32 hex of a sha-256 over workflow and input: the same command is the same run */
  readonly key?: string;
  /** A key that nobody used before, in place of the one made of the input. */
  readonly fresh?: boolean;
  readonly tenant?: string;
  /** Makes the key where none is given. */
  readonly idempotencyKey?: string;
  /**
   * Whether a path in the place of a `file()` is read from this machine. An input from somewhere else holds references
   * to artifacts instead. @default true
   */
  readonly readFiles?: boolean;
}

export interface Parts {
  readonly services: Omit<Services, 'neighbours'>;
  readonly ids: IdGenerator;
  readonly readModels: ReadModels;
  readonly metrics?: Metrics | undefined;
  readonly inputFiles: InputFiles;
  readonly close: () => Promise<void>;
}

export class Ecl {
  readonly system: ActorSystem;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.system = new ActorSystem(parts.services);
    parts.metrics?.watch(gaugesOf(this.system, parts.readModels));
  }

  get registry(): Registry {
    return this.#parts.services.registry;
  }

  get ids(): IdGenerator {
    return this.#parts.ids;
  }

  /** Figures for Prometheus, where they were asked for: `await ecl.metrics.text()`. */
  get metrics(): Pick<Metrics, 'text' | 'contentType'> | undefined {
    return this.#parts.metrics;
  }

  get readModels(): ReadModels {
    return this.#parts.readModels;
  }

  /** Takes up what all runs owe; called once, after the workflows are registered. */
  async recover(): Promise<void> {
    const { readModels } = this.#parts;
    await readModels.caughtUp({ of: 'run-summaries' satisfies OwnProjection });
    await this.system.recover(readModels.directory.owing());
  }

  /**
   * Takes part with the other processes of a shared store: hears of them, and owns a share of the runs. Called once.
   *
   * @param takesUpAll whether it goes on with whatever its share of the runs owes, or with what it is asked about
   * @throws EclError `store.unavailable`
   */
  async takePart(takesUpAll: boolean): Promise<void> {
    const { services, readModels } = this.#parts;
    const { ownership, clock, logger } = services;
    if (ownership === undefined) return;
    const holds = (run: string): boolean => ownership.holds(run);
    const { system } = this;
    await ownership.join(new SharedRuns({ system, readModels, clock, logger, holds, takesUpAll }));
  }

  /**
   * Starts a run, or finds the one that has the same key and input. When it resolves, the start is durable.
   *
   * @throws EclError `input.invalid`, `run.key-conflict`, `workflow.not-found`, `workflow.refused`
   */
  async spawn<Input, Output>(
    target: Workflow<Input, Output> | WorkflowLike | string,
    options: SpawnOptions<NoInfer<Input>> = {},
  ): Promise<RunHandle<Output>> {
    return (await this.start(target, options)).run;
  }

  /** As `spawn`, and says whether this call made the run. */
  async start<Input, Output>(
    target: Workflow<Input, Output> | WorkflowLike | string,
    options: SpawnOptions<NoInfer<Input>> = {},
  ): Promise<{ run: RunHandle<Output>; created: boolean }> {
    const registered =
      typeof target === 'string' ? this.registry.get(target) : this.registry.register(target);
    const { workflow, durable, module } = registered;
    const input = await this.#parseInput(registered, options);
    const tenant = checkName('The tenant', options.tenant ?? defaultTenant);
    const key = this.#keyOf(registered, input, options);
    const id = formatRunId({ tenant, workflow: workflow.id, key });
    const { actor, created } = await this.system.startOrFind(id, {
      workflow: workflow.id,
      version: durable.version,
      structure: durable.structure,
      tenant,
      ...(input === undefined ? {} : { input }),
      inputHash: inputHashOf(workflow.id, input),
      depth: 0,
      ...(module === undefined ? {} : { module }),
    });
    return { run: new RunHandle<Output>(this.system, actor), created };
  }

  /** @throws EclError `run.not-found`, `id.invalid` */
  async get(id: string): Promise<RunHandle> {
    parseRunId(id);
    const actor = await this.system.get(id);
    if (actor !== undefined) return new RunHandle(this.system, actor);
    throw this.notFound(id);
  }

  /**
   * The run as it was when it had just started, whatever happened since: the same answer for ever. Where the workflow
   * that it started with is not here any more, the run as it is now.
   *
   * @throws EclError `run.not-found`, `id.invalid`
   */
  async startedDocument(id: string): Promise<RunDocument> {
    parseRunId(id);
    const { services } = this.system;
    const state = await startedState(services, id).catch(() => undefined);
    if (state === undefined) return (await this.get(id)).document();
    return runDocument(services, { id, state, unready: undefined });
  }

  /**
   * Revision of the run's last event; it costs a look-up, where `get` replays.
   *
   * @throws EclError `run.not-found`, `id.invalid`
   */
  async revisionOf(id: string): Promise<number> {
    const last = await this.#parts.services.store.lastRevision(journalStream(id));
    if (last === undefined) throw this.notFound(id);
    return last;
  }

  /** Position of the run's last event: a query `after` it shows what the run has done. */
  async positionOf(id: string): Promise<string> {
    const options = { direction: 'backwards', limit: 1 } as const;
    const { store } = this.#parts.services;
    for await (const { position } of store.readStream(journalStream(id), options)) {
      return String(position);
    }
    throw this.notFound(id);
  }

  /**
   * Runs from the read model, newest first; what cannot go on with the registered workflows shows as blocked, but is
   * counted as it is stored.
   *
   * @throws EclError `usage.invalid`, `read-model.behind`
   */
  async list({ after, waitMs, ...query }: RunListQuery & Fresh = {}): Promise<RunPage> {
    await this.#showing('run-summaries', { after, waitMs });
    // Which runs are blocked depends on this process, so the read model cannot know it.
    const { status, ...others } = query;
    const stored = status === 'blocked' ? others : query;
    for (let cursor = query.cursor; ;) {
      const page = this.readModels.directory.list(
        cursor === undefined ? stored : { ...stored, cursor },
      );
      const items = page.items
        .map((summary) => this.#withBlocked(summary))
        .filter((summary) => status === undefined || summary.status === status);
      cursor = page.nextCursor;
      if (items.length > 0 || cursor === undefined) return { ...page, items };
    }
  }

  /**
   * What happened in a run, in order: steps, attempts, model calls, verdicts, signals, timers and waits.
   *
   * @throws EclError `run.not-found`, `id.invalid`, `usage.invalid`, `read-model.behind`
   */
  async timeline(id: string, query: TimelineQuery & Fresh = {}): Promise<TimelinePage> {
    const { after, waitMs, ...page } = query;
    await this.revisionOf(id);
    await this.#showing('run-timeline', { after, waitMs });
    return this.readModels.status.timeline(id, page);
  }

  /**
   * What models cost: totals of all, of a run with its children, or by run, step, model, workflow, tenant and day.
   *
   * @throws EclError `usage.invalid`, `read-model.behind`
   */
  async usage({ after, waitMs, ...query }: UsageQuery & Fresh = {}): Promise<UsageReport> {
    await this.#showing('model-usage', { after, waitMs });
    return this.readModels.status.usage(query);
  }

  /**
   * Runs that nothing moves but an event from outside; who waits longest comes first.
   *
   * @throws EclError `usage.invalid`, `read-model.behind`
   */
  async gates({ after, waitMs, ...query }: GateQuery & Fresh = {}): Promise<GatePage> {
    await this.#showing('run-summaries', { after, waitMs });
    return this.readModels.status.gates(query);
  }

  /**
   * Artifacts that the steps of a run stored, in order.
   *
   * @throws EclError `run.not-found`, `id.invalid`, `read-model.behind`
   */
  async artifacts(id: string, fresh: Fresh = {}): Promise<readonly StoredArtifact[]> {
    await this.revisionOf(id);
    await this.#showing('artifacts', fresh);
    return this.readModels.status.artifacts(id);
  }

  /**
   * The queries of a projection, once its rows are as new as is asked for.
   *
   * @throws EclError `usage.invalid` when it is not kept, `read-model.behind`
   * @example
   * const ecl = await createEcl({ projections: [signalCounts], workflows: [flow] });
   * const counts = await ecl.query(signalCounts);
   * counts.of('offer.42');
   */
  async query<Queries>(projection: Queryable<Queries>, fresh: Fresh = {}): Promise<Queries> {
    const queries = this.readModels.queries(projection);
    await this.#showing(projection.definition.name, fresh);
    return queries;
  }

  /** What is recorded, in order; with `live` it goes on with what comes. */
  events(query: EventQuery = {}): AsyncIterable<PublicEvent> {
    return readEvents(this.#parts.services, { ...query, ...streamsOf(query) });
  }

  /** @throws EclError `usage.invalid` for an unknown type, position or cursor */
  eventPage(query: EventPageQuery): Promise<EventPage> {
    return readEventPage(this.#parts.services, { ...query, ...streamsOf(query) });
  }

  /** The store, with the durability that was read back from it. */
  describeStore(): Promise<StoreDescription> {
    return this.#parts.services.store.describe();
  }

  /**
   * Replays journals and checks their hash chains, without writing.
   *
   * @throws EclError `run.not-found`, `id.invalid`, `usage.invalid`
   */
  async verify(target?: string, options: Omit<VerifyOptions, 'run'> = {}): Promise<Verification> {
    const { services } = this.system;
    if (target === undefined) return verify(services, options);
    await this.revisionOf(target);
    return verify(services, { ...options, run: target });
  }

  notFound(id: string): EclError {
    const nearest = this.readModels.directory.nearest(id);
    return new EclError('run.not-found', {
      run: id,
      nearest: nearest.length === 0 ? '' : ` Did you mean ${nearest.join(' or ')}?`,
      candidates: nearest,
    });
  }

  /** Lets steps in flight end within the grace, aborts the others, frees the store. */
  async close(options: { graceMs?: number } = {}): Promise<void> {
    const left = this.#parts.services.ownership?.leave();
    await this.system.stop(options.graceMs);
    await left;
    this.#parts.metrics?.close();
    await this.#parts.close();
  }

  #showing(projection: OwnProjection | (string & {}), fresh: Fresh): Promise<void> {
    const { store, clock } = this.#parts.services;
    return showing({ store, clock, readModels: this.readModels }, projection, fresh);
  }

  #withBlocked<Summary extends RunPage['items'][number]>(summary: Summary): Summary {
    const live = ['running', 'waiting', 'paused'].includes(summary.status);
    if (!live || blockedReason(this.registry, summary) === undefined) return summary;
    const known = this.registry.list().some(({ workflow }) => workflow.id === summary.workflow);
    return known ? { ...summary, status: 'blocked' } : summary;
  }

  #keyOf(
    { workflow }: RegisteredWorkflow,
    input: unknown,
    { key, fresh, idempotencyKey }: Omit<SpawnOptions, 'input'>,
  ): string {
    if (key !== undefined) return checkKey(key);
    if (fresh === true) return randomKey(this.#parts.ids);
    return runKey(workflow.id, idempotencyKey === undefined ? { input } : { idempotencyKey });
  }

  /** @throws EclError `input.invalid`, `input.not-json`, `input.file-missing` */
  async #parseInput(
    { workflow }: RegisteredWorkflow,
    { input: given, readFiles = true }: SpawnOptions,
  ): Promise<unknown> {
    const schema = workflow.input;
    const withFiles = readFiles ? await this.#parts.inputFiles.resolve(schema, given) : given;
    const parsed = schema === undefined ? withFiles : await parseInput(schema, withFiles);
    assertJson(parsed, 'the input');
    return parsed === undefined ? undefined : JSON.parse(JSON.stringify(parsed));
  }
}

/** What the journals are called that a query is about. */
const streamsOf = ({ run, workflow, tenant }: EventQuery): { prefix: string; stream?: string } => ({
  prefix:
    workflow === undefined
      ? journalPrefix(tenant)
      : journalPrefix(tenant ?? defaultTenant, workflow),
  ...(run === undefined ? {} : { stream: journalStream(run) }),
});

const parseInput = async (schema: z.ZodType, value: unknown): Promise<unknown> => {
  const parsed = await schema.safeParseAsync(value ?? {});
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => ({
    path: path.join('.'),
    message,
  }));
  throw new EclError('input.invalid', {
    what: 'the workflow',
    issues: describeIssues(parsed.error.issues),
    list: issues,
  });
};
