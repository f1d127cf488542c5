/**
 * A handle on a run of a server, in the shape of the one in process and of an XState actor ref: `waitFor(run, …)` and
 * `toPromise(run)` of xstate work on it.
 */
import { EclError } from '../../core/errors.ts';
import type { MachineEvent } from '../../core/journal-events.ts';
import type { Event } from '../contract/event.ts';
import { Run } from '../contract/run.ts';
import { v7 } from 'uuid';
import type { Transport } from './transport.ts';
import { toObserver, type Observer } from '../../runtime/observer.ts';

/** The part of a machine's snapshot that a server tells. */
export interface RemoteSnapshot {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly value: unknown;
  readonly tags: ReadonlySet<string>;
  readonly output: unknown;
  readonly error: unknown;
}

export type RemoteObserver = Observer<RemoteSnapshot>;

export interface RemoteResumeOptions {
  readonly accept?: boolean;
  readonly moreRounds?: number;
  readonly output?: unknown;
  readonly reason?: string;
}

/** What a handle needs of its client. */
export interface RunHome {
  readonly transport: Transport;
  /** Aborts when the client is closed. */
  readonly closing: AbortSignal;
  follow(query: { run: string; from: string; signal: AbortSignal }): AsyncIterable<Event>;
  /** Position of an event of a run. */
  positionOf(run: string, revision: number): Promise<string>;
}

const waitSeconds = 30;

const statusOf = (run: Run): RemoteSnapshot['status'] => {
  switch (run.status) {
    case 'completed':
      return 'done';
    case 'failed':
      return 'error';
    case 'cancelled':
      return 'stopped';
    default:
      return 'active';
  }
};

const snapshotOf = (run: Run): RemoteSnapshot => ({
  status: statusOf(run),
  value: run.state,
  tags: new Set(),
  output: run.output,
  error: run.error,
});

const failureOf = (run: Run): EclError | undefined => {
  const reason = run.error?.message ?? run.status;
  const details = { run: run.id, reason, ...(run.error === undefined ? {} : { error: run.error }) };
  switch (run.status) {
    case 'failed':
      return new EclError('run.failed', details);
    case 'cancelled':
      return new EclError('run.cancelled', details);
    case 'quarantined':
      return new EclError('run.quarantined', { ...details, ...run.error?.details });
    case 'blocked':
      return new EclError('run.blocked', details);
    default:
      return undefined;
  }
};

const isOver = (run: Run): boolean => run.endedAt !== undefined;

export class RemoteRun<Output = unknown> {
  readonly id: string;
  readonly #home: RunHome;
  #last: Run;
  #snapshot: RemoteSnapshot;

  constructor(home: RunHome, document: Run) {
    this.id = document.id;
    this.#home = home;
    this.#last = document;
    this.#snapshot = snapshotOf(document);
  }

  /** As XState names it. */
  get sessionId(): string {
    return this.id;
  }

  /**
   * Sends a signal; resolves when it is stored, with the run as it is then.
   *
   * @param options.id makes a second send of the same signal change nothing
   * @throws EclError `signal.impossible`, `signal.not-now`, `run.over`, `run.quarantined`, `input.not-json`
   */
  send(event: MachineEvent, options: { id?: string } = {}): Promise<Run> {
    const headers = { 'idempotency-key': options.id ?? v7() };
    return this.#command('signals', event, { headers, repeatable: true });
  }

