/** A server's runs, as `createEcl` gives those of this process. */
import { v7 } from 'uuid';
import type { Workflow, WorkflowLike } from '../../authoring/workflow.ts';
import type { RunListQuery } from '../../ports/run-directory.ts';
import type { TimelinePage } from '../../ports/status-queries.ts';
import type { EventQuery } from '../../runtime/event-feed.ts';
import { Event } from '../contract/event.ts';
import { pageOf } from '../contract/page.ts';
import { Run, RunPage } from '../contract/run.ts';
import { ArtifactReference, Step } from '../contract/status.ts';
import { followEvents, type StreamItem } from './event-source.ts';
import { RemoteRun, type RunHome } from './remote-run.ts';
import { Transport, type TransportOptions } from './transport.ts';

export interface RemoteSpawnOptions<Input = unknown> {
  readonly input?: Input;
  /** @default made of workflow and input: the same command is the same run */
  readonly key?: string;
  /** A key that nobody used before, in place of the one made of the input. */
  readonly fresh?: boolean;
  /** @default the tenant of the token */
  readonly tenant?: string;
  /** Makes the key where none is given. */
  readonly idempotencyKey?: string;
}

export interface RemoteListQuery extends RunListQuery {
  /** The answer shows all that is stored up to this position. */
  readonly after?: string;
}

export interface RemoteTimelineQuery {
  readonly limit?: number;
  readonly cursor?: string;
  /** The answer shows all that is stored up to this position. */
  readonly after?: string;
}

/** What is followed live goes on over lost connections. */
export type RemoteEventQuery = EventQuery;

const EventPage = pageOf(Event, 'EventPageOfClient');
const eventsOfPage = 500;

const StepPage = pageOf(Step, 'StepPageOfClient');

const workflowIdOf = (target: WorkflowLike | string): string =>
  typeof target === 'string' ? target : target.id;

const runPath = (id: string): string => `/api/v1/runs/${encodeURIComponent(id)}`;

const eventPath = (run: string | undefined): string =>
  run === undefined ? '/api/v1/events' : `${runPath(run)}/events`;

export class EclClient {
  readonly #transport: Transport;
  readonly #closing = new AbortController();
  readonly #home: RunHome;

