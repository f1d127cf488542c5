/**
 * One projection being folded: what its keys have become since the last commit, and how far it got.
 *
 * 1. Events come in the order of their positions; one at or before the position reached is ignored.
 * 2. A commit writes each changed row once, with the checkpoint, and only if nobody else moved the checkpoint since.
 * 3. Nothing here is worth keeping: `restart` throws it away and goes on from what is stored.
 * 4. An event that the projection fails on is skipped with a log line; the read store failing is the caller's business.
 * 5. Rows that are not in memory are looked up many at a time: their events wait for them, at most until the commit.
 */
import type { Logger } from 'pino';
import type { ReadModel, ReadStore } from '../ports/read-store.ts';
import type { ProjectedEvent } from './projected-event.ts';
import type { FoldSnapshot, Projection } from './projection.ts';
import { VersionedRows } from './projection-rows.ts';

/** A stored row that its own projection cannot read: the projection is to be folded anew. */
export class UnreadableRow extends Error {
  override readonly name = 'UnreadableRow';
  readonly fold: ProjectionFold;

  constructor(fold: ProjectionFold, key: string, cause: unknown) {
    super(`the row ${key} of ${fold.name} does not fit its schema`, { cause });
    this.fold = fold;
  }
}

/** Snapshots kept in each of two generations, so that runs in motion are not read back at every batch. */
const snapshotsMax = 2_048;
/** Rows that events wait for, after which they are looked up. */
const awaitedMax = 512;
/** Events that change no row, after which the checkpoint is moved all the same. */
const passedMax = 10_000;

export class ProjectionFold {
  readonly rows: VersionedRows;
  readonly #projection: Projection<unknown>;
  readonly #model: ReadModel;
  readonly #logger: Logger;
  #stored: bigint | undefined;
  #position: bigint | undefined;
  #passed = 0;
  #recent = new Map<string, FoldSnapshot<unknown>>();
  #earlier = new Map<string, FoldSnapshot<unknown>>();
  readonly #changed = new Set<string>();
  /** Events of rows that are not in memory, by key. */
  readonly #awaited = new Map<string, ProjectedEvent[]>();

  constructor(projection: Projection<unknown>, reads: ReadStore, logger: Logger) {
    const { definition } = projection;
    this.#projection = projection;
    this.#model = reads.open(definition);
    this.#logger = logger;
    this.rows = new VersionedRows(this.#model, projection, reads.older(definition));
  }

  get name(): string {
    return this.#projection.definition.name;
  }

  get version(): number {
    return this.#projection.definition.version;
  }

  /** How far events are folded in memory. */
  get position(): bigint | undefined {
    return this.#position;
  }

  /** How far the stored rows show what happened. */
  get visible(): bigint | undefined {
    return this.#changed.size + this.#awaited.size === 0 ? this.#position : this.#stored;
  }

  /** Whether anything was folded before this process. */
  get isNew(): boolean {
    return this.#model.checkpoint() === undefined;
  }

  awaits(position: bigint): boolean {
    return this.#position === undefined || position > this.#position;
  }

  follows(type: string): boolean {
    return this.#projection.types?.has(type) ?? true;
  }

  /** Moves on past an event that is not for this projection, or that nobody can read. */
  pass(position: bigint): void {
    this.#position = position;
    this.#passed += 1;
  }

  /** @throws UnreadableRow, EclError when the read store fails */
  take(event: ProjectedEvent): void {
    const key = this.#keyOf(event);
    if (typeof key === 'string') this.#takeInto(key, event);
    else for (const each of key ?? []) this.#takeInto(each, event);
    this.pass(event.position);
  }

  /**
   * Writes what changed.
   *
   * @param force also when nothing but the position did
   * @returns false when somebody else moved the checkpoint: what was folded here since is worth nothing
   * @throws as `take`
   */
  commit(force = false): boolean {
    const position = this.#position;
    if (position === undefined || position === this.#stored) return true;
    this.#lookUp();
    if (this.#changed.size === 0 && this.#passed < passedMax && !force) return true;
    const rows = Array.from(this.#changed, (key) =>
      this.#projection.toRow(key, this.#recent.get(key)!),
    );
    const expected = this.#stored ?? 'none';
    if (!this.#model.commit({ rows, checkpoint: position, expected })) return false;
    this.#stored = position;
    this.#passed = 0;
    this.#changed.clear();
    if (this.#recent.size > snapshotsMax) {
      this.#earlier = this.#recent;
      this.#recent = new Map();
    }
    return true;
  }

  /** Goes on from what is stored. */
  restart(): void {
    this.#recent.clear();
    this.#earlier.clear();
    this.#changed.clear();
    this.#awaited.clear();
    this.#passed = 0;
    this.#position = undefined;
    this.#stored = undefined;
    this.#stored = this.#model.checkpoint();
    this.#position = this.#stored;
  }

  /** Forgets everything, also what is stored. */
  reset(): void {
    this.#model.reset();
    this.restart();
  }

  /** Everything that is stored has been folded once. */
  complete(): void {
    this.rows.complete();
  }

  #takeInto(key: string, event: ProjectedEvent): void {
    const known = this.#recent.get(key);
    if (known !== undefined) this.#move(key, known, event);
    else this.#recall(key, event);
  }

  #move(key: string, snapshot: FoldSnapshot<unknown>, event: ProjectedEvent): void {
    const next = this.#next(snapshot, event);
    if (next === snapshot) return;
    this.#recent.set(key, next);
    this.#changed.add(key);
  }

  #recall(key: string, event: ProjectedEvent): void {
    const awaited = this.#awaited.get(key);
    if (awaited !== undefined) {
      awaited.push(event);
      return;
    }
    const earlier = this.#earlier.get(key);
    const snapshot =
      earlier ?? (this.#projection.isFirst(event) ? this.#projection.initial : undefined);
    if (snapshot !== undefined) {
      this.#recent.set(key, snapshot);
      this.#move(key, snapshot, event);
      return;
    }
    this.#awaited.set(key, [event]);
    if (this.#awaited.size >= awaitedMax) this.#lookUp();
  }

  /** Folds the events that wait for rows. */
  #lookUp(): void {
    if (this.#awaited.size === 0) return;
    const bodies = this.#model.bodies([...this.#awaited.keys()]);
    let index = 0;
    for (const [key, events] of this.#awaited) {
      const snapshot = this.#snapshotOf(key, bodies[index]);
      index += 1;
      this.#recent.set(key, snapshot);
      for (const event of events) this.#move(key, this.#recent.get(key)!, event);
    }
    this.#awaited.clear();
  }

  #snapshotOf(key: string, body: string | undefined): FoldSnapshot<unknown> {
    if (body === undefined) return this.#projection.initial;
    try {
      return this.#projection.fromBody(body);
    } catch (error) {
      throw new UnreadableRow(this, key, error);
    }
  }

  #keyOf(event: ProjectedEvent): string | readonly string[] | undefined {
    try {
      return this.#projection.key(event);
    } catch (error) {
      this.#skipped(event, error);
      return undefined;
    }
  }

  #next(snapshot: FoldSnapshot<unknown>, event: ProjectedEvent): FoldSnapshot<unknown> {
    try {
      return this.#projection.next(snapshot, event);
    } catch (error) {
      this.#skipped(event, error);
      return snapshot;
    }
  }

  #skipped({ run, revision, type }: ProjectedEvent, error: unknown): void {
    this.#logger.error(
      { projection: this.name, run, revision, type, err: error },
      'the projection failed on an event, which is skipped',
    );
  }
}
