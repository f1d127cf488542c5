/**
 * The projector: keeps any number of projections folded, first up to the end of the store, then live through one
 * subscription.
 *
 * 1. A projection that is behind the others is caught up beside them, then joins; it holds up nobody.
 * 2. A row is never older than its checkpoint says, and a rebuild gives the same rows.
 * 3. Any number of processes may project into one read store: of two commits from one checkpoint one wins, and the
 *    loser goes on from there.
 */
import type { Logger } from 'pino';
import { EclError, isEclError } from '../core/errors.ts';
import { journalPrefix } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventFilter, EventStore } from '../ports/event-store.ts';
import type { ReadModelLag, ReadModelWait } from '../ports/read-models.ts';
import type { ReadStore } from '../ports/read-store.ts';
import type { Projection } from './projection.ts';
import { ProjectionFeed, type FeedOptions } from './projection-feed.ts';
import { ProjectionFold } from './projection-fold.ts';

export interface ProjectorOptions {
  readonly store: EventStore;
  readonly reads: ReadStore;
  readonly projections: readonly Projection<unknown>[];
  /** Those of them that are folded only once somebody asks, and from then on. @default none */
  readonly onDemand?: readonly Projection<unknown>[];
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface RebuildProgress {
  readonly position: bigint;
  /** Where the store ended when the rebuild began. */
  readonly end: bigint;
}

/** How long closing waits for what was just appended, in milliseconds. */
const closeMsMax = 1_000;

/** What all projections want to see: the types that any of them names, of journals only. */
const filterOf = (projections: readonly Projection<unknown>[]): EventFilter => {
  const types = new Set<string>();
  let isEverything = false;
  for (const projection of projections) {
    if (projection.types === undefined) isEverything = true;
    for (const type of projection.types ?? []) types.add(type);
  }
  return { streamPrefixes: [journalPrefix()], ...(isEverything ? {} : { types: [...types] }) };
};

/** How far the rows of all of them show what happened; -1 where those of one show nothing yet. */
const lowestOf = (folds: readonly ProjectionFold[]): bigint => {
  const positions = folds.map(({ visible }) => visible ?? -1n);
  return positions.reduce((lowest, each) => (each < lowest ? each : lowest), positions[0] ?? -1n);
};

const behind = ({ position, end }: ReadModelWait): bigint => end - position;

export class Projector {
  readonly #options: ProjectorOptions;
  readonly #filter: EventFilter;
  readonly #folds = new Map<Projection<unknown>, ProjectionFold>();
  readonly #main: ProjectionFeed;
  /** The main one, and those that catch up beside it. */
  readonly #feeds = new Set<ProjectionFeed>();
  /** Who is fed by another than the main one. */
  readonly #beside = new Map<ProjectionFold, ProjectionFeed>();
  /** Who is fed by nobody, since nobody has asked yet. */
  readonly #asleep = new Set<ProjectionFold>();
  /** Who was woken and is being caught up. */
  readonly #waking = new Map<ProjectionFold, Promise<unknown>>();
  readonly #running = new Set<Promise<void>>();
  readonly #rebuilds = new Map<string, Promise<void>>();
  /** What somebody waits for. */
  readonly #waits = new Set<{ readonly folds: readonly ProjectionFold[]; readonly end: bigint }>();
  /** Up to a last position of the store, where the last event stands that concerns a projection. */
  #known: { readonly last: bigint; readonly end: bigint | undefined } = {
    last: -1n,
    end: undefined,
  };
  #isClosed = false;

  constructor(options: ProjectorOptions) {
    const { projections, reads, logger } = options;
    this.#options = options;
    this.#filter = filterOf(projections);
    for (const projection of projections) {
      this.#folds.set(projection, new ProjectionFold(projection, reads, logger));
    }
    for (const projection of options.onDemand ?? []) this.#asleep.add(this.#foldOf(projection));
    this.#main = new ProjectionFeed(this.#feedOptions(), this.#awake);
    this.#feeds.add(this.#main);
  }

  /** Begins to fold, and goes on until it is closed. */
  start(): void {
    const folds = this.#awake;
    const fresh = folds.filter((fold) => fold.isNew);
    if (fresh.length < folds.length) {
      for (const fold of fresh) this.#main.leave(fold);
      const work = this.#catchUpBeside(fresh, {});
      for (const { name } of fresh) void this.#keepRebuild(name, work);
    }
    this.#run(this.#main.run('stopped'));
  }