  constructor(options: TransportOptions) {
    this.#transport = new Transport(options);
    this.#home = {
      transport: this.#transport,
      closing: this.#closing.signal,
      follow: (query) => this.events({ ...query, live: true }),
      positionOf: (run, revision) => this.#positionOf(run, revision),
    };
  }

  /**
   * Starts a run, or finds the one that has the same key and input. When it resolves, the start is durable.
   *
   * @throws EclError `input.invalid`, `run.key-conflict`, `workflow.not-found`, `access.forbidden`
   */
  async spawn<Input, Output>(
    target: Workflow<Input, Output> | WorkflowLike | string,
    options: RemoteSpawnOptions<NoInfer<Input>> = {},
  ): Promise<RemoteRun<Output>> {
    const { input, tenant, idempotencyKey } = options;
    const key = options.key ?? (options.fresh === true ? v7().replaceAll('-', '') : undefined);
    const started = await this.#transport.json('/api/v1/runs', {
      method: 'POST',
      json: { workflow: workflowIdOf(target), input, key, tenant },
      headers: idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey },
      repeatable: true,
    });
    return new RemoteRun<Output>(this.#home, Run.parse(started));
  }

  /** @throws EclError `run.not-found`, `id.invalid` */
  async get(id: string): Promise<RemoteRun> {
    return new RemoteRun(this.#home, Run.parse(await this.#transport.json(runPath(id))));
  }

  /** Revision of the run's last event. @throws EclError `run.not-found`, `id.invalid` */
  async revisionOf(id: string): Promise<number> {
    return Run.parse(await this.#transport.json(runPath(id))).revision;
  }

  /** Runs, newest first. */
  async list(query: RemoteListQuery = {}): Promise<RunPage> {
    return RunPage.parse(await this.#transport.json('/api/v1/runs', { query: { ...query } }));
  }

  /** What happened in a run, in the order in which it began. @throws EclError `run.not-found`, `id.invalid` */
  async timeline(id: string, query: RemoteTimelineQuery = {}): Promise<TimelinePage> {
    const page = await this.#transport.json(`${runPath(id)}/steps`, {
      query: { ...query, kinds: 'all' },
    });
    return StepPage.parse(page) as TimelinePage;
  }

  /** What is recorded, in order; with `live` it goes on with what comes. */
  events(query: RemoteEventQuery = {}): AsyncIterable<Event> {
    return query.live === true ? this.#follow(query) : this.#pages(query);
  }

  /**
   * What is recorded as it comes, and what models give meanwhile: text that is worth nothing any more once its attempt has
   * failed, or another execution of it has begun.
   */
  stream(query: Omit<RemoteEventQuery, 'live'> = {}): AsyncIterable<StreamItem> {
    return this.#items(query, { modelText: true });
  }

  /** Brings a file for the input of a run: what it resolves to stands there where the schema says file(). */
  async upload(
    content: Uint8Array,
    options: { name?: string; mediaType?: string; tenant?: string } = {},
  ): Promise<ArtifactReference> {
    const { name, mediaType = 'application/octet-stream', tenant } = options;
    const reference = await this.#transport.json('/api/v1/artifacts', {
      method: 'POST',
      bytes: content,
      query: { name, tenant },
      headers: { 'content-type': mediaType },
      repeatable: true,
    });
    return ArtifactReference.parse(reference);
  }

  /** The content of an artifact. @throws EclError `artifact.not-found` */
  async artifact(sha256: string): Promise<Uint8Array> {
    const answer = await this.#transport.ask(`/api/v1/artifacts/${sha256}`);
    return new Uint8Array(await answer.arrayBuffer());
  }

  /** Whether the server lives and its store answers. */
  async isReady(): Promise<boolean> {
    try {
      await this.#transport.ask('/health/ready', { repeatable: false });
      return true;
    } catch {
      return false;
    }
  }

  /** Ends what is being followed and waited for. */
  close(): Promise<void> {
    this.#closing.abort();
    return Promise.resolve();
  }

  async *#pages({ run, from, types, ...query }: RemoteEventQuery): AsyncGenerator<Event> {
    const { workflow, tenant, signal } = query;
    for (let cursor: string | undefined; ;) {
      const page = EventPage.parse(
        await this.#transport.json(eventPath(run), {
          query: {
            from: from === undefined ? undefined : String(from),
            types: types?.join(','),
            workflow,
            tenant,
            limit: eventsOfPage,
            cursor,
          },
          signal,
        }),
      );
      yield* page.items;
      cursor = page.nextCursor;
      if (cursor === undefined) return;
    }
  }

  async *#follow(query: RemoteEventQuery): AsyncGenerator<Event> {
    const items = this.#items(query, { modelText: false });
    for await (const item of items) if (item.kind === 'event') yield item.event;
  }

  async *#items(
    { run, from = 'start', types, workflow, tenant, signal }: RemoteEventQuery,
    { modelText }: { modelText: boolean },
  ): AsyncGenerator<StreamItem> {
    const controller = new AbortController();
    const endings = [controller.signal, this.#closing.signal, ...(signal ? [signal] : [])];
    try {
      yield* followEvents(this.#transport, {
        path: eventPath(run),
        query: { types: types?.join(','), workflow, tenant, modelText },
        from: String(from),
        signal: AbortSignal.any(endings),
      });
    } finally {
      controller.abort();
    }
  }

  async #positionOf(run: string, revision: number): Promise<string> {
    const cursor = revision === 0 ? undefined : `revision-${revision - 1}`;
    const query = { limit: 1, cursor };
    const page = EventPage.parse(await this.#transport.json(eventPath(run), { query }));
    return page.items[0]?.position ?? 'start';
  }
}

/**
 * A client of a server (`ecl serve`).
 *
 * @example
 * const ecl = createEclClient({ url: 'http://127.0.0.1:4680', token: process.env.ECL_TOKEN });
 * const run = await ecl.spawn('critique-revise', { input: { topic: 'the sea' } });
 * console.log(await run.result());
 */
export const createEclClient = (options: TransportOptions): EclClient => new EclClient(options);
