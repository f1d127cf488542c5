/**
 * The actor system of one process: which runs are in memory, what they do to each other, and what wakes the others.
 *
 * 1. At most one actor a run; loading, starting and dropping go through one map.
 * 2. Memory holds active runs and a wake-up time for others, never all runs.
 * 3. One run that fails to load, or a receiver that is away, stops nobody else.
 */
import type { DurableMachine } from '../core/durable-machine.ts';
import { EclError, isEclError, toErrorDocument } from '../core/errors.ts';
import { journalStream } from '../core/ids.ts';
import type { Fact, JournalData, JournalEvent } from '../core/journal-events.ts';
import type { OpenChild, OutboundSignal, RunState } from '../core/run-state.ts';
import type { QueueDepths } from '../ports/metrics.ts';
import type { OwingRun } from '../ports/run-directory.ts';
import { beginRun } from './begin-run.ts';
import { ModelTextFeed } from './model-text.ts';
import { childStarted, isOver, isToBeTold, reportOf } from './family.ts';
import { nextDueAt, Passivation } from './phases/passivate.ts';
import { neighbourRetryMs } from './phases/running.ts';
import { Places } from './places.ts';
import { RunActor, type Command, type SubmitOptions } from './run-actor.ts';
import { RunHub } from './run-hub.ts';
import type { Neighbours, Services } from './services.ts';
import { Wakes } from './wakes.ts';

/** How long steps in flight may go on after a stop was asked for, in milliseconds. */
export const stopGraceMs = 5_000;

const recentStartsMax = 1_000;

export class ActorSystem implements Neighbours {
  readonly services: Services;
  readonly hub = new RunHub();
  readonly modelText = new ModelTextFeed();
  readonly #actors = new Map<string, RunActor | Promise<RunActor | undefined>>();
  /** When runs were started: a store takes the same start in the same millisecond for a repetition, not for a conflict. */
  readonly #recentStarts = new Map<string, number>();
  /** Runs that are being started now, as far as this process knows. */
  readonly #starting = new Set<string>();
  readonly #passivation: Passivation;
  readonly #steps: Places;
  readonly #recoveries: Places;
  readonly #wakes: Wakes;
  #passivates = false;
  #stopping = false;

