/**
 * An XState machine as ECL runs it: moved only by its pure transition, through one inert scope, with placeholders for
 * its actors. No live actor ever exists, so nothing re-runs on restore.
 *
 * 1. What cannot be durable is refused here, before any run starts, with what to use instead.
 * 2. `maxIterations` is infinite in XState by default; here it is not.
 * 3. The scope is semi-internal to XState; test/regressions/xstate-traps.test.ts pins what is relied on.
 * 4. A snapshot is always in document order, so that a restored run goes on as the one that never stopped.
 */
import {
  createActor,
  type AnyActorLogic,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
} from 'xstate';
import { inDocumentOrder } from './document-order.ts';
import { EclError } from './errors.ts';
import { limits } from './limits.ts';
import { checkMachine, isMachine, systemIdReason } from './machine-rules.ts';
import { machineStructure } from './machine-structure.ts';

/** An action that a transition asks for, as XState's pure mode returns it. */
export interface MachineAction {
  readonly type: string;
  readonly params: unknown;
  readonly info?: unknown;
  readonly exec?: ((info: unknown, params: unknown) => void) | undefined;
}

export interface Transition {
  readonly snapshot: AnyMachineSnapshot;
  readonly actions: readonly MachineAction[];
}

export interface DurableMachine {
  readonly id: string;
  readonly version: string;
  /** sha-256 of the structure; a run is pinned to it. */
  readonly structure: string;
  readonly machine: AnyStateMachine;
  /** Event types from outside that some state handles; '*' and 'prefix.*' are wildcards. */
  readonly events: ReadonlySet<string>;
  /** Names of all actor logics, those that stand inline in an `invoke` included. */
  readonly sources: readonly string[];
  /** The actor logic that a name stands for; a machine's is durable itself. */
  logic(source: string): { step: AnyActorLogic } | { machine: DurableMachine } | undefined;
  start(input: unknown, parent: boolean): Transition;
  next(snapshot: AnyMachineSnapshot, event: { type: string }, parent: boolean): Transition;
  restore(persisted: unknown): AnyMachineSnapshot;
  persist(snapshot: AnyMachineSnapshot): unknown;
}

/** Stands for every actor in the pure transition: it is created, never started. */
const placeholder = {
  transition: (snapshot: unknown) => snapshot,
  getInitialSnapshot: () => ({ status: 'active', output: undefined, error: undefined }),
  getPersistedSnapshot: () => ({ status: 'active' }),
  restoreSnapshot: () => ({ status: 'active', output: undefined, error: undefined }),
} as unknown as AnyActorLogic;

interface Scope {
  readonly self: object;
  actionExecutor: (action: MachineAction) => void;
}

/** The scope of `transition()` in xstate/src/transition.ts, kept instead of made anew at every call. */
const inertScope = (machine: AnyStateMachine, parent: boolean): Scope => {
  const self = createActor(placeholder, { id: machine.id });
  selves.add(self);
  if (parent) Object.assign(self, { _parent: createActor(placeholder, { id: '#_parent' }) });
  const { system } = self as unknown as { system: object };
  const ignore = (): void => {};
  const refuse = (reason: string) => (): never => {
    throw new EclError('workflow.refused', { workflow: machine.id, reason });
  };
  // The system is shared by all runs of the machine, so a name that one of them gave would be taken for the others.
  Object.assign(system, { _set: refuse(systemIdReason) });
  return {
    self,
    // Only `spawn` gets here: it starts an actor on the spot, where all other actions are returned as data.
    defer: refuse(
      'it uses spawn() in assign or in its context; use spawnChild with an id, and address the child by that id',
    ),
    id: machine.id,
    logger: ignore,
    sessionId: machine.id,
    stopChild: ignore,
    system,
    emit: ignore,
    actionExecutor: ignore,
  } as Scope;
};

