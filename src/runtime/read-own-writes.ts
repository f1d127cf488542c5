/**
 * Waiting until read models show what somebody has just done.
 *
 * A position may be asked for before it is in the store that this process reads (another process has appended it, or the
 * position is made up), so the store is looked at first: nobody waits for what may never come.
 */
import { EclError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { ReadModels } from '../ports/read-models.ts';

/** What a query may ask for beside what it asks. */
export interface Fresh {
  /** The answer shows all that is stored up to this position. @default all that is stored now */
  readonly after?: string | bigint | undefined;
  /** How long to wait for `after`, in milliseconds. @default 5,000 */
  readonly waitMs?: number | undefined;
}

interface Parts {
  readonly store: EventStore;
  readonly readModels: ReadModels;
  readonly clock: Clock;
}

const waitMsDefault = 5_000;
const lookAgainMs = 20;

const positionOf = (after: string | bigint): bigint => {
  if (typeof after === 'bigint') return after;
  if (/^\d{1,30}$/.test(after)) return BigInt(after);
  throw new EclError('usage.invalid', { reason: `"${after}" is not a position of an event` });
};

const pause = (clock: Clock, milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    clock.schedule(clock.now() + milliseconds, resolve);
  });

/** @returns whether the store holds the position in time */
const isStored = async (
  { store, clock }: Parts,
  position: bigint,
  by: number,
): Promise<boolean> => {
  for (;;) {
    const last = await store.lastPosition();
    if (last !== undefined && last >= position) return true;
    if (clock.now() >= by) return false;
    await pause(clock, Math.min(lookAgainMs, by - clock.now()));
  }
};

/** @returns whether the work was done in time; it goes on in either case */
const isDone = async (clock: Clock, work: Promise<void>, by: number): Promise<boolean> => {
  let cancel = (): void => {};
  const late = new Promise<false>((resolve) => {
    cancel = clock.schedule(by, () => resolve(false));
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    cancel();
    work.catch(() => {});
  }
};

/**
 * Resolves when the rows of a projection are as new as is asked for.
 *
 * @throws EclError `read-model.behind` when that takes too long, `usage.invalid` for a position that is none
 */
export const showing = async (
  parts: Parts,
  of: string,
  { after, waitMs }: Fresh,
): Promise<void> => {
  const { clock, readModels } = parts;
  if (after === undefined) return readModels.caughtUp({ of });
  const position = positionOf(after);
  const limit = waitMs ?? waitMsDefault;
  const by = clock.now() + limit;
  const isShown =
    (await isStored(parts, position, by)) &&
    (await isDone(clock, readModels.caughtUp({ of, position }), by));
  if (isShown) return;
  throw new EclError('read-model.behind', {
    name: of,
    position: String(position),
    waitedMs: limit,
  });
};
