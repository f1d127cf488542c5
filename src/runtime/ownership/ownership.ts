/**
 * Which partitions this process owns, in a store that several share: it takes leases, keeps itself alive in the log, hands
 * partitions over, and lets go of what others took.
 *
 * 1. The log decides: a partition is held from the acknowledged record that took it to the next record of its lease.
 * 2. A lost lease is dropped at once, whether the subscription tells of it or a refused append.
 * 3. A process that has not seen its own sign of life for as long as it takes to be held dead starts nothing until it
 *    sees the next one: by then it has seen all that was taken from it meanwhile.
 * 4. What is handed over in quiet times is idle: an execution under way is waited for, not ended.
 */
import type { Logger } from 'pino';
import { isEclError } from '../../core/errors.ts';
import { journalPrefix, runIdOfStream } from '../../core/ids.ts';
import {
  applyLease,
  applyWorker,
  leasePrefix,
  leaseStream,
  newLeaseTable,
  parseLeaseRecord,
  partitionOfStream,
  planLeases,
  workersStream,
  type LeaseTable,
  type WorkerRole,
} from '../../core/leases.ts';
import type { Limits } from '../../core/limits.ts';
import { partitionOf } from '../../core/partitions.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AppendOptions, EventStore, RecordedEvent } from '../../ports/event-store.ts';
import type { IdGenerator } from '../../ports/id-generator.ts';
import { LeaseLog, readLeases } from './lease-log.ts';
import { SharedFeed } from './shared-feed.ts';
import { SignsOfLife } from './signs-of-life.ts';

/** What the owner of partitions can have done to their runs. */
export interface OwnedRuns {
  /** Takes up what the runs of these partitions owe. */
  gained(partitions: ReadonlySet<number>): void;
  /** Drops what is in memory of a partition: somebody else goes on with it. */
  lost(partition: number): void;
  /** Goes on where nothing was allowed to start for a while. */
  resumed(partitions: Iterable<number>): void;
  /** Executions under way, of the partitions that have any. */
  loads(): ReadonlyMap<number, number>;
  /** Resolves when nothing is under way in a partition. */
  idle(partition: number): Promise<void>;
  /** Another process moved a run. */
  heard(run: string, revision: number): void;
}

export interface OwnershipParts {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ids: IdGenerator;
  readonly limits: Limits;
  /** This process, as its events name it. */
  readonly writer: string;
  /** `observer` hears of the others and takes nothing. */
  readonly role: WorkerRole | 'observer';
  /** Where it runs, for people: host and process id. */
  readonly place: string;
}

interface Held {
  readonly revision: number;
  readonly options: AppendOptions | undefined;
}

/** How long a partition with long executions is left alone before it is asked for again, in milliseconds. */
const coolingMs = 60_000;
/** How long leaving may take once nothing is under way any more, in milliseconds. */
const leaveMsMax = 2_000;

export class Ownership {
  readonly #parts: OwnershipParts;
  readonly #log: LeaseLog;
  readonly #feed: SharedFeed;
  readonly #life: SignsOfLife;
  readonly #table: LeaseTable;
  readonly #held = new Map<number, Held>();
  /** Partitions that are on their way out: nothing starts there. */
  readonly #draining = new Set<number>();
  readonly #releasing = new Set<number>();
  readonly #cooling = new Map<number, number>();
  readonly #wanted = new Set<number>();
  #runs: OwnedRuns | undefined;
  #following: Promise<void> | undefined;
  #isSuspended = false;
  #isLeaving = false;
  #isLeft = false;
  /** Executions that wait to hear whether this process is still taken for alive. */
  #waiting: (() => void)[] = [];
  #isPlanning = false;
  #isPlanStale = false;

