/**
 * Third of four phases of an actor's life: carries out what its decisions owe, after they are stored. Before:
 * replay-journal.ts; next: passivation, which is `release`.
 *
 * 1. What is to be done is always read off the state; this only remembers what is already under way.
 * 2. A custom action is called once, after its decision is stored, and never again.
 * 3. Signals to one receiver are delivered one after the other, in the order in which they were sent.
 * 4. An actor that has left memory carries out nothing more: another one may stand for its run by now.
 */
import type { Decision } from '../../core/decide.ts';
import { owed, type Effect } from '../../core/effects.ts';
import type {
  OpenChild,
  OpenStep,
  OpenTimer,
  OutboundSignal,
  RunState,
} from '../../core/run-state.ts';
import type { RunActor } from '../run-actor.ts';
import type { Services } from '../services.ts';
import { Abandoned, Cancellation } from '../cancellation.ts';
import { runStep } from '../step-runner.ts';

interface Scheduled {
  readonly at: number;
  readonly cancel: () => void;
}

/** How long to leave a neighbour alone that could not take what it was sent. */
export const neighbourRetryMs = 2_000;

export class Running {
  readonly #services: Services;
  readonly #actor: RunActor;
  readonly #steps = new Map<string, { cancellation: Cancellation; done: Promise<void> }>();
  /** By timer id. */
  readonly #timers = new Map<string, Scheduled>();
  /** By invocation. */
  readonly #retries = new Map<string, Scheduled>();
  /** Signals and children in the hands of the actor system. */
  readonly #handed = new Set<string>();
  /** Children that the actor system knows of; they may live long, so they do not keep this actor in memory. */
  readonly #tended = new Set<string>();
  readonly #recovered = new Set<string>();
  #stopping = false;
  #retired = false;

  constructor(services: Services, actor: RunActor) {
    this.#services = services;
    this.#actor = actor;
  }

  get isIdle(): boolean {
    return this.#steps.size === 0 && this.#handed.size === 0;
  }

  get stepsUnderWay(): number {
    return this.#steps.size;
  }

  stepsDone(): Promise<void> {
    return this.#allDone();
  }

  /** Takes up what another life of this run has left. */
  recover(): void {
    const { state } = this.#actor;
    if (state === undefined) return;
    for (const invocation of state.steps.keys()) {
      if (!this.#steps.has(invocation)) this.#recovered.add(invocation);
    }
    this.#catchUp(state);
  }

  /** Acts on a decision that is stored. */
  act(state: RunState, decision: Decision): void {
    for (const { type, exec, info, params } of decision.notifications) {
      try {
        if (type === 'xstate.log')
          this.#services.logger.info({ run: state.id, log: params }, 'log');
        else exec?.(info, params);
      } catch (error) {
        this.#services.logger.error(
          { run: state.id, action: type, err: error },
          'the action failed',
        );
      }
    }
    const [fact] = decision.events;
    const isBooking = fact?.type === 'ModelReplied' || fact?.type === 'ValueRecorded';
    if (!isBooking) this.#catchUp(state);
  }