  constructor(services: Omit<Services, 'neighbours'>) {
    this.services = { ...services, neighbours: this };
    this.#passivation = new Passivation(services.limits.activeActorsMax);
    this.#steps = new Places(services.limits.concurrentStepsMax);
    this.#recoveries = new Places(services.limits.concurrentRecoveriesMax);
    this.#wakes = new Wakes(services.clock, (run) => {
      if (!this.#stopping) void this.#recoveries.with(() => this.#tryGet(run));
    });
  }

  /** The state of a run that is in memory and ready. */
  stateOf(id: string): RunState | undefined {
    const actor = this.#actors.get(id);
    return actor instanceof RunActor ? actor.state : undefined;
  }

  /** How many actors are in memory. */
  get size(): number {
    return this.#actors.size;
  }

  /** How much waits in line. */
  get queues(): QueueDepths {
    let mailboxes = 0;
    for (const { waiting } of this.inMemory()) mailboxes += waiting;
    return { mailboxes, steps: this.#steps.waiting, recoveries: this.#recoveries.waiting };
  }

  /** The actor of a run if it is in memory now. */
  held(id: string): RunActor | undefined {
    const actor = this.#actors.get(id);
    return actor instanceof RunActor ? actor : undefined;
  }

  /** All actors that are in memory and ready. */
  *inMemory(): Iterable<RunActor> {
    for (const actor of this.#actors.values()) if (actor instanceof RunActor) yield actor;
  }

  /** Drops actors, and what was due later, of runs that another process owns now. */
  lose(isLost: (run: string) => boolean): void {
    this.#wakes.cancelWhere(isLost);
    for (const actor of this.inMemory()) {
      if (!isLost(actor.id)) continue;
      this.#passivation.forget(actor.id);
      this.#actors.delete(actor.id);
      actor.lose();
    }
  }

  /** Brings a run up to what another process has stored: in memory or, when it is not there, by loading it. */
  async catchUp(run: string, revision: number): Promise<void> {
    if (this.#stopping) return;
    const known = this.#actors.get(run);
    const actor = known === undefined ? undefined : await settled(known);
    if (actor === undefined) await this.#recoveries.with(() => this.#get(run));
    else await actor.refresh(revision);
  }

  /**
   * The actor of a run, loaded when it is not in memory; undefined when there is no such run. Of a run that another
   * process owns it has all that is stored by now.
   */
  async get(id: string): Promise<RunActor | undefined> {
    const { readOnly, ownership, store } = this.services;
    // Another process moves what this one only reads, so nothing is remembered.
    if (readOnly) return RunActor.load(this.services, id);
    ownership?.want(id);
    const isInMemory = this.#actors.has(id);
    const actor = await this.#get(id);
    if (ownership !== undefined && isInMemory && !ownership.owns(id)) {
      await actor?.refresh((await store.lastRevision(journalStream(id))) ?? -1);
    }
    return actor;
  }

  async #get(id: string): Promise<RunActor | undefined> {
    for (let known = this.#actors.get(id); known !== undefined; known = this.#actors.get(id)) {
      if (!this.#starting.has(id)) return known;
      // A start that finds the run there already, or fails, says nothing of the run itself.
      const started = await settled(known);
      if (started !== undefined) return started;
    }
    if (this.#stopping) throw new EclError('store.closed', { store: 'the actor system' });
    return this.#hold(id, RunActor.load(this.services, id), (actor) => actor.recover());
  }

  /**
   * Starts a run, or finds the one that has its id.
   *
   * @throws EclError `run.key-conflict` when that one has other input
   */
  async start(
    id: string,
    started: JournalData<'RunStarted'>,
    causation?: string,
  ): Promise<RunActor> {
    return (await this.startOrFind(id, started, causation)).actor;
  }

  /** As `start`, and says whether this call made the run. */
  async startOrFind(
    id: string,
    started: JournalData<'RunStarted'>,
    causation?: string,
  ): Promise<{ actor: RunActor; created: boolean }> {
    if (this.#stopping) throw new EclError('store.closed', { store: 'the actor system' });
    for (;;) {
      const now = this.services.clock.now();
      if (!this.#actors.has(id) && this.#recentStarts.get(id) !== now) {
        const options = { started, now, ...(causation === undefined ? {} : { causation }) };
        this.#starting.add(id);
        const fresh = await this.#hold(id, beginRun(this.services, id, options), () => {});
        if (fresh !== undefined) {
          this.#rememberStart(id, now);
          return { actor: fresh, created: true };
        }
      }
      const actor = await this.get(id);
      if (actor === undefined) continue;
      const inputHash = actor.state?.started.inputHash ?? actor.unready?.started?.inputHash;
      if (inputHash === started.inputHash) return { actor, created: false };
      throw new EclError('run.key-conflict', { run: id });
    }
  }

  /** Takes up what all runs owe. */
  async recover(owing: Iterable<OwingRun>): Promise<void> {
    const loads: Promise<unknown>[] = [];
    for (const { run, busy, dueAt } of owing) {
      if (busy || (dueAt !== undefined && dueAt <= this.services.clock.now())) {
        loads.push(this.#recoveries.with(() => this.#tryGet(run)));
      } else if (dueAt !== undefined) {
        this.#wakes.at(run, dueAt);
      }
    }
    await Promise.all(loads);
  }

  async submit(run: string, command: Command, options: SubmitOptions): Promise<RunState> {
    const actor = await this.get(run);
    if (actor === undefined) throw new EclError('run.not-found', { run });
    return actor.submit(command, options);
  }

  async deliver(from: RunState, { id, to, event, sentBy }: OutboundSignal): Promise<void> {
    const receiver = (await this.get(to)) ?? (await this.#ownChild(from, to));
    if (receiver === undefined) {
      this.services.logger.warn({ run: from.id, to, event: event.type }, 'no run takes the signal');
      return;
    }
    await receiver.submit(
      (state): Fact | undefined =>
        state.signals.has(id) || state.ending !== undefined
          ? undefined
          : { type: 'SignalReceived', data: { id, event, from: from.id } },
      { causation: sentBy, afterDue: true },
    );
  }

  async tend(parent: RunState, child: OpenChild, machine: DurableMachine): Promise<void> {
    const actor = await this.#childActor(parent, child, machine);
    let state = actor?.state;
    if (actor !== undefined && child.cancelled && state?.ending === undefined) {
      const reason = `its parent ${parent.id} has left it`;
      state = await actor.submit((now) =>
        now.ending === undefined ? { type: 'CancelRequested', data: { reason } } : undefined,
      );
    }
    if (state !== undefined && isToBeTold(state)) await this.#tellParent(state);
  }

  loaded(actor: RunActor): void {
    const { state } = actor;
    if (state === undefined) {
      this.hub.publishUnready(actor);
      return;
    }
    this.hub.publish(state, []);
    // It may have been ended by a process that is gone, or by one that has left the rest to the owner.
    const isOwner = this.services.ownership?.owns(actor.id) === true;
    if (isOwner && isToBeTold(state)) this.#tellSoon(state);
  }

  followed(state: RunState, events: readonly JournalEvent[]): void {
    this.hub.publish(state, events);
  }

  decided(actor: RunActor, events: readonly JournalEvent[]): void {
    const { state } = actor;
    if (state === undefined) return;
    this.#passivation.touch(actor);
    this.hub.publish(state, events);
    if (isToBeTold(state)) this.#tellSoon(state);
    if (isOver(state)) this.#forget(actor);
    else this.#passivateSoon();
  }

  withStepPlace<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#steps.with(work);
  }

  /** Stops intake, lets steps in flight end within the grace, aborts the others. */
  async stop(graceMs = stopGraceMs): Promise<void> {
    this.#stopping = true;
    this.#wakes.cancelWhere(() => true);
    const held = await Promise.all(Array.from(this.#actors.values(), (each) => settled(each)));
    const actors = held.filter((actor) => actor !== undefined);
    await Promise.all(actors.map((actor) => actor.stop(graceMs)));
    for (const actor of actors) actor.release();
    this.#actors.clear();
    this.hub.close();
  }

  async #hold(
    id: string,
    pending: Promise<RunActor | undefined>,
    ready: (actor: RunActor) => void,
  ): Promise<RunActor | undefined> {
    this.#actors.set(id, pending);
    try {
      const actor = await pending;
      this.#starting.delete(id);
      if (actor === undefined) this.#actors.delete(id);
      else {
        this.#actors.set(id, actor);
        this.#passivation.touch(actor);
        this.#wakes.cancel(id);
        ready(actor);
        this.loaded(actor);
        this.#passivateSoon();
      }
      return actor;
    } catch (error) {
      this.#starting.delete(id);
      this.#actors.delete(id);
      throw error;
    }
  }

  async #tryGet(id: string): Promise<void> {
    try {
      await this.get(id);
    } catch (error) {
      if (this.#stopping) return;
      this.services.logger.error({ run: id, err: error }, 'the run was not recovered');
      // Its timer is due, or its work is open, and nobody else in this process would look after it.
      if (!isEclError(error, 'store.unavailable')) return;
      this.#wakes.at(id, this.services.clock.now() + neighbourRetryMs);
    }
  }

  #rememberStart(id: string, at: number): void {
    this.#recentStarts.delete(id);
    this.#recentStarts.set(id, at);
    if (this.#recentStarts.size <= recentStartsMax) return;
    const [oldest] = this.#recentStarts.keys();
    this.#recentStarts.delete(oldest!);
  }

  /** One that is not held (yet) by the map is left to whoever starts it. */
  #forget(actor: RunActor): void {
    if (this.#actors.get(actor.id) !== actor) return;
    this.#passivation.forget(actor.id);
    this.#actors.delete(actor.id);
    actor.release();
  }

  /** Not at once: whoever has just looked an actor up is about to submit to it. */
  #passivateSoon(): void {
    if (this.#actors.size <= this.services.limits.activeActorsMax || this.#passivates) return;
    this.#passivates = true;
    const { clock } = this.services;
    clock.schedule(clock.now(), () => {
      this.#passivates = false;
      if (!this.#stopping) this.#passivate();
    });
  }

  #passivate(): void {
    for (const actor of this.#passivation.candidates()) {
      if (this.#actors.get(actor.id) !== actor) continue;
      this.#forget(actor);
      const dueAt = actor.state === undefined ? undefined : nextDueAt(actor.state);
      const isOwner = this.services.ownership?.holds(actor.id) ?? true;
      if (dueAt !== undefined && isOwner) this.#wakes.at(actor.id, dueAt);
    }
  }

  /** The child's actor, started when it is not there; undefined when it never will be. */
  async #childActor(
    parent: RunState,
    child: OpenChild,
    machine: DurableMachine,
  ): Promise<RunActor | undefined> {
    const known = await this.get(child.run);
    if (known !== undefined) return known;
    const error = { code: 'run.cancelled', message: 'it was cancelled before it started' };
    if (child.cancelled) {
      await this.#report(parent.id, { type: 'ChildFailed', data: { run: child.run, error } });
      return undefined;
    }
    try {
      return await this.start(child.run, childStarted(parent, child, machine), child.spawnedBy);
    } catch (error) {
      // What lies in the child itself stays as it is; what lies in the store or in another process may pass.
      if (isEclError(error) && error.kind !== 'usage' && error.kind !== 'failed') throw error;
      const data = { run: child.run, error: toErrorDocument(error) };
      await this.#report(parent.id, { type: 'ChildFailed', data });
      return undefined;
    }
  }

  /** The actor of a child that its parent has just asked for, started if it was not yet. */
  async #ownChild(parent: RunState, run: string): Promise<RunActor | undefined> {
    const child = parent.children.get(run);
    const logic = child && parent.machine.logic(child.source);
    if (child === undefined || logic === undefined || !('machine' in logic)) return undefined;
    return this.#childActor(parent, child, logic.machine);
  }

  /** Tells the parent, again and again while the store is away: nobody else in this process would. */
  #tellSoon(state: RunState): void {
    this.#tellParent(state).catch((error: unknown) => {
      this.services.logger.warn({ run: state.id, err: error }, 'the parent was not told yet');
      if (!isEclError(error, 'store.unavailable')) return;
      const { clock } = this.services;
      clock.schedule(clock.now() + neighbourRetryMs, () => {
        if (!this.#stopping) this.#tellSoon(state);
      });
    });
  }

  async #tellParent(state: RunState): Promise<void> {
    await this.#report(state.started.parent!.run, reportOf(state));
  }

  async #report(parent: string, fact: Fact<'ChildCompleted' | 'ChildFailed'>): Promise<void> {
    const actor = await this.get(parent);
    await actor?.submit((state) => (state.children.has(fact.data.run) ? fact : undefined), {
      whenAway: 'wait',
    });
  }
}

const settled = async (
  actor: RunActor | Promise<RunActor | undefined>,
): Promise<RunActor | undefined> => {
  try {
    return await actor;
  } catch {
    return undefined;
  }
};
