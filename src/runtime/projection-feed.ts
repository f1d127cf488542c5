/**
 * One subscription that feeds folds: batches while it catches up, a short delay once it is live.
 *
 * 1. Whatever goes wrong ends the same way: what is in memory is forgotten, and after a while it starts again from
 *    what is stored. So a lost commit, a store that was away and a crash are one case.
 * 2. An event that cannot be read or parsed is logged and passed over; it stops nobody.
 * 3. Rows are written when a batch is full, the delay is over or somebody waits for them: never event by event.
 */
import type { Logger } from 'pino';
import { EclError, isEclError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventFilter, EventStore, RecordedEvent } from '../ports/event-store.ts';
import { projectedEvent, type ProjectedEvent } from './projected-event.ts';
import { UnreadableRow, type ProjectionFold } from './projection-fold.ts';

export interface FeedOptions {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly filter: EventFilter;
  /** Called after each commit. */
  readonly onProgress?: (position: bigint) => void;
}

/** Taken at load: a test that fakes the global timers does not keep rows from being written. */
const endOfTurn = setImmediate;

/** Events folded between two commits while catching up, and at most when live. */
const batchEvents = 5_000;
/** How long rows may lag behind their events, in milliseconds. */
const commitDelayMs = 100;
const retryMsMin = 100;
const retryMsMax = 5_000;
/** Positions that are stepped over, one after the other, to find the end of a damage. */
const damageMax = 10_000;

interface Waiter {
  readonly position: bigint;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class ProjectionFeed {
  readonly #options: FeedOptions;
  readonly #folds: Set<ProjectionFold>;
  readonly #mended = new WeakSet<ProjectionFold>();
  #waiters: Waiter[] = [];
  #subscription: AbortController | undefined;
  #failure: unknown;
  #uncommitted = 0;
  #isLive = false;
  #isStopped = false;
  #isHurried = false;
  #cancelDelay: (() => void) | undefined;
  #cancelPause: (() => void) | undefined;
  #damage = '';
  #damagedPositions = 0;

  constructor(options: FeedOptions, folds: Iterable<ProjectionFold>) {
    this.#options = options;
    this.#folds = new Set(folds);
  }

  /** Whether it has caught up and follows what comes. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** The subscription starts again: what is in memory may be wrong. */
  get #isEnding(): boolean {
    return this.#subscription?.signal.aborted === true;
  }