  /** The queries of a projection. @throws EclError `usage.invalid` when it is not kept */
  queries<Queries>(projection: Projection<Queries>): Queries {
    return projection.queries(this.#foldOf(projection).rows);
  }

  /**
   * Resolves when the rows show everything that is stored now, or everything up to a position.
   *
   * @throws EclError `store.closed`, `store.unavailable` and whatever else keeps the rows from being written
   */
  async caughtUp(position?: bigint): Promise<void> {
    this.#wake([...this.#asleep]);
    const end = position ?? (await this.#end());
    await this.#awaiting([...this.#folds.values()], end ?? 0n, this.#reached(end));
  }

  /**
   * The same for one projection alone, whatever the others are at; a position that concerns none of them is as good as
   * the last one before it that does.
   *
   * @throws EclError `usage.invalid` when there is no such projection, and as `caughtUp`
   */
  async shows(name: string, position?: bigint): Promise<void> {
    const fold = this.#foldNamed(name);
    this.#wake([fold]);
    const end = await this.#end();
    if (end === undefined) return;
    const target = position === undefined || position > end ? end : position;
    await this.#awaiting([fold], target, this.#shown(fold, target));
  }

  /** How far the rows are that somebody waits for, of several waits the longest; undefined while nobody waits. */
  awaited(): ReadModelWait | undefined {
    const waits = Array.from(this.#waits, ({ folds, end }) => ({ position: lowestOf(folds), end }));
    return waits.toSorted((one, other) => Number(behind(other) - behind(one)))[0];
  }

  async #shown(fold: ProjectionFold, target: bigint): Promise<void> {
    for (;;) {
      this.#checkOpen();
      const beside = this.#beside.get(fold);
      try {
        await (beside ?? this.#main).reached(target);
        return;
      } catch (error) {
        // A feed beside ends when it has caught up, and the main one goes on from there.
        const isMoved = beside !== undefined && this.#beside.get(fold) !== beside;
        if (this.#isClosed || !isMoved) throw error;
      }
    }
  }

  /**
   * Forgets the rows of a projection and folds all events again; the others go on meanwhile. One that is being folded
   * from nothing already is not begun again.
   *
   * @throws EclError `usage.invalid` when there is no such projection
   */
  async rebuild(name: string, onProgress?: (progress: RebuildProgress) => void): Promise<void> {
    const fold = this.#foldNamed(name);
    const waking = this.#waking.get(fold);
    if (waking !== undefined) await waking;
    const running = this.#rebuilds.get(name);
    if (running !== undefined) return running;
    return this.#keepRebuild(name, this.#rebuild(fold, onProgress));
  }

  /** How far each projection is behind the store. */
  async lag(): Promise<ReadModelLag[]> {
    const end = (await this.#end()) ?? 0n;
    return Array.from(this.#folds.values(), ({ name, version, visible }) => {
      const position = visible ?? 0n;
      return { name, version, position: visible, behind: end > position ? end - position : 0n };
    });
  }

  /** Folds what is at hand, unless that takes long, and ends. */
  async close(): Promise<void> {
    if (!this.#isClosed && this.#main.isLive && this.#feeds.size === 1) await this.#drain();
    this.#isClosed = true;
    for (const feed of this.#feeds) feed.stop();
    await Promise.all(this.#running);
  }

  async #rebuild(
    fold: ProjectionFold,
    onProgress: ((progress: RebuildProgress) => void) | undefined,
  ): Promise<void> {
    const end = (await this.#options.store.lastPosition()) ?? 0n;
    fold.reset();
    this.#asleep.delete(fold);
    this.#main.leave(fold);
    await this.#catchUpBeside([fold], {
      onProgress: (position) => onProgress?.({ position, end }),
    });
  }

  async #catchUpBeside(
    folds: readonly ProjectionFold[],
    options: Pick<FeedOptions, 'onProgress'>,
  ): Promise<void> {
    if (folds.length === 0) return;
    const feed = new ProjectionFeed({ ...this.#feedOptions(), ...options }, folds);
    this.#feeds.add(feed);
    for (const fold of folds) this.#beside.set(fold, feed);
    await feed.run('caughtUp');
    this.#feeds.delete(feed);
    for (const fold of folds) this.#beside.delete(fold);
    if (!this.#isClosed) for (const fold of folds) this.#main.join(fold);
    else throw new EclError('store.closed', { store: 'the projector' });
  }

  get #awake(): ProjectionFold[] {
    return [...this.#folds.values()].filter((fold) => !this.#asleep.has(fold));
  }

  #wake(folds: readonly ProjectionFold[]): void {
    const woken = folds.filter((fold) => this.#asleep.delete(fold));
    if (woken.length === 0 || this.#isClosed) return;
    const work = this.#catchUpBeside(woken, {});
    this.#run(work);
    const done = work.catch(() => {});
    for (const fold of woken) {
      if (fold.isNew) void this.#keepRebuild(fold.name, work);
      else
        this.#waking.set(
          fold,
          done.then(() => this.#waking.delete(fold)),
        );
    }
  }

  async #awaiting(
    folds: readonly ProjectionFold[],
    end: bigint,
    work: Promise<void>,
  ): Promise<void> {
    const wait = { folds, end };
    this.#waits.add(wait);
    try {
      await work;
    } finally {
      this.#waits.delete(wait);
    }
  }

  async #reached(position: bigint | undefined): Promise<void> {
    this.#checkOpen();
    if (position === undefined) return;
    await Promise.all(Array.from(this.#feeds, (feed) => feed.reached(position)));
  }

  #feedOptions(): FeedOptions {
    const { store, clock, logger } = this.#options;
    return { store, clock, logger, filter: this.#filter };
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new EclError('store.closed', { store: 'the projector' });
  }

  #foldNamed(name: string): ProjectionFold {
    const fold = [...this.#folds.values()].find((each) => each.name === name);
    if (fold !== undefined) return fold;
    throw new EclError('usage.invalid', { reason: `There is no projection "${name}"` });
  }

  #foldOf(projection: Projection<unknown>): ProjectionFold {
    const fold = this.#folds.get(projection);
    if (fold !== undefined) return fold;
    const { name } = projection.definition;
    throw new EclError('usage.invalid', { reason: `The projection "${name}" is not kept` });
  }

  /** A projection is folded from nothing by one feed at a time. */
  #keepRebuild(name: string, work: Promise<void>): Promise<void> {
    const rebuild = work.finally(() => this.#rebuilds.delete(name));
    this.#rebuilds.set(name, rebuild);
    this.#run(rebuild);
    return rebuild;
  }

  /** Work that closing waits for; how it went is the business of who asked for it. */
  #run(work: Promise<void>): void {
    const running = work
      .catch(() => {})
      .finally(() => {
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  /** Position of the last event that concerns a projection; others may come after it. */
  async #end(): Promise<bigint | undefined> {
    const last = await this.#options.store.lastPosition();
    if (last === undefined || last === this.#known.last) return last && this.#known.end;
    if (lowestOf(this.#awake) >= last) return last;
    this.#known = { last, end: await this.#newest() };
    return this.#known.end;
  }

  async #newest(): Promise<bigint | undefined> {
    const { store } = this.#options;
    const filter = this.#filter;
    try {
      const newest = store.readAll({ direction: 'backwards', limit: 1, filter });
      for await (const { position } of newest) return position;
      return undefined;
    } catch (error) {
      if (!isEclError(error, 'store.corrupt')) throw error;
    }
    // Where the end is damaged it is looked for from the front.
    let end = lowestOf(this.#awake);
    try {
      for await (const { position } of store.readAll({ from: end + 1n, filter })) end = position;
    } catch (error) {
      if (!isEclError(error, 'store.corrupt')) throw error;
    }
    return end;
  }

  async #drain(): Promise<void> {
    const { clock } = this.#options;
    let cancel = (): void => {};
    const limit = new Promise<void>((resolve) => {
      cancel = clock.schedule(clock.now() + closeMsMax, resolve);
    });
    const folded = this.#end().then((end) => this.#reached(end));
    await Promise.race([folded.catch(() => {}), limit]);
    cancel();
  }
}