  constructor(parts: OwnershipParts) {
    const { store, clock, logger, ids, limits, writer, place } = parts;
    this.#parts = parts;
    this.#log = new LeaseLog({ store, clock, ids });
    const streamPrefixes = [journalPrefix(), leasePrefix];
    this.#feed = new SharedFeed({ store, clock, logger, streamPrefixes });
    const role = parts.role === 'observer' ? 'guest' : parts.role;
    this.#table = newLeaseTable({ worker: writer, role, place }, limits.leaseMissedBeatsMax);
    this.#life = new SignsOfLife({
      clock,
      beatMs: limits.leaseBeatMs,
      missedMax: limits.leaseMissedBeatsMax,
      tell: (beat) => {
        // One that leaves keeps what is still under way, and claims no share any more.
        const data = {
          worker: writer,
          role: this.#isLeaving ? 'guest' : role,
          place,
          beat,
        } as const;
        return this.#log.tell({ type: 'WorkerSeen', data });
      },
      failed: (error) => logger.warn({ err: error }, 'the sign of life was not stored'),
    });
  }

  /**
   * Hears of the others from now on, and takes part unless it is an observer.
   *
   * @throws EclError `store.unavailable`
   */
  async join(runs: OwnedRuns): Promise<void> {
    const { store, role } = this.#parts;
    this.#runs = runs;
    const from = await store.lastPosition();
    await readLeases(store, this.#table);
    this.#following = this.#feed.run(from, (event) => this.#hear(event));
    if (role === 'observer') return;
    await this.#life.begin();
    this.#planSoon();
  }

  /** Whether what a run owes may start in this process now. */
  owns(run: string): boolean {
    const partition = partitionOf(run);
    if (!this.#held.has(partition) || this.#draining.has(partition) || this.#isLeaving)
      return false;
    if (this.#life.isFresh) return true;
    this.#isSuspended = true;
    return false;
  }

  /** Whether this process holds the lease of a run, even while nothing may start. */
  holds(run: string): boolean {
    return this.#held.has(partitionOf(run));
  }

  /**
   * Whether an execution under way may do the next thing that the outside world sees. Where this process may have been
   * taken for dead meanwhile, the answer waits until the log has told.
   */
  async mayGoOn(run: string): Promise<boolean> {
    while (this.holds(run)) {
      if (this.#life.isFresh || this.#isLeft) return true;
      this.#isSuspended = true;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return false;
  }

  /** The condition on every append of the owner; undefined for others, and where the store has no checks. */
  appendOptions(run: string): AppendOptions | undefined {
    return this.#held.get(partitionOf(run))?.options;
  }

  /** An append was refused because the lease of its run has moved. */
  refused(run: string): void {
    const partition = partitionOf(run);
    if (!this.#held.has(partition)) return;
    // Whose it is now is heard later; until then it is nobody's, at a revision that is known to be old.
    this.#table.leases[partition]!.worker = undefined;
    this.#lose(partition);
  }

  /** Whether the owner of a run still is, after its append met another revision: asks the log where nothing checks. */
  async isConfirmed(run: string): Promise<boolean> {
    const partition = partitionOf(run);
    const { store } = this.#parts;
    const held = this.#held.get(partition);
    if (held === undefined) return false;
    if (store.features.checks) return true;
    if ((await store.lastRevision(leaseStream(partition))) === held.revision) return true;
    this.refused(run);
    return false;
  }

  /** This process works on a run: a guest takes its partition, where nobody else has it. */
  want(run: string): void {
    const partition = partitionOf(run);
    if (this.#parts.role !== 'guest' || this.#wanted.has(partition)) return;
    this.#wanted.add(partition);
    this.#planSoon();
  }

  /** Hands everything over, each partition as soon as nothing is under way in it, and leaves. */
  async leave(): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    if (this.#runs !== undefined && this.#parts.role !== 'observer') {
      this.#life.show();
      await Promise.all([...this.#held.keys()].map((partition) => this.#leaveOne(partition)));
      await this.#within(leaveMsMax, () => this.#tellLeft());
    }
    this.#isLeft = true;
    this.#wake();
    this.#life.end();
    this.#feed.stop();
    await this.#following;
  }

  async #leaveOne(partition: number): Promise<void> {
    await this.#runs!.idle(partition);
    if (this.#held.has(partition)) await this.#within(leaveMsMax, () => this.#release(partition));
  }

  async #tellLeft(): Promise<void> {
    try {
      await this.#log.tell({ type: 'WorkerLeft', data: { worker: this.#table.me } });
    } catch (error) {
      this.#warn(error, 'leaving was not told: the others find out');
    }
  }

  #hear(event: RecordedEvent): void {
    const { stream, revision, metadata, type, data } = event;
    const run = runIdOfStream(stream);
    if (run !== undefined) {
      if (metadata.writer !== this.#parts.writer) this.#runs?.heard(run, revision);
      return;
    }
    const record = parseLeaseRecord(type, data);
    if (stream === workersStream) {
      if (record === undefined) return;
      applyWorker(this.#table, record);
      if (record.type === 'WorkerSeen') this.#heardSign(record.data);
      this.#planSoon();
      return;
    }
    const partition = partitionOfStream(stream);
    if (partition === undefined) return;
    if (!applyLease(this.#table, partition, { record, revision })) return;
    if (this.#held.get(partition)?.revision !== revision) this.#lose(partition);
    this.#planSoon();
  }

  #heardSign({ worker, beat }: { readonly worker: string; readonly beat: number }): void {
    if (worker !== this.#table.me) {
      this.#life.heardAnother(this.#table.members.size);
      return;
    }
    this.#life.heardOwn(beat);
    this.#wake();
    if (!this.#isSuspended || !this.#life.isFresh) return;
    this.#isSuspended = false;
    this.#runs?.resumed(this.#held.keys());
  }

  #planSoon(): void {
    if (this.#isLeaving || this.#runs === undefined || this.#parts.role === 'observer') return;
    this.#isPlanStale = true;
    if (this.#isPlanning) return;
    this.#isPlanning = true;
    void this.#planAll().finally(() => {
      this.#isPlanning = false;
    });
  }

  async #planAll(): Promise<void> {
    while (this.#isPlanStale && !this.#isLeaving) {
      this.#isPlanStale = false;
      if (this.#life.isFresh) await this.#plan();
    }
  }

  async #plan(): Promise<void> {
    const loads = this.#runs!.loads();
    const { take, give } = planLeases(this.#table, {
      wanted: this.#wanted,
      load: (partition) => loads.get(partition) ?? 0,
    });
    const gained = new Set(this.#adoptable(give));
    for (const partition of gained) this.#hold(partition, this.#table.leases[partition]!.revision);
    await Promise.all(
      take.map(async (partition) => {
        if (await this.#take(partition)) gained.add(partition);
      }),
    );
    if (gained.size > 0) this.#runs!.gained(gained);
    for (const partition of give) void this.#handOver(partition);
  }

  /** Leases that were taken by an append of unknown outcome, or whose release did not get through. */
  #adoptable(give: readonly number[]): number[] {
    return [...this.#table.leases.keys()].filter(
      (partition) =>
        this.#table.leases[partition]!.worker === this.#table.me &&
        !this.#held.has(partition) &&
        !this.#releasing.has(partition) &&
        !give.includes(partition),
    );
  }

  async #take(partition: number): Promise<boolean> {
    const record = { type: 'LeaseTaken', data: { worker: this.#table.me } } as const;
    const revision = await this.#move(partition, record);
    const lease = this.#table.leases[partition]!;
    if (revision === undefined || lease.revision !== revision) return false;
    this.#hold(partition, revision);
    return true;
  }

  async #move(
    partition: number,
    record: { readonly type: 'LeaseTaken' | 'LeaseReleased'; readonly data: { worker: string } },
  ): Promise<number | undefined> {
    try {
      const known = this.#table.leases[partition]!.revision;
      const revision = await this.#log.move(partition, known, record);
      if (revision !== undefined) applyLease(this.#table, partition, { record, revision });
      return revision;
    } catch (error) {
      this.#warn(error, 'the lease was not moved', partition);
      return undefined;
    }
  }

  #hold(partition: number, revision: number): void {
    const checks = [{ stream: leaseStream(partition), revision }];
    const options = this.#parts.store.features.checks ? { checks } : undefined;
    this.#held.set(partition, { revision, options });
  }

  #lose(partition: number): void {
    this.#draining.delete(partition);
    if (!this.#held.delete(partition)) return;
    this.#runs?.lost(partition);
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #handOver(partition: number): Promise<void> {
    const { clock, limits } = this.#parts;
    const isLeft = (this.#cooling.get(partition) ?? -Infinity) > clock.now();
    if (this.#draining.has(partition) || this.#releasing.has(partition) || isLeft) return;
    this.#draining.add(partition);
    const runs = this.#runs!;
    await this.#within(limits.leaseHandOverMs, () => runs.idle(partition));
    if (this.#isLeaving || !this.#draining.has(partition)) return;
    if (!runs.loads().has(partition)) return this.#release(partition);
    this.#draining.delete(partition);
    this.#cooling.set(partition, clock.now() + coolingMs);
    runs.resumed([partition]);
  }

  async #release(partition: number): Promise<void> {
    this.#releasing.add(partition);
    this.#lose(partition);
    await this.#move(partition, { type: 'LeaseReleased', data: { worker: this.#table.me } });
    this.#releasing.delete(partition);
  }

  #warn(error: unknown, message: string, partition?: number): void {
    if (isEclError(error, 'store.closed')) return;
    this.#parts.logger.warn({ partition, err: error }, message);
  }

  async #within(milliseconds: number, work: () => Promise<void>): Promise<void> {
    const { clock } = this.#parts;
    let cancel = (): void => {};
    const limit = new Promise<void>((resolve) => {
      cancel = clock.schedule(clock.now() + milliseconds, resolve);
    });
    await Promise.race([work(), limit]);
    cancel();
  }
}
