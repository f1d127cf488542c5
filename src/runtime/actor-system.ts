/**
 * The actor system of one process: which runs are in memory, what they do to each other, and what wakes the others.
 *
 * 1. At most one actor a run; loading, starting and dropping go through one map.
 * 2. Memory holds active runs and a wake-up time for others, never all runs.
 * 3. One run that fails to load, or a receiver that is away, stops nobody else.
 */
import type { DurableMachine } from '../core/durable-machine.ts';
import { EclError, isEclError, toErrorDocument } from '../core/errors.ts';
import { parseRunId } from '../core/ids.ts';
import type { Fact, JournalData, JournalEvent } from '../core/journal-events.ts';
import { canonicalJson } from '../core/json-value.ts';
import type { OpenChild, OutboundSignal, RunState } from '../core/run-state.ts';
import { sha256 } from '../core/sha256.ts';
import type { OwingRun } from '../ports/run-directory.ts';
import { nextDueAt, Passivation } from './phases/passivate.ts';
import { neighbourRetryMs } from './phases/running.ts';
import { Places } from './places.ts';
import { RunActor, type Command, type SubmitOptions } from './run-actor.ts';
import { RunHub } from './run-hub.ts';
import type { Neighbours, Services } from './services.ts';

/** How long steps in flight may go on after a stop was asked for, in milliseconds. */
export const stopGraceMs = 5_000;

const recentStartsMax = 1_000;

export const inputHashOf = (workflow: string, input: unknown): string =>
  sha256(canonicalJson({ workflow, input: input ?? null }));

export class ActorSystem implements Neighbours {
  readonly services: Services;
  readonly hub = new RunHub();
  readonly #actors = new Map<string, RunActor | Promise<RunActor | undefined>>();
  /** When runs were started: a store takes the same start in the same millisecond for a repetition, not for a conflict. */
  readonly #recentStarts = new Map<string, number>();
  /** Runs that are being started now, as far as this process knows. */
  readonly #starting = new Set<string>();
  readonly #passivation: Passivation;
  readonly #steps: Places;
  readonly #recoveries: Places;
  readonly #wakes = new Map<string, () => void>();
  #passivates = false;
  #stopping = false;

  constructor(services: Omit<Services, 'neighbours'>) {
    this.services = { ...services, neighbours: this };
    this.#passivation = new Passivation(services.limits.activeActorsMax);
    this.#steps = new Places(services.limits.concurrentStepsMax);
    this.#recoveries = new Places(services.limits.concurrentRecoveriesMax);
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

  /** The actor of a run if it is in memory now. */
  held(id: string): RunActor | undefined {
    const actor = this.#actors.get(id);
    return actor instanceof RunActor ? actor : undefined;
  }

  /** The actor of a run, loaded when it is not in memory; undefined when there is no such run. */
  async get(id: string): Promise<RunActor | undefined> {
    // Another process moves what this one only reads, so nothing is remembered.
    if (this.services.readOnly) return RunActor.load(this.services, id);
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
        const fresh = await this.#hold(id, RunActor.start(this.services, id, options), () => {});
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
        this.#wakeAt(run, dueAt);
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
      { causation: sentBy },
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
    if (actor.state === undefined) this.hub.publishUnready(actor);
    else this.hub.publish(actor.state, []);
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
    for (const cancel of this.#wakes.values()) cancel();
    this.#wakes.clear();
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
        this.#cancelWake(id);
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
      this.services.logger.error({ run: id, err: error }, 'the run was not recovered');
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
      if (dueAt !== undefined) this.#wakeAt(actor.id, dueAt);
    }
  }

  #wakeAt(id: string, at: number): void {
    this.#cancelWake(id);
    const cancel = this.services.clock.schedule(at, () => {
      this.#wakes.delete(id);
      if (!this.#stopping) void this.#recoveries.with(() => this.#tryGet(id));
    });
    this.#wakes.set(id, cancel);
  }

  #cancelWake(id: string): void {
    this.#wakes.get(id)?.();
    this.#wakes.delete(id);
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
    const fact: Fact =
      state.ending === 'completed'
        ? {
            type: 'ChildCompleted',
            data: {
              run: state.id,
              ...(state.output === undefined ? {} : { output: state.output }),
            },
          }
        : {
            type: 'ChildFailed',
            data: {
              run: state.id,
              error: state.error ?? { code: 'child.failed', message: 'it failed' },
            },
          };
    await this.#report(state.started.parent!.run, fact);
  }

  async #report(parent: string, fact: Fact<'ChildCompleted' | 'ChildFailed'>): Promise<void> {
    const actor = await this.get(parent);
    await actor?.submit((state) => (state.children.has(fact.data.run) ? fact : undefined), {
      whenAway: 'wait',
    });
  }
}

/** Ended, and owing nobody its last words. */
const isOver = (state: RunState): boolean =>
  state.ending !== undefined && state.outbox.size === 0 && state.children.size === 0;

/** A child that ended, once its parent has taken all that the child sent before. */
const isToBeTold = ({ ending, started: { parent }, outbox }: RunState): boolean => {
  if (ending === undefined || parent === undefined) return false;
  for (const { to } of outbox.values()) if (to === parent.run) return false;
  return true;
};

const settled = async (
  actor: RunActor | Promise<RunActor | undefined>,
): Promise<RunActor | undefined> => {
  try {
    return await actor;
  } catch {
    return undefined;
  }
};

const childStarted = (
  parent: RunState,
  child: OpenChild,
  machine: DurableMachine,
): JournalData<'RunStarted'> => ({
  workflow: machine.id,
  version: machine.version,
  structure: machine.structure,
  tenant: parseRunId(parent.id).tenant,
  ...(child.input === undefined ? {} : { input: child.input }),
  inputHash: inputHashOf(machine.id, child.input),
  parent: { run: parent.id, actor: child.actor },
  depth: parent.started.depth + 1,
  ...(parent.started.module === undefined ? {} : { module: parent.started.module }),
});
