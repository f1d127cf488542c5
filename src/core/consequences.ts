/**
 * The consequences of a transition: XState's executable actions, as events of the journal.
 *
 * 1. What a transition starts and stops in one go is neither started nor stopped.
 * 2. Numbers (invocations, children, timers, signals) count what is recorded, on from the state: a replay gives the
 *    same ids, and no id is given twice.
 * 3. What cannot be recorded throws; the caller quarantines the run and keeps the fact.
 */
import type { AnyMachineSnapshot } from 'xstate';
import { isParentStub, isSelf, type MachineAction, type Transition } from './durable-machine.ts';
import { EclError, toErrorDocument } from './errors.ts';
import { childRunId } from './ids.ts';
import { MachineEvent, type Consequence, type Fact } from './journal-events.ts';
import { asJson } from './json-value.ts';
import { limits } from './limits.ts';
import { inlineReason } from './machine-rules.ts';
import type { RunState } from './run-state.ts';

interface ActorRef {
  readonly id: string;
  readonly sessionId?: string;
}

/** An actor as it stands within the transition. */
interface Standing {
  readonly child: boolean;
  /** Invocation or run; undefined for one that this transition starts, until that start is counted. */
  reference: string | undefined;
  /** Place of its start in the list, when this transition starts it. */
  readonly at: number | undefined;
}

/** A run that events are sent to; it has no id yet while its start is not counted. */
type Receiver = Pick<Standing, 'reference'>;

/** Made last, when it is known what was taken back; undefined for what goes to an actor that never started. */
type Draft = () => Consequence | undefined;

/** The last instant that a Date can name. */
const instantMax = 8_640_000_000_000_000;

/** What the actions of one transition have asked for so far. */
class Consequences {
  readonly #state: RunState;
  readonly #now: number;
  /** In order; undefined where a later action took an earlier one back. */
  readonly #drafts: (Draft | undefined)[] = [];
  readonly notifications: MachineAction[] = [];
  /** Actors by id. */
  readonly #actors: Map<string, Standing>;
  /** XState lists what is sent to an actor before that actor's start. */
  readonly #unaddressed: SendParams[] = [];
  /** Place in the list of each timer that this transition sets, by id. */
  readonly #timers = new Map<string, number>();
  readonly #cancelledTimers = new Set<string>();
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

  /** All of them; nothing can be added after this. A machine that ended leaves no actor behind. */
  finish(ended: boolean): Consequence[] {
    for (const send of this.#unaddressed) this.#send(send, true);
    if (ended) for (const id of this.#actors.keys()) this.#stop({ id });
    return this.#drafts.map((draft) => draft?.()).filter((made) => made !== undefined);
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
        return this.#cancel((action.params as { sendId: string }).sendId);
      case 'xstate.sendTo':
        return this.#send(action.params as SendParams, false);
      case 'xstate.emit':
        return this.#emit((action.params as { event: unknown }).event);
      default:
        this.notifications.push(action);
    }
  }

  #push(draft: Draft): number {
    return this.#drafts.push(draft) - 1;
  }