/** Whether an event may come from outside: neither one of XState's own, nor a wildcard, which XState takes for none. */
export const isExternal = (type: string): boolean =>
  !type.startsWith('xstate.') && type !== '' && type !== '*';

const isHandledFromOutside = (descriptor: string): boolean =>
  descriptor === '*' || isExternal(descriptor);

/** An actor that stands inline in an `invoke` gets its placeholder in the config of its state. */
const withInertInvokes = (node: AnyStateNode): void => {
  const invokes = [(node.config.invoke as unknown) ?? []].flat() as { src?: unknown }[];
  if (invokes.length > 0) {
    const invoke = invokes.map((each) =>
      typeof each.src === 'string' ? each : { ...each, src: placeholder },
    );
    Object.assign(node, { config: { ...node.config, invoke } });
  }
  for (const child of Object.values(node.states)) withInertInvokes(child);
};

const withPlaceholders = (machine: AnyStateMachine): AnyStateMachine => {
  const names = Object.keys(machine.implementations.actors);
  const inert = machine.provide({
    actors: Object.fromEntries(names.map((name) => [name, placeholder])),
  } as never) as AnyStateMachine;
  withInertInvokes(inert.root);
  const configured = (machine.config as { options?: { maxIterations?: number } }).options;
  const options = inert as unknown as { options: { maxIterations: number } };
  options.options = {
    ...options.options,
    maxIterations: configured?.maxIterations ?? limits.microstepsMax,
  };
  return inert;
};

const selves = new WeakSet<object>();

/** The machine itself, as `self` and as the target of what it sends to itself. */
export const isSelf = (target: unknown): boolean =>
  typeof target === 'object' && target !== null && selves.has(target);

/** The parent's stub, which `sendParent` addresses. */
export const isParentStub = (target: unknown): boolean =>
  typeof target === 'object' && target !== null && (target as { id?: string }).id === '#_parent';

const logicLookup = (
  machine: AnyStateMachine,
  version: string,
): Pick<DurableMachine, 'logic'>['logic'] => {
  const known = new Map<string, ReturnType<DurableMachine['logic']>>();
  return (source) => {
    if (!known.has(source)) {
      const logic = resolveLogic(machine, source);
      const resolved =
        logic === undefined
          ? undefined
          : isMachine(logic)
            ? { machine: durableMachine(logic, { version: logic.version ?? version }) }
            : { step: logic };
      known.set(source, resolved);
    }
    return known.get(source);
  };
};

const actorSources = (machine: AnyStateMachine): string[] => {
  const names = new Set(Object.keys(machine.implementations.actors));
  const visit = (node: AnyStateNode): void => {
    for (const invoke of node.invoke) if (typeof invoke.src === 'string') names.add(invoke.src);
    for (const child of Object.values(node.states)) visit(child);
  };
  visit(machine.root);
  return [...names];
};

/** What a `src` stands for; an inline logic of an `invoke` is named by its place in the machine. */
export const resolveLogic = (
  machine: AnyStateMachine,
  source: string,
): AnyActorLogic | undefined => {
  const actors = machine.implementations.actors as Record<string, unknown>;
  const named = Object.hasOwn(actors, source) ? actors[source] : undefined;
  if (named !== undefined) {
    return (
      typeof named === 'object' && named !== null && 'src' in named ? named.src : named
    ) as AnyActorLogic;
  }
  const inline = /^xstate\.invoke\.(\d+)\.(.*)$/.exec(source);
  if (inline === null) return undefined;
  const invoke = machine.getStateNodeById(inline[2]!).config.invoke as unknown;
  const definition = (Array.isArray(invoke) ? invoke[Number(inline[1])] : invoke) as
    | { src?: unknown }
    | undefined;
  return definition?.src as AnyActorLogic | undefined;
};

/**
 * Makes a machine durable, or refuses it.
 *
 * @param options.version in place of the machine's own
 * @throws EclError `workflow.refused`
 */