  /** Feeds its folds until it is stopped, or until everything stored is folded. */
  async run(until: 'stopped' | 'caughtUp'): Promise<void> {
    for (let wait = retryMsMin; !this.#isStopped;) {
      try {
        if (await this.#follow(until)) break;
        wait = retryMsMin;
      } catch (error) {
        if (isEclError(error, 'store.closed')) break;
        if (this.#mend(error)) continue;
        this.#options.logger.error({ err: error, wait }, 'the projections are started again');
        this.#settle(error);
        await this.#pause(wait);
        wait = Math.min(wait * 2, retryMsMax);
      }
    }
    this.#isLive = false;
    this.#settle(new EclError('store.closed', { store: 'the projector' }));
  }

  /** Resolves when the rows show everything up to a position. */
  reached(position: bigint): Promise<void> {
    if (this.#shows(position)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ position, resolve, reject });
      this.#hurry();
    });
  }

  /** Takes in a fold that was fed elsewhere; it goes on from where that one is. */
  join(fold: ProjectionFold): void {
    this.#commit();
    this.#folds.add(fold);
    this.#subscription?.abort();
  }

  leave(fold: ProjectionFold): void {
    this.#folds.delete(fold);
  }

  /** Writes what is folded and ends. */
  stop(): void {
    this.#commit({ force: true });
    this.#isStopped = true;
    this.#cancelDelay?.();
    this.#cancelPause?.();
    this.#subscription?.abort();
  }

  /** @returns whether it is done: caught up when that was asked for, or the store has ended it */
  async #follow(until: 'stopped' | 'caughtUp'): Promise<boolean> {
    const { store, filter } = this.#options;
    const subscription = new AbortController();
    this.#subscription = subscription;
    this.#failure = undefined;
    this.#uncommitted = 0;
    for (const fold of this.#folds) fold.restart();
    await this.#forgetOtherStores();
    this.#settle();
    const { signal } = subscription;
    // Without a fold there is nothing to catch up with; one that joins starts it again.
    const from = this.#folds.size === 0 ? 'end' : (this.#lowest() ?? 'start');
    for await (const item of store.subscribe({ from, filter, signal })) {
      if (signal.aborted) break;
      if (item.kind === 'event') this.#take(item.event);
      else if (this.#caughtUp() && until === 'caughtUp') return true;
    }
    if (this.#failure !== undefined) throw this.#failure;
    return !signal.aborted;
  }

  /** A checkpoint beyond the end of the store is that of another store. */
  async #forgetOtherStores(): Promise<void> {
    const last = (await this.#options.store.lastPosition()) ?? -1n;
    for (const fold of this.#folds) {
      if (fold.position === undefined || fold.position <= last) continue;
      this.#options.logger.warn(
        { projection: fold.name, checkpoint: String(fold.position) },
        'the projection has seen more than the store holds; it is folded anew',
      );
      fold.reset();
    }
  }

  #take(recorded: RecordedEvent): void {
    const { position, type } = recorded;
    this.#damagedPositions = 0;
    let event: ProjectedEvent | undefined;
    let isParsed = false;
    for (const fold of this.#folds) {
      if (!fold.awaits(position)) continue;
      if (!fold.follows(type)) {
        fold.pass(position);
        continue;
      }
      if (!isParsed) event = this.#parse(recorded);
      isParsed = true;
      if (event === undefined) fold.pass(position);
      else fold.take(event);
    }
    this.#uncommitted += 1;
    if (this.#uncommitted >= batchEvents) this.#commit();
    else if (this.#isLive) this.#commitSoon();
  }

  #parse(recorded: RecordedEvent): ProjectedEvent | undefined {
    try {
      return projectedEvent(recorded);
    } catch (error) {
      const { stream, revision, type, position } = recorded;
      this.#options.logger.warn(
        { stream, revision, type, position: String(position), err: error },
        'the event cannot be read; projections skip it',
      );
      return undefined;
    }
  }

  /** The position that comes with it is not used: another process may have appended since the last event was read. */
  #caughtUp(): boolean {
    if (!this.#commit()) return false;
    for (const fold of this.#folds) fold.complete();
    this.#isLive = true;
    return true;
  }

  #commitSoon(): void {
    if (this.#waiters.length > 0) this.#hurry();
    if (this.#cancelDelay !== undefined) return;
    const { clock } = this.#options;
    this.#cancelDelay = clock.schedule(clock.now() + commitDelayMs, () => {
      this.#cancelDelay = undefined;
      this.#commit();
    });
  }

  /** Commits at the end of this turn of the event loop, when what is at hand has been folded. */
  #hurry(): void {
    if (this.#isHurried) return;
    this.#isHurried = true;
    endOfTurn(() => {
      this.#isHurried = false;
      const lowest = this.#lowest();
      const isFolded = ({ position }: Waiter): boolean =>
        lowest !== undefined && position <= lowest;
      if (this.#waiters.some(isFolded)) this.#commit();
    });
  }

  /** Never throws; what failed ends the subscription, which then starts again. */
  #commit(options: { force?: boolean } = {}): boolean {
    if (this.#isStopped || this.#isEnding) return false;
    this.#uncommitted = 0;
    this.#cancelDelay?.();
    this.#cancelDelay = undefined;
    try {
      for (const fold of this.#folds) {
        if (!fold.commit(options.force)) this.#subscription?.abort();
      }
    } catch (error) {
      this.#failure = error;
      this.#subscription?.abort();
    }
    this.#settle();
    this.#report();
    return !this.#isEnding;
  }

  #report(): void {
    const lowest = this.#lowest();
    if (lowest === undefined) return;
    try {
      this.#options.onProgress?.(lowest);
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'the progress of a projection was not taken');
    }
  }

  #settle(error?: unknown): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (this.#shows(waiter.position)) waiter.resolve();
      else if (error !== undefined) waiter.reject(error);
      else this.#waiters.push(waiter);
    }
  }

  #shows(position: bigint): boolean {
    for (const { visible } of this.#folds) {
      if (visible === undefined || visible < position) return false;
    }
    return true;
  }

  #lowest(): bigint | undefined {
    let lowest: bigint | undefined;
    for (const { position } of this.#folds) {
      if (position === undefined) return undefined;
      if (lowest === undefined || position < lowest) lowest = position;
    }
    return lowest;
  }

  /** @returns whether the reason of the failure is out of the way */
  #mend(error: unknown): boolean {
    try {
      if (error instanceof UnreadableRow) return this.#foldAnew(error);
      return isEclError(error, 'store.corrupt') && this.#passDamage(error);
    } catch {
      return false;
    }
  }

  #foldAnew(error: UnreadableRow): boolean {
    const { fold } = error;
    this.#options.logger.error({ projection: fold.name, err: error }, 'it is folded anew');
    if (this.#mended.has(fold)) this.#folds.delete(fold);
    this.#mended.add(fold);
    fold.reset();
    return true;
  }

  /** Steps over one position; the stored damage may be longer, then the next attempt meets it again. */
  #passDamage(error: EclError): boolean {
    if (error.message !== this.#damage) {
      this.#damage = error.message;
      this.#options.logger.error({ err: error }, 'what is damaged is not in the projections');
    }
    this.#damagedPositions += 1;
    if (this.#damagedPositions > damageMax) return false;
    const next = (this.#lowest() ?? -1n) + 1n;
    for (const fold of this.#folds) {
      if (fold.awaits(next)) fold.pass(next);
      if (!fold.commit(true)) return true;
    }
    return true;
  }

  #pause(milliseconds: number): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const cancel = clock.schedule(clock.now() + milliseconds, resolve);
      this.#cancelPause = () => {
        cancel();
        resolve();
      };
    });
  }
}