  /** Starts nothing more, and waits for the end of what runs, as long as the grace allows. */
  async drain(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.release();
    if (this.#steps.size === 0) return;
    const { clock } = this.#services;
    let cancel = (): void => {};
    const grace = new Promise<void>((resolve) => {
      cancel = clock.schedule(clock.now() + graceMs, resolve);
    });
    await Promise.race([this.#allDone(), grace]);
    cancel();
  }

  /** Aborts what still runs, without an outcome. */
  async abandon(): Promise<void> {
    for (const { cancellation } of this.#steps.values()) cancellation.abandon('the process stops');
    await this.#allDone();
  }

  async #allDone(): Promise<void> {
    await Promise.all([...this.#steps.values()].map(({ done }) => done));
  }

  /** Forgets what is due later; the next catch-up schedules it again. */
  release(): void {
    for (const scheduled of [this.#timers, this.#retries]) {
      for (const { cancel } of scheduled.values()) cancel();
      scheduled.clear();
    }
  }

  /** Another process owns the run: nothing more is started here, and what runs is aborted without an outcome. */
  lose(): void {
    this.retire();
    for (const { cancellation } of this.#steps.values()) {
      cancellation.abandon('another process owns the run');
    }
  }

  /** The actor leaves memory: from now on it starts nothing. */
  retire(): void {
    this.#retired = true;
    this.release();
  }

  #catchUp(state: RunState): void {
    const { readOnly, leavesWork } = this.#services;
    if (readOnly) return;
    this.#dropStale(state);
    if (this.#stopping || this.#retired || leavesWork || !this.#isOwner) return;
    for (const effect of owed(state)) this.#carryOut(effect);
  }

  get #isOwner(): boolean {
    return this.#services.ownership?.owns(this.#actor.id) ?? true;
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'step':
        return this.#step(effect.step);
      case 'timer':
        return this.#timer(effect.timer);
      case 'child':
        return this.#child(effect.child);
      case 'signal':
        return this.#signal(effect.signal);
    }
  }

  /** Aborts steps and forgets timers that the state no longer knows. */
  #dropStale(state: RunState): void {
    for (const [invocation, { cancellation }] of this.#steps) {
      if (!state.steps.has(invocation)) cancellation.abandon('the step was cancelled');
    }
    const held = state.pause !== undefined || state.quarantine !== undefined;
    const drop = (scheduled: Map<string, Scheduled>, due: (key: string) => unknown): void => {
      for (const [key, { at, cancel }] of scheduled) {
        if (due(key) === at && !held) continue;
        cancel();
        scheduled.delete(key);
      }
    };
    drop(this.#timers, (id) => state.timers.get(id)?.dueAt);
    drop(this.#retries, (invocation) => state.steps.get(invocation)?.retryAt);
  }

  #step(step: OpenStep): void {
    const { invocation, retryAt } = step;
    const isStuck = this.#handed.has(`stuck ${invocation}`);
    if (this.#steps.has(invocation) || this.#retries.has(invocation) || isStuck) return;
    if (retryAt !== undefined && retryAt > this.#services.clock.now()) {
      this.#schedule(this.#retries, invocation, { at: retryAt, callback: () => this.#step(step) });
      return;
    }
    const cancellation = new Cancellation();
    const recovered = this.#recovered.delete(invocation);
    const execution = {
      services: this.#services,
      actor: this.#actor,
      step,
      cancellation,
      recovered,
    };
    const done = this.#services.neighbours
      .withStepPlace(() => {
        if (cancellation.isAbandoned) return Promise.resolve(true);
        if (!this.#mayBegin) {
          if (recovered) this.#recovered.add(invocation);
          return Promise.resolve(true);
        }
        return this.#isOwner ? runStep(execution) : Promise.resolve(false);
      })
      .then((isSettled) => {
        this.#steps.delete(invocation);
        const { state } = this.#actor;
        if (state?.steps.has(invocation) !== true) return;
        // A failed attempt left a retry behind that could not be scheduled while this one ran.
        if (isSettled) this.#catchUp(state);
        else this.#catchUpLater(`stuck ${invocation}`);
      });
    this.#steps.set(invocation, { cancellation, done });
  }

  /** While a step waited for a place, its run may have been held, or the process told to stop. */
  get #mayBegin(): boolean {
    const { state } = this.#actor;
    const isHeld = state?.pause !== undefined || state?.quarantine !== undefined;
    return state !== undefined && !isHeld && !this.#stopping;
  }

  #timer({ id, dueAt }: OpenTimer): void {
    if (this.#timers.has(id)) return;
    const fire = (): void => {
      const fired = this.#actor.submit(
        (state) => {
          const isHeld = state.pause !== undefined || state.quarantine !== undefined;
          const isDue = state.timers.get(id)?.dueAt === dueAt && !isHeld;
          return isDue ? { type: 'TimerFired', data: { id } } : undefined;
        },
        { whenAway: 'wait', asOwner: true },
      );
      fired.catch((error: unknown) => this.#failed('the timer did not fire', error));
    };
    this.#schedule(this.#timers, id, { at: dueAt, callback: fire });
  }

  #schedule(
    scheduled: Map<string, Scheduled>,
    key: string,
    { at, callback }: { at: number; callback: () => void },
  ): void {
    const cancel = this.#services.clock.schedule(at, () => {
      scheduled.delete(key);
      if (!this.#stopping) callback();
    });
    scheduled.set(key, { at, cancel });
  }

  #child(child: OpenChild): void {
    const { state } = this.#actor;
    const key = `${child.run}/${child.cancelled}`;
    const logic = state?.machine.logic(child.source);
    if (state === undefined || logic === undefined || !('machine' in logic)) return;
    this.#handOver(key, () => this.#services.neighbours.tend(state, child, logic.machine), false);
  }

  #signal({ to }: OutboundSignal): void {
    this.#handOver(`to ${to}`, () => this.#deliverAll(to), true);
  }

  async #deliverAll(to: string): Promise<void> {
    for (;;) {
      const { state } = this.#actor;
      const signal = state && [...state.outbox.values()].find((each) => each.to === to);
      if (state === undefined || signal === undefined || this.#stopping) return;
      await this.#services.neighbours.deliver(state, signal);
      await this.#actor.submit(
        (now) =>
          now.outbox.has(signal.id)
            ? { type: 'SignalDelivered', data: { id: signal.id } }
            : undefined,
        { asOwner: true },
      );
    }
  }

  /** Gives work to the actor system once; what fails is tried again after a while. */
  #handOver(key: string, work: () => Promise<void>, busy: boolean): void {
    if (this.#handed.has(key) || this.#tended.has(key)) return;
    if (busy) this.#handed.add(key);
    else this.#tended.add(key);
    work().then(
      () => {
        // What came up meanwhile was not handed over again.
        if (this.#handed.delete(key) && this.#actor.state !== undefined) {
          this.#catchUp(this.#actor.state);
        }
      },
      (error: unknown) => {
        this.#failed('a neighbour did not answer', error);
        this.#tended.delete(key);
        this.#catchUpLater(key);
      },
    );
  }

  /** What could not be done now is not tried again at once, and keeps the actor in memory meanwhile. */
  #catchUpLater(key: string): void {
    const { clock } = this.#services;
    this.#handed.add(key);
    clock.schedule(clock.now() + neighbourRetryMs, () => {
      this.#handed.delete(key);
      if (this.#actor.state !== undefined) this.#catchUp(this.#actor.state);
    });
  }

  #failed(what: string, error: unknown): void {
    if (error instanceof Abandoned) return;
    this.#services.logger.warn({ run: this.#actor.id, err: error }, what);
  }
}
