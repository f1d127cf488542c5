/**
 * A handle on a run, in the shape of an XState actor ref: `waitFor(run, …)` and `toPromise(run)` of xstate work on it.
 *
 * 1. It holds no state but the last snapshot it saw; a run that leaves memory and comes back is the same run to it.
 * 2. Every promise it gives resolves after the append that made it true.
 */
import type { AnyMachineSnapshot } from 'xstate';
import { EclError } from '../core/errors.ts';
import { rootRunId } from '../core/ids.ts';
import type { JournalEvent, MachineEvent } from '../core/journal-events.ts';
import type { RunState } from '../core/run-state.ts';
import { restsWithChildren } from '../core/run-status.ts';
import type { ActorSystem } from './actor-system.ts';
import type { Command, RunActor, SubmitOptions } from './run-actor.ts';
import { cancelCommand, onlyAt, resumeCommand, signalCommand } from './run-commands.ts';
import { runDocument, type RunDocument } from './run-document.ts';
import { toObserver, type Observer } from './observer.ts';

export type RunObserver = Observer<AnyMachineSnapshot>;

export interface ResumeOptions {
  /** Takes the last draft as it is. */
  readonly accept?: boolean;
  /** Allows this many further rounds. */
  readonly moreRounds?: number;
  /** Takes this in place of the last draft. */
  readonly output?: unknown;
  readonly reason?: string;
}

