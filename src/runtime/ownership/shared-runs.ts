/**
 * What becomes of runs when their partitions change hands, and when other processes move them: the side of the ownership
 * that faces the actor system.
 *
 * 1. A partition that was gained is taken up from the read model, once that shows everything up to then; what other
 *    processes append later is heard of.
 * 2. A run is loaded when this process owns it, holds it in memory, or somebody here waits for it; no other is.
 */
import type { Logger } from 'pino';
import { isEclError } from '../../core/errors.ts';
import { partitionOf } from '../../core/partitions.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OwnProjection, ReadModels } from '../../ports/read-models.ts';
import type { ActorSystem } from '../actor-system.ts';
import type { RunActor } from '../run-actor.ts';
import type { OwnedRuns } from './ownership.ts';

export interface SharedRunsParts {
  readonly system: ActorSystem;
  readonly readModels: ReadModels;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether this process holds the lease of a run. */
  readonly holds: (run: string) => boolean;
  /** Takes up all runs of a partition; otherwise only those that are in memory. */
  readonly takesUpAll: boolean;
}

const retryMs = 2_000;

export class SharedRuns implements OwnedRuns {
  readonly #parts: SharedRunsParts;
  /** Runs that others have moved, and how far, until they are looked at. */
  #moved = new Map<string, number>();

  constructor(parts: SharedRunsParts) {
    this.#parts = parts;
  }

  gained(partitions: ReadonlySet<number>): void {
    this.#persistently('the runs of a partition were not taken up', async () => {
      const { system, readModels, takesUpAll, holds } = this.#parts;
      // What this process only followed may be behind, so each is read on before anything is done.
      await Promise.all(this.#inMemory(partitions).map((actor) => actor.refresh(Infinity)));
      if (!takesUpAll) return;
      await readModels.caughtUp({ of: 'run-summaries' satisfies OwnProjection });
      const owing = [...readModels.directory.owing()];
      await system.recover(
        owing.filter(({ run }) => partitions.has(partitionOf(run)) && holds(run)),
      );
    });
  }

  lost(partition: number): void {
    const { system } = this.#parts;
    const watched: string[] = [];
    for (const { id } of this.#inMemory(new Set([partition]))) {
      if (system.hub.isWatched(id)) watched.push(id);
    }
    system.lose((run) => partitionOf(run) === partition);
    for (const run of watched) this.heard(run, 0);
  }

  resumed(partitions: Iterable<number>): void {
    for (const actor of this.#inMemory(new Set(partitions))) actor.recover();
  }

  loads(): ReadonlyMap<number, number> {
    const loads = new Map<number, number>();
    for (const { id, stepsUnderWay } of this.#parts.system.inMemory()) {
      if (stepsUnderWay === 0) continue;
      const partition = partitionOf(id);
      loads.set(partition, (loads.get(partition) ?? 0) + stepsUnderWay);
    }
    return loads;
  }

  async idle(partition: number): Promise<void> {
    while (this.loads().has(partition)) {
      const actors = this.#inMemory(new Set([partition]));
      await Promise.all(actors.map((actor) => actor.stepsDone()));
    }
  }

  heard(run: string, revision: number): void {
    const { system, holds, clock } = this.#parts;
    if (system.held(run) === undefined && !holds(run) && !system.hub.isWatched(run)) return;
    if (this.#moved.size === 0) clock.schedule(clock.now(), () => this.#look());
    this.#moved.set(run, Math.max(revision, this.#moved.get(run) ?? -1));
  }

  #look(): void {
    const moved = this.#moved;
    this.#moved = new Map();
    for (const [run, revision] of moved) {
      this.#persistently('a run that another process moved was not read', () =>
        this.#parts.system.catchUp(run, revision),
      );
    }
  }

  #inMemory(partitions: ReadonlySet<number>): RunActor[] {
    return [...this.#parts.system.inMemory()].filter(({ id }) => partitions.has(partitionOf(id)));
  }

  /** Again and again while the store is away: nobody else would do it. */
  #persistently(failure: string, work: () => Promise<void>): void {
    const { clock, logger } = this.#parts;
    work().catch((error: unknown) => {
      if (isEclError(error, 'store.closed')) return;
      logger.warn({ err: error }, failure);
      clock.schedule(clock.now() + retryMs, () => this.#persistently(failure, work));
    });
  }
}