export const durableMachine = (
  machine: AnyStateMachine,
  options: { version?: string } = {},
): DurableMachine => {
  const version = options.version ?? machine.version;
  if (version === undefined) {
    throw new EclError('workflow.refused', {
      workflow: machine.id,
      reason: 'it has no version; add `version: "1.0.0"` to its config',
    });
  }
  checkMachine(machine);
  const inert = withPlaceholders(machine);
  const scopes = { root: inertScope(inert, false), child: inertScope(inert, true) };

  const collect = (scope: Scope, move: (scope: never) => AnyMachineSnapshot): Transition => {
    const actions: MachineAction[] = [];
    scope.actionExecutor = (action) => actions.push(action);
    return { snapshot: inDocumentOrder(move(scope as never)), actions };
  };
  const scopeOf = (parent: boolean): Scope => (parent ? scopes.child : scopes.root);

  return {
    id: machine.id,
    version,
    structure: machineStructure(machine),
    machine: inert,
    events: new Set(machine.events.filter(isHandledFromOutside)),
    sources: actorSources(machine),
    logic: logicLookup(machine, version),
    start: (input, parent) =>
      collect(scopeOf(parent), (scope) => inert.getInitialSnapshot(scope, input)),
    next: (snapshot, event, parent) =>
      collect(scopeOf(parent), (scope) => inert.transition(snapshot, event, scope)),
    restore: (persisted) =>
      inDocumentOrder(inert.restoreSnapshot(persisted as never, scopes.root as never)),
    persist: (snapshot) => inert.getPersistedSnapshot(snapshot),
  };
};

/** By machine and state value; a machine with more combinations than this is computed anew. */
const acceptsKnown = new WeakMap<object, Map<string, readonly string[]>>();
const acceptsKnownMax = 1_000;

interface Handler {
  readonly target?: unknown;
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
}

/** What `snapshot.can()` asks: a transition that goes nowhere and does nothing only forbids the event. */
const does = ({ target, actions }: Handler): boolean => target !== undefined || actions.length > 0;

const computeAccepts = (snapshot: AnyMachineSnapshot): readonly string[] => {
  const nodes = snapshot._nodes as readonly AnyStateNode[];
  const types = new Set<string>();
  for (const leaf of nodes.filter((node) => node.type === 'atomic' || node.type === 'final')) {
    // What a state forbids, the states around it do not handle either.
    const forbidden = new Set<string>();
    for (let node: AnyStateNode | undefined = leaf; node !== undefined; node = node.parent) {
      const handlers = node.transitions as unknown as ReadonlyMap<string, readonly Handler[]>;
      for (const [type, candidates] of handlers) {
        if (!isHandledFromOutside(type) || forbidden.has(type)) continue;
        if (candidates.some(does)) types.add(type);
        if (candidates.some((each) => !does(each) && each.guard === undefined)) forbidden.add(type);
      }
    }
  }
  return [...types].toSorted();
};

/** Event types from outside that the active states handle, whatever their guards say. */
export const acceptedEvents = (snapshot: AnyMachineSnapshot): readonly string[] => {
  if (snapshot.status !== 'active') return [];
  const value: unknown = snapshot.value;
  const key = typeof value === 'string' ? value : JSON.stringify(value);
  let known = acceptsKnown.get(snapshot.machine);
  if (known === undefined) acceptsKnown.set(snapshot.machine, (known = new Map()));
  let accepts = known.get(key);
  if (accepts === undefined) {
    accepts = computeAccepts(snapshot);
    if (known.size < acceptsKnownMax) known.set(key, accepts);
  }
  return accepts;
};

/** Whether an event descriptor (`a.b`, `a.*`, `*`) covers a type from outside. */
export const covers = (descriptor: string, type: string): boolean =>
  isExternal(type) &&
  (descriptor === type ||
    descriptor === '*' ||
    (descriptor.endsWith('.*') &&
      (type === descriptor.slice(0, -2) || type.startsWith(descriptor.slice(0, -1)))));