/** Why a run that is over, or cannot go on, has no result. */
const failureOf = (run: RunDocument): EclError | undefined => {
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

export class RunHandle<Output = unknown> {
  readonly id: string;
  readonly #system: ActorSystem;
  #snapshot: AnyMachineSnapshot | undefined;
  /** How the run ended, once this handle saw it: it will not change any more. */
  #ended: RunDocument | undefined;

  /** The revision at which commands of this handle are meant to be decided, and at no other. */
  readonly #expected: number | undefined;

  constructor(system: ActorSystem, actor: Pick<RunActor, 'id' | 'state'>, expected?: number) {
    this.id = actor.id;
    this.#system = system;
    this.#snapshot = actor.state?.snapshot;
    this.#expected = expected;
  }

  /** The same run, for commands that hold only while it is at this revision; else they are `run.moved-on`. */
  at(revision: number): RunHandle<Output> {
    return new RunHandle(this.#system, { id: this.id, state: undefined }, revision);
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
  async send(event: MachineEvent, options: { id?: string } = {}): Promise<RunDocument> {
    const id = options.id ?? `${this.#system.services.writer}/${(signalCount += 1)}`;
    return this.#submit(signalCommand(id, event), { afterDue: true });
  }

  /**
   * The output, once the run is completed.
   *
   * @throws EclError `run.failed`, `run.cancelled`, `run.quarantined`, `run.blocked`
   */
  async result(): Promise<Output> {
    const run = await this.#when((state) => state.ending !== undefined || isStuck(state));
    const failure = failureOf(run);
    if (failure !== undefined) throw failure;
    return run.output as Output;
  }

  /**
   * The run, once nothing moves it but a person: it is over, waits, is paused, blocked or quarantined, or the children
   * it waits for are.
   */
  async rest(): Promise<RunDocument> {
    if (this.#ended !== undefined) return this.#ended;
    const { hub, services } = this.#system;
    const actor = await this.#actor();
    const stateOf = (run: string): RunState | undefined => this.#system.stateOf(run);
    const rests = (): boolean => {
      const state = stateOf(this.id) ?? actor.state;
      return state === undefined || restsWithChildren(state, stateOf);
    };
    if (rests()) return runDocument(services, actor);
    return new Promise((resolve, reject) => {
      const stop = hub.listenToFamily(rootRunId(this.id), {
        decided: () => {
          if (!rests()) return;
          stop();
          resolve(this.document());
        },
        unready: ({ id }) => {
          if (id !== this.id) return;
          stop();
          resolve(this.document());
        },
        closed: () => reject(new EclError('store.closed', { store: 'ECL' })),
      });
      if (services.ownership?.owns(this.id) === false) this.#loadChildren(actor).catch(reject);
    });
  }

  /** Children that another process owns are in memory only where somebody asks for them; loading tells who listens. */
  async #loadChildren({ state }: RunActor): Promise<void> {
    const children = [...(state?.children.keys() ?? [])];
    const actors = await Promise.all(children.map((child) => this.#system.get(child)));
    for (const actor of actors) if (actor !== undefined) await this.#loadChildren(actor);
  }

  /** The run as it is now. */
  async document(): Promise<RunDocument> {
    return runDocument(this.#system.services, await this.#actor());
  }

  /** @throws EclError `run.over` */
  async cancel(reason = 'cancelled by request'): Promise<RunDocument> {
    return this.#submit(cancelCommand(reason));
  }

  /**
   * Resumes a paused or quarantined run, or answers for rounds that were exhausted.
   *
   * @throws EclError `run.not-paused`, `run.quarantined`, `signal.not-now`
   */
  async resume(options: ResumeOptions = {}): Promise<RunDocument> {
    if (options.accept === true) return this.send({ type: 'rounds.accepted' });
    if (options.moreRounds !== undefined) {
      return this.send({ type: 'rounds.extended', rounds: options.moreRounds });
    }
    if ('output' in options) return this.send({ type: 'rounds.replaced', output: options.output });
    const { clock } = this.#system.services;
    return this.#submit(resumeCommand(() => clock.now(), options.reason));
  }

  /** The machine's snapshot that was stored last; of a run that left memory, the last one that was seen here. */
  getSnapshot(): AnyMachineSnapshot {
    this.#snapshot = this.#system.held(this.id)?.state?.snapshot ?? this.#snapshot;
    return this.#snapshot as AnyMachineSnapshot;
  }

  /** Tells of every stored transition from now on, and of the end. */
  subscribe(
    observer: RunObserver | ((snapshot: AnyMachineSnapshot) => void),
    onError?: (error: unknown) => void,
    onComplete?: () => void,
  ): { unsubscribe: () => void } {
    const { next, error, complete } = toObserver(observer, onError, onComplete);
    const stop = this.#listen((state, events) => {
      if (events.some(({ type }) => type === 'StateChanged')) next?.(state.snapshot);
      if (state.ending === undefined) return;
      stop();
      if (state.ending === 'completed') complete?.();
      else error?.(failureOf(this.#documentOf(state)));
    });
    return { unsubscribe: stop };
  }

  /** Calls back for events that the machine emits; `*` stands for all. */
  on(type: string, handler: (event: MachineEvent) => void): { unsubscribe: () => void } {
    const stop = this.#listen((_, events) => {
      for (const event of events) {
        if (event.type !== 'EventEmitted') continue;
        const emitted = event.data.event;
        if (type === '*' || emitted.type === type) handler(emitted);
      }
    });
    return { unsubscribe: stop };
  }

  async #submit(
    command: Command,
    options: Pick<SubmitOptions, 'afterDue'> = {},
  ): Promise<RunDocument> {
    const actor = await this.#actor();
    const checked = this.#expected === undefined ? command : onlyAt(this.#expected, command);
    const trace = this.#system.services.telemetry?.caller?.();
    return this.#documentOf(await actor.submit(checked, { ...options, trace }));
  }

  async #actor(): Promise<RunActor> {
    const actor = await this.#system.get(this.id);
    if (actor === undefined) throw new EclError('run.not-found', { run: this.id });
    if (actor.state !== undefined) this.#snapshot = actor.state.snapshot;
    return actor;
  }

  #documentOf(state: RunState): RunDocument {
    return runDocument(this.#system.services, { id: this.id, state } as RunActor);
  }

  /** Listens and keeps the snapshot current; a run that is over already is told so, once. */
  #listen(decided: (state: RunState, events: readonly JournalEvent[]) => void): () => void {
    let isOver = false;
    const tell = (state: RunState, events: readonly JournalEvent[]): void => {
      if (isOver) return;
      isOver = state.ending !== undefined;
      this.#snapshot = state.snapshot;
      decided(state, events);
    };
    const stop = this.#system.hub.listen(this.id, {
      decided: tell,
      unready: () => {},
      closed: () => {},
    });
    // The machine of a run that was cancelled is not done, so the snapshot does not say that the run is over.
    this.#actor().then(
      ({ state }) => {
        if (state?.ending !== undefined) tell(state, []);
      },
      () => {},
    );
    return () => {
      isOver = true;
      stop();
    };
  }

  async #when(reached: (state: RunState) => boolean): Promise<RunDocument> {
    if (this.#ended !== undefined) return this.#ended;
    const actor = await this.#actor();
    const { services } = this.#system;
    if (actor.state === undefined || reached(actor.state)) return runDocument(services, actor);
    return new Promise((resolve, reject) => {
      const stop = this.#system.hub.listen(this.id, {
        decided: (state) => {
          this.#snapshot = state.snapshot;
          if (!reached(state)) return;
          stop();
          const document = this.#documentOf(state);
          if (state.ending !== undefined) this.#ended = document;
          resolve(document);
        },
        unready: (lost) => {
          stop();
          resolve(runDocument(services, lost));
        },
        closed: () => reject(new EclError('store.closed', { store: 'ECL' })),
      });
    });
  }
}

const isStuck = (state: RunState): boolean => state.quarantine !== undefined;

let signalCount = 0;
