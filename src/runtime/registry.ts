/**
 * The workflows that this process knows, several versions side by side.
 *
 * 1. A run finds its machine by workflow, version and structure, or it is blocked, with both sides shown.
 * 2. Machines that a workflow invokes are found through it; they are not started by name.
 */
import { toWorkflow, type Workflow, type WorkflowLike } from '../authoring/workflow.ts';
import { durableMachine, type DurableMachine } from '../core/durable-machine.ts';
import { EclError } from '../core/errors.ts';
import { checkName } from '../core/ids.ts';
import type { JournalData } from '../core/journal-events.ts';
import { nearestNames } from '../core/nearest.ts';

export interface RegisteredWorkflow {
  readonly workflow: Workflow;
  readonly durable: DurableMachine;
  /** Where it was loaded from, for another process to find it again. */
  readonly module: string | undefined;
}

export interface RegisterOptions {
  /** Where it was loaded from, as a run records it. */
  readonly module?: string;
  readonly beside?: boolean;
}

export class Registry {
  readonly #byId = new Map<string, RegisteredWorkflow[]>();
  /** Invoked machines, by id and structure. */
  readonly #invoked = new Map<string, DurableMachine>();

  /** What was registered by identity: starting a run of it again costs a look-up. */
  readonly #known = new WeakMap<object, RegisteredWorkflow>();

  /**
   * @param options.beside takes a workflow whose id and version another one has with another structure: runs find
   * theirs by structure, and `get` goes on giving the other one. @default false
   * @throws EclError `workflow.refused`, `workflow.duplicate`, `id.invalid`
   */
  register(value: WorkflowLike, options: RegisterOptions = {}): RegisteredWorkflow {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const registered = this.#add(value, options);
    this.#known.set(value, registered);
    return registered;
  }

  #add(value: WorkflowLike, { module, beside = false }: RegisterOptions): RegisteredWorkflow {
    const workflow = toWorkflow(value);
    checkName('The workflow id', workflow.id);
    const durable = durableMachine(workflow.machine, { version: workflow.version });
    const { version, structure } = durable;
    const known = this.#byId.get(workflow.id) ?? [];
    const same = known.filter((each) => each.durable.version === version);
    const found = same.find((each) => each.durable.structure === structure);
    if (found !== undefined) return found;
    if (same.length > 0 && !beside) {
      throw new EclError('workflow.duplicate', { workflow: workflow.id, version });
    }
    const registered = { workflow, durable, module };
    const all = same.length > 0 ? [registered, ...known] : [...known, registered];
    this.#byId.set(workflow.id, all);
    this.#registerInvoked(durable);
    return registered;
  }

  /** The latest registered version. @throws EclError `workflow.not-found` with the nearest names */
  get(id: string): RegisteredWorkflow {
    const found = this.#byId.get(id)?.at(-1);
    if (found !== undefined) return found;
    const nearest = nearestNames(id, [...this.#byId.keys()]);
    throw new EclError('workflow.not-found', {
      workflow: id,
      nearest: nearest.length > 0 ? ` Did you mean ${nearest.join(' or ')}?` : '',
      candidates: nearest,
    });
  }

  list(): RegisteredWorkflow[] {
    return [...this.#byId.values()].flat();
  }

  /** The registered workflow that a run was started with. */
  find(
    started: Pick<JournalData<'RunStarted'>, 'workflow' | 'version' | 'structure'>,
  ): RegisteredWorkflow | undefined {
    return this.#byId
      .get(started.workflow)
      ?.find(
        ({ durable }) =>
          durable.version === started.version && durable.structure === started.structure,
      );
  }

  /**
   * The machine that a run is pinned to.
   * @throws EclError `run.blocked`
   */
  machineOf(run: string, started: JournalData<'RunStarted'>): DurableMachine {
    const blocked = blockedReason(this, started);
    if (blocked !== undefined) throw new EclError('run.blocked', { run, ...blocked });
    return (
      this.find(started)?.durable ?? this.#invoked.get(`${started.workflow}#${started.structure}`)!
    );
  }

  hasInvoked(workflow: string, structure: string): boolean {
    return this.#invoked.has(`${workflow}#${structure}`);
  }

  #registerInvoked(parent: DurableMachine): void {
    for (const source of parent.sources) {
      const logic = parent.logic(source);
      if (logic === undefined || !('machine' in logic)) continue;
      const key = `${logic.machine.id}#${logic.machine.structure}`;
      if (this.#invoked.has(key)) continue;
      this.#invoked.set(key, logic.machine);
      this.#registerInvoked(logic.machine);
    }
  }
}

/** Why a run cannot go on with the workflows that are registered, or undefined when it can. */
export const blockedReason = (
  registry: Registry,
  started: Pick<JournalData<'RunStarted'>, 'workflow' | 'version' | 'structure'>,
): { reason: string; expected: string; got?: string } | undefined => {
  const { workflow, version, structure } = started;
  if (registry.hasInvoked(workflow, structure)) return undefined;
  if (registry.find(started) !== undefined) return undefined;
  const versions = registry.list().filter((each) => each.workflow.id === workflow);
  const same = versions.find((each) => each.durable.version === version);
  if (same !== undefined) {
    return {
      reason: `the machine ${workflow}@${version} has another structure now (started with ${structure.slice(0, 12)}, registered is ${same.durable.structure.slice(0, 12)}); register the old machine under its version and the new one under another`,
      expected: structure,
      got: same.durable.structure,
    };
  }
  const known = versions.map((each) => each.durable.version).join(', ');
  return {
    reason: `the workflow ${workflow}@${version} is not registered${known === '' ? '' : ` (registered: ${known})`}`,
    expected: structure,
  };
};
