/**
 * The consequences of a transition: XState's executable actions, as events of the journal.
 *
 * 1. What a transition starts and stops in one go is neither started nor stopped.
 * 2. Numbers (invocations, children, timers, signals) count on from the state, so a replay gives the same ids.
 * 3. What cannot be recorded throws; the caller quarantines the run and keeps the fact.
 */
import type { AnyMachineSnapshot } from 'xstate';
import { isParentStub, type MachineAction, type Transition } from './durable-machine.ts';
import { EclError, toErrorDocument } from './errors.ts';
import { childRunId } from './ids.ts';
import type { Consequence, Fact, MachineEvent } from './journal-events.ts';
import { assertJson } from './json-value.ts';
import { limits } from './limits.ts';
import type { RunState } from './run-state.ts';

interface ActorRef {
  readonly id: string;
}

/** What the actions of one transition have asked for so far. */
class Consequences {
  readonly #state: RunState;
  readonly #now: number;
  /** In order; undefined where a later action took an earlier one back. */
  readonly #list: (Consequence | undefined)[] = [];
  readonly notifications: MachineAction[] = [];
  /** Actors by id as they stand now, with the place of their start in the list when it is in it. */
  readonly #actors: Map<string, { reference: string; child: boolean; at: number | undefined }>;
  /** XState lists what is sent to an actor before that actor's start. */
  readonly #unaddressed: SendParams[] = [];
  readonly #timers = new Map<string, number>();
  #invocations: number;
  #spawned: number;
  #timersSet: number;
  #sent: number;
  /** What the fact has just finished: stopping it is no news. */
  readonly #finished: string | undefined;

  constructor(state: RunState, fact: Fact, now: number) {
    this.#state = state;
    this.#now = now;
    this.#actors = new Map(
      [...state.actors].map(([id, reference]) => [
        id,
        { reference, child: state.children.has(reference), at: undefined },
      ]),
    );
    this.#invocations = state.invocations;
    this.#spawned = state.spawned;
    this.#timersSet = state.timersSet;
    this.#sent = state.sent;
    this.#finished = finishedBy(fact);
  }

  /** All of them; nothing can be added after this. */
  finish(): Consequence[] {
    for (const send of this.#unaddressed) this.#send(send, true);
    return this.#list.filter((consequence) => consequence !== undefined);
  }

  add(action: MachineAction): void {
    switch (action.type) {
      case 'xstate.spawnChild':
        return this.#spawn(action.params as SpawnParams);
      case 'xstate.stopChild':
        return this.#stop(action.params as ActorRef | undefined);
      case 'xstate.raise':
        return this.#raise(action.params as RaiseParams);
      case 'xstate.cancel':
        return this.#cancel(action.params as string | { sendId: string });
      case 'xstate.sendTo':
        return this.#send(action.params as SendParams, false);
      case 'xstate.emit':
        return this.#emit((action.params as { event: MachineEvent }).event);
      default:
        this.notifications.push(action);
    }
  }

  #push(consequence: Consequence): number {
    return this.#list.push(consequence) - 1;
  }

  #spawn({ actorRef, src, input, systemId }: SpawnParams): void {
    const { machine } = this.#state;
    if (typeof src !== 'string' || systemId !== undefined) {
      throw refused(machine.id, 'it spawns an inline actor or one with a systemId');
    }
    const logic = machine.logic(src);
    if (logic === undefined || actorRef === undefined) {
      throw refused(machine.id, `it spawns "${src}", which setup({ actors }) lacks`);
    }
    assertJson(input, `the input of ${src}`);
    const actor = actorRef.id;
    if (this.#actors.has(actor)) this.#stop(actorRef);
    if ('machine' in logic) {
      if (this.#state.started.depth >= limits.childDepthMax) {
        throw new EclError('child.too-deep', { limit: limits.childDepthMax });
      }
      const run = childRunId(this.#state.id, (this.#spawned += 1));
      const workflow = logic.machine.id;
      const at = this.#push({
        type: 'ChildSpawned',
        data: { run, actor, source: src, workflow, ...given(input) },
      });
      this.#actors.set(actor, { reference: run, child: true, at });
      return;
    }
    const invocation = `${src}#${(this.#invocations += 1)}`;
    const at = this.#push({
      type: 'StepScheduled',
      data: { invocation, name: src, actor, ...given(input) },
    });
    this.#actors.set(actor, { reference: invocation, child: false, at });
  }

  #stop(actorRef: ActorRef | undefined): void {
    if (actorRef === undefined) return;
    const actor = this.#actors.get(actorRef.id);
    if (actor === undefined) return;
    this.#actors.delete(actorRef.id);
    if (actor.at !== undefined) {
      this.#list[actor.at] = undefined;
      return;
    }
    if (actor.reference === this.#finished) return;
    if (this.#state.steps.has(actor.reference)) {
      this.#push({ type: 'StepCancelled', data: { invocation: actor.reference } });
    } else if (this.#state.children.has(actor.reference)) {
      this.#push({ type: 'ChildCancelled', data: { run: actor.reference } });
    }
  }

  #raise({ event, id, delay }: RaiseParams): void {
    if (typeof delay === 'number') this.#setTimer({ event, id, delay }, undefined);
  }

  #setTimer(
    {
      event,
      id,
      delay,
    }: Required<Pick<RaiseParams, 'event' | 'delay'>> & { id?: string | undefined },
    to: string | undefined,
  ): void {
    const dueAt = Math.ceil(this.#now + Math.max(0, delay));
    if (!Number.isSafeInteger(dueAt)) {
      throw refused(this.#state.machine.id, `the delay ${delay} of "${event.type}" is not a time`);
    }
    assertJson(event, `the delayed event ${event.type}`);
    const timer = id ?? `timer-${(this.#timersSet += 1)}`;
    const at = this.#push({
      type: 'TimerSet',
      data: { id: timer, dueAt, event, ...(to === undefined ? {} : { to }) },
    });
    this.#timers.set(timer, at);
  }

  #cancel(params: string | { sendId: string }): void {
    const id = typeof params === 'string' ? params : params.sendId;
    const at = this.#timers.get(id);
    if (at !== undefined) {
      this.#list[at] = undefined;
      this.#timers.delete(id);
    }
    const isSet = this.#state.timers.has(id) && id !== this.#finished;
    const isCancelled = this.#list.some(
      (each) => each?.type === 'TimerCancelled' && each.data.id === id,
    );
    if (isSet && !isCancelled) this.#push({ type: 'TimerCancelled', data: { id } });
  }

  #send(params: SendParams, last: boolean): void {
    const { to, event, id, delay } = params;
    const receiver = this.#receiver(to);
    if (receiver === undefined) {
      if (!last) this.#unaddressed.push(params);
      return;
    }
    if (typeof delay === 'number') {
      const self = receiver === this.#state.id;
      this.#setTimer({ event, id, delay }, self ? undefined : receiver);
      return;
    }
    assertJson(event, `the sent event ${event.type}`);
    const signal = `${this.#state.id}/${(this.#sent += 1)}`;
    this.#push({ type: 'SignalSent', data: { id: signal, to: receiver, event } });
  }

  /** The run that an actor ref stands for; a step takes no events, as a promise takes none in XState. */
  #receiver(to: ActorRef | string | undefined): string | undefined {
    if (isParentStub(to)) return this.#state.started.parent?.run;
    const actorId = typeof to === 'string' ? to : to?.id;
    if (actorId === undefined) throw refused(this.#state.machine.id, 'it sends to no actor');
    const actor = this.#actors.get(actorId);
    if (actor !== undefined) return actor.child ? actor.reference : undefined;
    return actorId === this.#state.machine.id ? this.#state.id : undefined;
  }

  #emit(event: MachineEvent): void {
    assertJson(event, `the emitted event ${event.type}`);
    this.#push({ type: 'EventEmitted', data: { event } });
  }
}

