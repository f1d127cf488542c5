/**
 * The actor of one run: it takes facts one at a time, decides, appends, and only then acts.
 *
 * 1. Nothing is applied, acknowledged or executed before its append is acknowledged.
 * 2. An append that lost against another writer discards the state and loads the journal again.
 * 3. Where several processes share a store, the append of an owner is refused once its lease is lost: the actor is
 *    dropped then, and what it was doing ends without a trace. A command of a person goes on elsewhere.
 * 4. A fact that could not be stored because the store is away is kept and tried again: a paid answer is never dropped.
 */
import { causationOf } from '../core/causation.ts';
import { decide, decideStart, quarantined, type Decision } from '../core/decide.ts';
import { firstDue } from '../core/effects.ts';
import { CheckFailed, EclError, isEclError, WrongExpectedRevision } from '../core/errors.ts';
import type { Fact, JournalData } from '../core/journal-events.ts';
import { newRun, type RunState } from '../core/run-state.ts';
import type { TraceContext } from '../ports/telemetry.ts';
import { Abandoned } from './cancellation.ts';
import { reportDecision } from './decision-report.ts';
import { Mailbox } from './mailbox.ts';
import { loadSnapshot, saveSnapshot } from './phases/load-snapshot.ts';
import { Persistence } from './persistence.ts';
import { recordQuarantine } from './phases/record-quarantine.ts';
import { replayJournal, type Replayed } from './phases/replay-journal.ts';
import { Running } from './phases/running.ts';
import { RunTrace } from './run-trace.ts';
import type { Services } from './services.ts';
import { storeDecision } from './store-decision.ts';

/**
 * Makes a fact of a command, in view of the state at which it will be decided.
 * @returns undefined when there is nothing to do; throws to reject
 */
export type Command = (state: RunState) => Fact | undefined;

export interface SubmitOptions {
  /** Id of the event in another journal that caused the command. */
  readonly causation?: string;
  /** Whether a store that is away, or a full mailbox, rejects the command (a person can repeat it) or delays it (a paid answer). */
  readonly whenAway?: 'reject' | 'wait';
  /** It reports what an effect came to, which is the business of the run's owner alone. @default false */
  readonly asOwner?: boolean;
  /** The journal has this revision: a state that is older is read again first. */
  readonly atLeast?: number;
  /** It counts after the timers that are due by now, also where nothing ran when they came due. @default false */
  readonly afterDue?: boolean;
  /** Where in a trace the command is given. */
  readonly trace?: TraceContext | undefined;
}

export interface StartOptions {
  readonly started: JournalData<'RunStarted'>;
  /** Another one at each call: the same start at the same instant is the same event to the store. */
  readonly now: number;
  readonly causation?: string;
  readonly trace?: TraceContext | undefined;
}

interface Item {
  readonly command: Command;
  readonly options: SubmitOptions;
  readonly resolve: (state: RunState) => void;
  readonly reject: (error: unknown) => void;
}

/** Why an actor has no state to go on from. */
export type Unready = Exclude<Replayed, { kind: 'ready' } | { kind: 'missing' }>;

const isUnsealable = (error: unknown): boolean =>
  isEclError(error, 'event.invalid') || isEclError(error, 'input.too-large');

const lostToAnother = (): Abandoned => new Abandoned('another process owns the run');

export class RunActor {
  readonly id: string;
  readonly #services: Services;
  readonly #mailbox: Mailbox<Item>;
  readonly #running: Running;
  #state: RunState | undefined;
  #unready: Unready | undefined;
  #snapshotRevision = -1;
  readonly #persistence: Persistence;
  readonly #trace: RunTrace;
  #retired = false;
  /** Another process owns the run: this actor records no outcome of an effect any more. */
  #lost = false;

  private constructor(services: Services, id: string) {
    this.id = id;
    this.#services = services;
    this.#mailbox = new Mailbox((item) => this.#process(item), services.limits.mailboxDepthMax);
    this.#running = new Running(services, this);
    this.#persistence = new Persistence(services, id);
    this.#trace = new RunTrace(services, id);
  }

  /**
   * Starts a run, durably, unless its journal is there already.
   *
   * @returns undefined when it is
   * @throws EclError `workflow.start-failed`, `input.not-json`
   */
  static async start(
    services: Services,
    id: string,
    options: StartOptions,
  ): Promise<RunActor | undefined> {
    const actor = new RunActor(services, id);
    const { now, trace } = options;
    const machine = services.registry.machineOf(id, options.started);
    const at = new Date(now).toISOString();
    const state = newRun(id, options.started, { machine, at });
    const decision = decideStart(state, { type: 'RunStarted', data: options.started }, now);
    const checks = services.ownership?.appendOptions(id);
    const { causation = '' } = options;
    const persistence = actor.#persistence;
    const how = { at, causation, checks, trace, persistence, whenAway: 'reject' } as const;
    actor.#trace.begin(trace);
    try {
      await storeDecision(services, { state, decision }, how);
    } catch (error) {
      if (error instanceof WrongExpectedRevision) return undefined;
      if (!(error instanceof CheckFailed)) throw error;
      // Whoever owns the partition now goes on with the run; starting it is everybody's right.
      services.ownership?.refused(id);
      return RunActor.start(services, id, options);
    }
    actor.#state = state;
    actor.#afterStored(state, decision);
    return actor;
  }