  /**
   * The output, once the run is completed.
   *
   * @throws EclError `run.failed`, `run.cancelled`, `run.quarantined`, `run.blocked`
   */
  async result(): Promise<Output> {
    const run = isOver(this.#last) ? this.#last : await this.#reach('end');
    const failure = failureOf(run);
    if (failure !== undefined) throw failure;
    return run.output as Output;
  }

  /** The run, once nothing moves it but a person. */
  async rest(): Promise<Run> {
    return isOver(this.#last) ? this.#last : this.#reach('rest');
  }

  /** The run as it is now. */
  async document(): Promise<Run> {
    return this.#seen(await this.#home.transport.json(this.#path()));
  }

  /** @throws EclError `run.over` */
  cancel(reason?: string): Promise<Run> {
    const body = reason === undefined ? {} : { reason };
    return this.#command('cancel', body, { repeatable: true });
  }

  /**
   * Resumes a paused or quarantined run, or answers for rounds that were exhausted.
   *
   * @throws EclError `run.not-paused`, `run.quarantined`, `signal.not-now`
   */
  resume(options: RemoteResumeOptions = {}): Promise<Run> {
    return this.#command('resume', options, {});
  }

  /** The run as this handle saw it last. */
  getSnapshot(): RemoteSnapshot {
    return this.#snapshot;
  }

  /** Its journal, from the first event on; with `live` it goes on with what comes. */
  events(options: { signal?: AbortSignal } = {}): AsyncIterable<Event> {
    const { closing } = this.#home;
    const signal =
      options.signal === undefined ? closing : AbortSignal.any([closing, options.signal]);
    return this.#home.follow({ run: this.id, from: 'start', signal });
  }

  /** Tells of every stored transition from now on, and of the end; the connection is made again when it is lost. */
  subscribe(
    observer: RemoteObserver | ((snapshot: RemoteSnapshot) => void),
    onError?: (error: unknown) => void,
    onComplete?: () => void,
  ): { unsubscribe: () => void } {
    const { next, error, complete } = toObserver(observer, onError, onComplete);
    return this.#listen({
      event: ({ type, data }) => {
        if (type !== 'StateChanged') return;
        const { to, tags } = data as { to: unknown; tags: readonly string[] };
        this.#snapshot = { ...this.#snapshot, value: to, tags: new Set(tags) };
        next?.(this.#snapshot);
      },
      ended: (run) => {
        const failure = failureOf(run);
        if (failure === undefined) complete?.();
        else error?.(failure);
      },
      failed: (why) => error?.(why),
    });
  }

  /** Calls back for events that the machine emits; `*` stands for all. */
  on(type: string, handler: (event: MachineEvent) => void): { unsubscribe: () => void } {
    return this.#listen({
      event: ({ type: recorded, data }) => {
        if (recorded !== 'EventEmitted') return;
        const { event } = data as { event: MachineEvent };
        if (type === '*' || event.type === type) handler(event);
      },
      ended: () => {},
      failed: () => {},
    });
  }

  #listen(listener: {
    event: (event: Event) => void;
    ended: (run: Run) => void;
    failed: (error: unknown) => void;
  }): { unsubscribe: () => void } {
    const controller = new AbortController();
    const signal = AbortSignal.any([controller.signal, this.#home.closing]);
    const work = async (): Promise<void> => {
      const before = await this.document();
      if (signal.aborted) return;
      if (isOver(before)) {
        listener.ended(before);
        return;
      }
      const from = await this.#home.positionOf(this.id, before.revision);
      for await (const event of this.#home.follow({ run: this.id, from, signal })) {
        if (signal.aborted) return;
        listener.event(event);
        if (!['RunCompleted', 'RunFailed', 'RunCancelled'].includes(event.type)) continue;
        listener.ended(await this.document());
        return;
      }
    };
    work().catch((error: unknown) => {
      if (!signal.aborted) listener.failed(error);
    });
    return { unsubscribe: () => controller.abort() };
  }

  async #reach(goal: 'rest' | 'end'): Promise<Run> {
    const { transport, closing } = this.#home;
    for (;;) {
      const answer = await transport.ask(this.#path(), {
        query: { until: goal, wait: waitSeconds },
        signal: closing,
      });
      const run = this.#seen(await answer.json());
      if (answer.headers.get('ecl-reached') === 'true') return run;
    }
  }

  async #command(
    name: string,
    json: unknown,
    how: { headers?: Record<string, string>; repeatable?: boolean },
  ): Promise<Run> {
    const path = `${this.#path()}/${name}`;
    return this.#seen(await this.#home.transport.json(path, { method: 'POST', json, ...how }));
  }

  #path(): string {
    return `/api/v1/runs/${encodeURIComponent(this.id)}`;
  }

  #seen(document: unknown): Run {
    const run = Run.parse(document);
    this.#last = run;
    this.#snapshot = { ...snapshotOf(run), tags: this.#snapshot.tags };
    return run;
  }
}