interface SpawnParams {
  readonly actorRef?: ActorRef;
  readonly src: unknown;
  readonly input?: unknown;
  readonly systemId?: string;
}

interface RaiseParams {
  readonly event: MachineEvent;
  readonly id?: string;
  readonly delay?: number;
}

interface SendParams extends RaiseParams {
  readonly to?: ActorRef | string;
}

/** What the fact has brought to its end: an invocation, a child run or a timer. */
const finishedBy = (fact: Fact): string | undefined => {
  if (fact.type === 'TimerFired') return fact.data.id;
  if ('invocation' in fact.data) return fact.data.invocation;
  return 'run' in fact.data ? fact.data.run : undefined;
};

const given = (input: unknown): { input?: unknown } => (input === undefined ? {} : { input });

const refused = (workflow: string, reason: string): EclError =>
  new EclError('workflow.refused', { workflow, reason });

export const consequencesOf = (
  state: RunState,
  fact: Fact,
  transition: Transition,
  now: number,
): { consequences: Consequence[]; notifications: MachineAction[] } => {
  if (transition.actions.length === 0) return { consequences: [], notifications: [] };
  const consequences = new Consequences(state, fact, now);
  for (const action of transition.actions) consequences.add(action);
  return { consequences: consequences.finish(), notifications: consequences.notifications };
};

const outputError = (output: unknown, state: string): { code: string; message: string } => {
  const nested =
    typeof output === 'object' && output !== null && 'error' in output ? output.error : undefined;
  if (typeof nested === 'object' && nested !== null && 'message' in nested) {
    return toErrorDocument(Object.assign(new Error(String(nested.message)), nested));
  }
  return { code: 'run.failed', message: `the machine ended in the failed state ${state}` };
};

/** How the machine ended, if it did: a final state with the tag `failed` is a failure. */
export const machineEnding = (snapshot: AnyMachineSnapshot): Consequence | undefined => {
  if (snapshot.status === 'active') return undefined;
  if (snapshot.status === 'done') {
    const output: unknown = snapshot.output;
    assertJson(output, 'the output');
    if ((snapshot.tags as ReadonlySet<string>).has('failed')) {
      const error = outputError(output, JSON.stringify(snapshot.value));
      const details = output === undefined ? {} : { details: { output } };
      return { type: 'RunFailed', data: { error: { ...error, ...details } } };
    }
    return { type: 'RunCompleted', data: output === undefined ? {} : { output } };
  }
  return { type: 'RunFailed', data: { error: toErrorDocument(snapshot.error) } };
};