  /** Loads a run, or undefined when it has no journal. */
  static async load(services: Services, id: string): Promise<RunActor | undefined> {
    const actor = new RunActor(services, id);
    return (await actor.#load()) ? actor : undefined;
  }

  /** The state, or undefined when the run is blocked or does not replay. */
  get state(): RunState | undefined {
    return this.#unready === undefined ? this.#state : undefined;
  }

  get unready(): Unready | undefined {
    return this.#unready;
  }

  /** Whether it can be dropped from memory without losing anything but time. */
  get isIdle(): boolean {
    return this.#mailbox.isIdle && this.#running.isIdle;
  }

  /** The trace that the run began in, where telemetry keeps traces. */
  trace(): Promise<TraceContext | undefined> {
    return this.#trace.get();
  }

  /** Commands that wait in its mailbox. */
  get waiting(): number {
    return this.#mailbox.depth;
  }

  /** Takes up what is owed; called once after a load. */
  recover(): void {
    this.#running.recover();
  }

  /**
   * Puts a command into the mailbox; of an actor that has left memory, into that of the one which stands for the run now.
   *
   * @returns the state after its decision is stored
   */
  submit(command: Command, options: SubmitOptions = {}): Promise<RunState> {
    if (this.#lost && options.asOwner === true) return Promise.reject(lostToAnother());
    if (this.#retired) return this.#services.neighbours.submit(this.id, command, options);
    return new Promise((resolve, reject) => {
      const item = { command, options, resolve, reject };
      if (options.whenAway === 'wait') this.#mailbox.putOwed(item);
      else this.#mailbox.put(item, this.id);
    });
  }

  /**
   * Reads what others have appended, where the journal is known to have more than this actor has seen.
   *
   * @param revision up to which it has; Infinity to look in any case
   */
  async refresh(revision: number): Promise<void> {
    if (this.#retired || revision <= this.#revision) return;
    await this.submit(() => undefined, { atLeast: revision }).catch((error: unknown) => {
      // One that is blocked or does not replay has been looked at again, which is all that was asked for.
      if (!isEclError(error, 'run.blocked') && !isEclError(error, 'run.quarantined')) throw error;
    });
  }

  /** Executions under way. */
  get stepsUnderWay(): number {
    return this.#running.stepsUnderWay;
  }

  /** Resolves when the executions that are under way now have ended. */
  stepsDone(): Promise<void> {
    return this.#running.stepsDone();
  }

  /** Another process owns the run now: what is under way here ends without a trace. */
  lose(): void {
    this.#lost = true;
    this.#retired = true;
    this.#persistence.end('unless in doubt');
    this.#running.lose();
  }

  /** Fourth phase: no new work; what runs is aborted unless it ends within the grace. */
  async stop(graceMs: number): Promise<void> {
    await this.#running.drain(graceMs);
    this.#persistence.end('all');
    await this.#running.abandon();
  }

  /** Leaves memory. Whoever still holds this actor can go on submitting to it. */
  release(): void {
    this.#retired = true;
    this.#running.retire();
    const { state } = this;
    if (state !== undefined && state.ending === undefined) this.#considerSnapshot(state);
  }

  get #isLost(): boolean {
    return this.#lost || this.#services.ownership?.holds(this.id) === false;
  }

  get #revision(): number {
    return this.state?.revision ?? -1;
  }

  async #load(): Promise<boolean> {
    let replayed = await this.#replay();
    const { findWorkflow, registry } = this.#services;
    if (replayed.kind === 'blocked' && findWorkflow !== undefined) {
      await findWorkflow(replayed.started, registry);
      replayed = await this.#replay();
    }
    if (replayed.kind === 'missing') return false;
    if (replayed.kind === 'ready') {
      this.#state = replayed.state;
      this.#unready = undefined;
      return true;
    }
    this.#unready = replayed;
    if (replayed.kind === 'diverged') await recordQuarantine(this.#services, this.id, replayed);
    return true;
  }

  async #replay(): Promise<Replayed> {
    const known = this.state;
    if (known !== undefined) {
      const { neighbours } = this.#services;
      const next = await replayJournal(this.#services, this.id, known, (state, events) =>
        neighbours.followed(state, events),
      );
      if (next.kind === 'ready') return next;
    }
    const from = await loadSnapshot(this.#services, this.id);
    if (from !== undefined) this.#snapshotRevision = from.revision;
    const replayed = await replayJournal(this.#services, this.id, from);
    // A snapshot that a journal contradicts is worth nothing; the journal alone decides.
    return replayed.kind === 'diverged' && from !== undefined
      ? replayJournal(this.#services, this.id)
      : replayed;
  }

  async #process(item: Item): Promise<void> {
    const { options, command } = item;
    for (let isStale = (options.atLeast ?? -1) > this.#revision; ;) {
      try {
        if (isStale) await this.#reload(options);
        isStale = false;
        if (options.asOwner === true && this.#isLost) throw lostToAnother();
        const { state } = this;
        if (state === undefined) throw this.#unreadyError();
        if (options.afterDue === true) await this.#takeDue(state, options);
        const fact = command(state);
        if (fact !== undefined) await this.#take(state, fact, options);
        item.resolve(state);
        return;
      } catch (error) {
        isStale = error instanceof WrongExpectedRevision;
        if (isStale) continue;
        if (error instanceof CheckFailed) this.#goOnElsewhere(item);
        else item.reject(error);
        return;
      }
    }
  }

  /** The lease is lost: a command is decided by whatever actor stands for the run now, an outcome by nobody. */
  #goOnElsewhere({ command, options, resolve, reject }: Item): void {
    this.#services.ownership?.refused(this.id);
    if (options.asOwner === true) reject(lostToAnother());
    else this.#services.neighbours.submit(this.id, command, options).then(resolve, reject);
  }

  /** Whoever is late is too late, even if nothing looked at the clock in time. */
  async #takeDue(state: RunState, { whenAway = 'reject' }: SubmitOptions): Promise<void> {
    if (this.#services.ownership?.owns(this.id) === false) return;
    const now = this.#services.clock.now();
    for (let due = firstDue(state, now); due !== undefined; due = firstDue(state, now)) {
      await this.#take(state, { type: 'TimerFired', data: { id: due.id } }, { whenAway });
    }
  }

  async #take(state: RunState, fact: Fact, options: SubmitOptions): Promise<void> {
    const now = this.#services.clock.now();
    const decision = decide(state, fact, now);
    const at = new Date(now).toISOString();
    const causation = options.causation ?? causationOf(state, fact);
    // Read once: what is tried again carries the check of the first try, whoever owns the run by then.
    const checks = this.#services.ownership?.appendOptions(this.id);
    const { whenAway = 'reject', trace } = options;
    const how = { at, causation, checks, trace, persistence: this.#persistence, whenAway };
    let stored = decision;
    try {
      await storeDecision(this.#services, { state, decision }, how);
    } catch (error) {
      if (!isUnsealable(error) || decision.events.length === 1) throw error;
      // The consequences fit no journal, but the fact does: it is kept, and the run waits for a person.
      stored = quarantined(state, fact, error);
      await storeDecision(this.#services, { state, decision: stored }, how);
    }
    this.#afterStored(state, stored);
  }

  #afterStored(state: RunState, decision: Decision): void {
    this.#services.neighbours.decided(this, decision.events);
    reportDecision(this.#services, { state, traced: this }, decision.events);
    this.#running.act(state, decision);
    this.#pauseAtEventLimit(state);
    if (state.revision - this.#snapshotRevision >= this.#services.limits.snapshotEveryEvents) {
      this.#considerSnapshot(state);
    }
  }

  /** A journal that grows beyond its limit waits for a person; each resume allows as much again. */
  #pauseAtEventLimit(state: RunState): void {
    const max = this.#services.limits.runEventsMax * (state.resumes + 1);
    if (state.revision < max || state.pause !== undefined || state.ending !== undefined) return;
    const reason = `its journal has ${state.revision + 1} events; the limit is ${max}`;
    const paused = this.submit((now) =>
      now.pause === undefined && now.ending === undefined
        ? { type: 'RunPaused', data: { reason } }
        : undefined,
    );
    paused.catch((error: unknown) => {
      this.#services.logger.warn({ run: this.id, err: error }, 'the run was not paused');
    });
  }

  async #reload({ whenAway = 'reject', asOwner = false }: SubmitOptions): Promise<void> {
    const { ownership, logger } = this.#services;
    logger.info({ run: this.id }, 'another writer moved the run; it is loaded again');
    this.#running.release();
    const load = async (): Promise<void> => {
      const isOwner = !asOwner || ((await ownership?.isConfirmed(this.id)) ?? true);
      if (!isOwner) throw lostToAnother();
      await this.#load();
    };
    await load().catch((error: unknown) => this.#persistence.repeat(load, error, whenAway));
    this.#services.neighbours.loaded(this);
    this.#running.recover();
  }

  #unreadyError(): EclError {
    const unready = this.#unready!;
    if (unready.kind === 'blocked') return unready.error;
    const { revision, reason } = unready.divergence;
    return new EclError('run.quarantined', { run: this.id, revision, reason });
  }

  #considerSnapshot(state: RunState): void {
    const { limits } = this.#services;
    if (state.ending !== undefined || state.quarantine !== undefined) return;
    if (state.revision - this.#snapshotRevision < limits.snapshotEveryEvents) return;
    this.#snapshotRevision = state.revision;
    void saveSnapshot(this.#services, state);
  }
}