  #spawn({ actorRef, src, input }: SpawnParams): void {
    const { machine } = this.#state;
    if (typeof src !== 'string') throw refused(machine.id, inlineReason);
    const logic = machine.logic(src);
    if (logic === undefined || actorRef === undefined) {
      throw refused(machine.id, `it spawns "${src}", which setup({ actors }) lacks`);
    }
    const given = input === undefined ? {} : { input: asJson(input, `the input of ${src}`) };
    const { id } = actorRef;
    if (this.#actors.has(id)) this.#stop(actorRef);
    // XState numbers an actor without an id by what its process did before, which no replay could repeat.
    const nameless = id === actorRef.sessionId;
    const child = 'machine' in logic;
    const standing: Standing = { child, reference: undefined, at: this.#drafts.length };
    this.#actors.set(id, standing);
    if (child) {
      if (this.#state.started.depth >= limits.childDepthMax) {
        throw new EclError('child.too-deep', { limit: limits.childDepthMax });
      }
      const workflow = logic.machine.id;
      this.#push(() => {
        const run = childRunId(this.#state.id, (this.#spawned += 1));
        standing.reference = run;
        const actor = nameless ? run : id;
        return { type: 'ChildSpawned', data: { run, actor, source: src, workflow, ...given } };
      });
      return;
    }
    this.#push(() => {
      const invocation = `${src}#${(this.#invocations += 1)}`;
      standing.reference = invocation;
      const actor = nameless ? invocation : id;
      return { type: 'StepScheduled', data: { invocation, name: src, actor, ...given } };
    });
  }

  #stop(actorRef: ActorRef | undefined): void {
    if (actorRef === undefined) return;
    const actor = this.#actors.get(actorRef.id);
    if (actor === undefined) return;
    this.#actors.delete(actorRef.id);
    if (actor.at !== undefined) {
      this.#drafts[actor.at] = undefined;
      return;
    }
    const reference = actor.reference!;
    if (reference === this.#finished) return;
    if (this.#state.steps.has(reference)) {
      this.#push(() => ({ type: 'StepCancelled', data: { invocation: reference } }));
    } else if (this.#state.children.has(reference)) {
      this.#push(() => ({ type: 'ChildCancelled', data: { run: reference } }));
    }
  }

  #raise({ event, id, delay }: RaiseParams): void {
    if (typeof delay !== 'number') return;
    const own = { reference: this.#state.id };
    this.#setTimer({ event: this.#checked(event, 'the delayed event'), id, delay }, own);
  }

  #setTimer(
    { event, id, delay }: { event: MachineEvent; id: string | undefined; delay: number },
    receiver: Receiver,
  ): void {
    const dueAt = Math.ceil(this.#now + Math.max(0, delay));
    if (!(dueAt <= instantMax)) {
      throw refused(this.#state.machine.id, `the delay ${delay} of "${event.type}" is not a time`);
    }
    const at = this.#push(() => {
      const { reference } = receiver;
      if (reference === undefined) return undefined;
      const to = reference === this.#state.id ? {} : { to: reference };
      const timer = id ?? `timer-${(this.#timersSet += 1)}`;
      return { type: 'TimerSet', data: { id: timer, dueAt, event, ...to } };
    });
    if (id === undefined) return;
    const before = this.#timers.get(id);
    if (before !== undefined) this.#drafts[before] = undefined;
    this.#timers.set(id, at);
  }

  #cancel(id: string): void {
    const at = this.#timers.get(id);
    if (at !== undefined) {
      this.#drafts[at] = undefined;
      this.#timers.delete(id);
    }
    const isSet = this.#state.timers.has(id) && id !== this.#finished;
    if (!isSet || this.#cancelledTimers.has(id)) return;
    this.#cancelledTimers.add(id);
    this.#push(() => ({ type: 'TimerCancelled', data: { id } }));
  }

  #send(params: SendParams, last: boolean): void {
    const { to, id, delay } = params;
    const receiver = this.#receiver(to);
    if (receiver === undefined) {
      if (!last) this.#unaddressed.push(params);
      return;
    }
    const event = this.#checked(params.event, 'the sent event');
    if (typeof delay === 'number') {
      this.#setTimer({ event, id, delay }, receiver);
      return;
    }
    this.#push(() => {
      const { reference } = receiver;
      if (reference === undefined) return undefined;
      const signal = `${this.#state.id}/${(this.#sent += 1)}`;
      return { type: 'SignalSent', data: { id: signal, to: reference, event } };
    });
  }

  /** The run that an actor ref stands for. A step takes no events, as a promise takes none; nor does who has ended. */
  #receiver(to: ActorRef | undefined): Receiver | undefined {
    if (isParentStub(to)) return { reference: this.#state.started.parent?.run };
    if (isSelf(to)) return { reference: this.#state.id };
    if (to === undefined) throw refused(this.#state.machine.id, 'it sends to no actor');
    const actor = this.#actors.get(to.id);
    if (actor?.child !== true) return undefined;
    const hasEnded = actor.reference !== undefined && actor.reference === this.#finished;
    return hasEnded ? undefined : actor;
  }

  #emit(event: unknown): void {
    const emitted = this.#checked(event, 'the emitted event');
    this.#push(() => ({ type: 'EventEmitted', data: { event: emitted } }));
  }

  /** An event that a journal can hold: JSON, with a type. */
  #checked(event: unknown, what: string): MachineEvent {
    const parsed = MachineEvent.safeParse(event);
    if (!parsed.success) {
      throw refused(this.#state.machine.id, `${what} has no type of 1 to 256 characters`);
    }
    return asJson(event as MachineEvent, `${what} ${parsed.data.type}`);
  }
}

interface SpawnParams {
  readonly actorRef?: ActorRef;
  readonly src: unknown;
  readonly input?: unknown;
}

interface RaiseParams {
  readonly event: unknown;
  readonly id?: string;
  readonly delay?: number;
}

interface SendParams extends RaiseParams {
  readonly to?: ActorRef;
}

/** What the fact has brought to its end: an invocation, a child run or a timer. */
const finishedBy = (fact: Fact): string | undefined => {
  if (fact.type === 'TimerFired') return fact.data.id;
  if ('invocation' in fact.data) return fact.data.invocation;
  return 'run' in fact.data ? fact.data.run : undefined;
};

const refused = (workflow: string, reason: string): EclError =>
  new EclError('workflow.refused', { workflow, reason });

export const consequencesOf = (
  state: RunState,
  fact: Fact,
  transition: Transition,
  now: number,
): { consequences: Consequence[]; notifications: MachineAction[] } => {
  const ended = transition.snapshot.status !== 'active';
  if (transition.actions.length === 0 && !ended) return { consequences: [], notifications: [] };
  const consequences = new Consequences(state, fact, now);
  for (const action of transition.actions) consequences.add(action);
  return {
    consequences: consequences.finish(ended),
    notifications: consequences.notifications,
  };
};

const outputError = (output: unknown, state: unknown): { code: string; message: string } => {
  const nested =
    typeof output === 'object' && output !== null && 'error' in output ? output.error : undefined;
  if (typeof nested === 'object' && nested !== null && 'message' in nested) {
    const code = 'code' in nested && typeof nested.code === 'string' ? nested.code : 'run.failed';
    return { code, message: String(nested.message) };
  }
  return {
    code: 'run.failed',
    message: `the machine ended in the failed state ${typeof state === 'string' ? state : JSON.stringify(state)}`,
  };
};

/** How the machine ended, if it did: a final state with the tag `failed` is a failure. */
export const machineEnding = (snapshot: AnyMachineSnapshot): Consequence | undefined => {
  if (snapshot.status === 'active') return undefined;
  if (snapshot.status === 'done') {
    const output: unknown = asJson(snapshot.output as unknown, 'the output');
    if ((snapshot.tags as ReadonlySet<string>).has('failed')) {
      const error = outputError(output, snapshot.value);
      const details = output === undefined ? {} : { details: { output } };
      return { type: 'RunFailed', data: { error: { ...error, ...details } } };
    }
    return { type: 'RunCompleted', data: output === undefined ? {} : { output } };
  }
  return { type: 'RunFailed', data: { error: toErrorDocument(snapshot.error) } };
};
