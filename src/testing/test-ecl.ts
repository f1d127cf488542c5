/**
 * An ECL for tests: the real runtime on a store in memory, with time and model in the hands of the test.
 *
 * 1. Nothing calls a provider: without a model the first call fails and says what was asked.
 * 2. A restart is as hard as SIGKILL: what was not stored is lost, what was in flight never reports.
 */
import pino from 'pino';
import { createMemoryArtifactStore } from '../adapters/memory/artifact-store.ts';
import { createMemoryEventStore } from '../adapters/memory/event-store.ts';
import type { Script } from '../adapters/scripted/script.ts';
import { createEcl, type EclOptions } from '../main.ts';
import type { Model } from '../ports/model.ts';
import type { Ecl } from '../runtime/ecl.ts';
import { replayJournal } from '../runtime/phases/replay-journal.ts';
import { asModel } from './scripted-model.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { connect, type Connection, type World } from './test-connection.ts';

export interface TestEclOptions extends Omit<EclOptions, 'store' | 'model' | 'access'> {
  /** A model, its name, or a script for one. @default a script without entries */
  readonly model?: string | Model | Script;
  /** @default a SimulatedClock of its own, which never moves */
  readonly clock?: SimulatedClock;
  /** The process dies when it has stored this many decisions: for tests of a crash at every place. @default it lives */
  readonly crashAfter?: number;
}

interface Opened {
  readonly world: World;
  readonly options: TestEclOptions;
  readonly connection: Connection;
}

const opened = new WeakMap<Ecl, Opened>();

const open = async (world: World, options: TestEclOptions): Promise<Ecl> => {
  const { crashAfter, ...given } = options;
  const connection = connect(world, crashAfter);
  const ecl = await createEcl({
    logger: pino({ level: 'silent' }),
    ...given,
    store: connection.stores,
    model: connection.model,
    clock: connection.clock,
  });
  const close = ecl.close.bind(ecl);
  // A clock that stands still would wait for ever for the grace to pass.
  ecl.close = (options) => close({ graceMs: 0, ...options });
  opened.set(ecl, { world, options, connection });
  return ecl;
};

/**
 * Opens an ECL on an empty store in memory.
 *
 * @example
 * const clock = new SimulatedClock();
 * const ecl = await createTestEcl({ workflows: [flow], model: [{ reply: { text: 'yes' } }], clock });
 */
export const createTestEcl = (options: TestEclOptions = {}): Promise<Ecl> => {
  const { model = [], clock = new SimulatedClock() } = options;
  const world: World = {
    events: createMemoryEventStore(),
    artifacts: createMemoryArtifactStore(),
    clock,
    model: typeof model === 'string' ? model : asModel(model),
  };
  return open(world, options);
};

const openedOf = (ecl: Ecl): Opened => {
  const found = opened.get(ecl);
  if (found === undefined) throw new TypeError('this ECL was not made by createTestEcl');
  return found;
};

/**
 * Ends an ECL as a crash does, and opens another one over what it had stored. Handles on its runs are dead: get new ones
 * by `ecl.get(id)`. It works after `close()` too, for a process that was away for a while.
 *
 * @param changes what the new process has otherwise, for example another version of a workflow
 */
export const simulateRestart = async (
  ecl: Ecl,
  changes: Pick<TestEclOptions, 'workflows' | 'budget' | 'limits' | 'crashAfter'> = {},
): Promise<Ecl> => {
  const { world, options, connection } = openedOf(ecl);
  const { crashAfter: _, ...kept } = options;
  connection.cut();
  await ecl.system.stop(0);
  return open(world, { ...kept, ...changes });
};

/**
 * Replays a run's journal through the machines that are registered now, and compares every decision.
 *
 * @throws Error with the first revision that is decided otherwise
 */
export const expectReplay = async (ecl: Ecl, run: string): Promise<void> => {
  const replayed = await replayJournal(ecl.system.services, run);
  switch (replayed.kind) {
    case 'ready':
      return;
    case 'missing':
      throw new Error(`there is no run ${run}`);
    case 'blocked':
      throw replayed.error;
    case 'diverged': {
      const { revision, type, reason } = replayed.divergence;
      throw new Error(`${run} does not replay at revision ${revision} (${type}): ${reason}`);
    }
  }
};
