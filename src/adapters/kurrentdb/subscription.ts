/**
 * A subscription of the port: what is stored, then `caughtUp` once, then what comes.
 *
 * 1. What is stored comes over a catch-up subscription of its own, until it meets the shared one. Pages would be no
 *    faster, and in a log full of other things the server says nothing until it has found something.
 * 2. It joins where both overlap: the shared one was begun before its own asked what is stored, so that whatever is not
 *    stored then comes live. Its place is one position: nothing is missed, nothing repeated.
 * 3. While the server is away it waits; only a refusal ends it with an error.
 * 4. It ends without an error when the reader leaves, its signal aborts or the store closes.
 */
import type { EventFilter, RecordedEvent, SubscriptionItem } from '../../ports/event-store.ts';
import { catchUp, isNothing, lastPosition, matches, placeOf } from './all-reading.ts';
import { isPassing, type Connection } from './connection.ts';
import { readFailure } from './errors.ts';
import type { LiveFeed } from './live-feed.ts';
import { backoff, pause } from './timing.ts';

export interface SubscriptionSource {
  readonly connection: Connection;
  readonly feed: LiveFeed;
}

interface Reader {
  readonly filter: EventFilter;
  readonly signal: AbortSignal;
}

/** Where a reader is; undefined is before everything. */
interface Progress {
  place: bigint | undefined;
}

const isAtHand = (feed: LiveFeed, place: bigint | undefined): boolean =>
  feed.recent.after(place ?? -1n) !== undefined;

/** What is stored behind the place, and, when nothing is missing any more, the place where the shared feed goes on. */
async function* untilJoined(
  { connection, feed }: SubscriptionSource,
  { filter, signal }: Reader,
  at: Progress,
): AsyncGenerator<RecordedEvent> {
  const begun = feed.recent.beginsAfter;
  const from = at.place === undefined || at.place < 0n ? 'start' : placeOf(at.place);
  for await (const item of catchUp(connection, from, filter)) {
    if (signal.aborted) return;
    if (item === 'caughtUp') {
      if (begun !== undefined && begun > (at.place ?? -1n)) at.place = begun;
      return;
    }
    if (item.position <= (at.place ?? -1n)) continue;
    at.place = item.position;
    if (matches(item, filter)) yield item;
  }
}

/** Reads until the shared feed goes on from here. @throws what cannot pass */
async function* stored(
  source: SubscriptionSource,
  reader: Reader,
  at: Progress,
): AsyncGenerator<RecordedEvent> {
  const { connection, feed } = source;
  const { signal } = reader;
  let waits = backoff(100, 2_000);
  while (!signal.aborted) {
    try {
      await feed.follow(reader, reader.filter);
      yield* untilJoined(source, reader, at);
      if (signal.aborted || isAtHand(feed, at.place)) return;
      waits = backoff(100, 2_000);
    } catch (error) {
      if (signal.aborted) return;
      if (!isAway(error)) throw readFailure(connection.shown, '$all', error);
    }
    await pause(waits.next().value, signal);
  }
}

const isAway = (error: unknown): boolean =>
  isPassing(error) || (error as { code?: unknown }).code === 'store.unavailable';

async function* follow(
  source: SubscriptionSource,
  from: bigint | 'start' | 'end',
  reader: Reader,
): AsyncGenerator<SubscriptionItem> {
  const { feed } = source;
  const { filter, signal } = reader;
  const at: Progress = { place: typeof from === 'bigint' ? from : undefined };
  let isCaughtUp = false;
  // Whoever begins elsewhere than at the end is told first what was stored until now, wherever the shared feed is.
  let isAsked = from === 'end';
  try {
    if (from === 'end') at.place = await endOf(source, reader);
    while (!signal.aborted) {
      const recent = isAsked ? feed.recent.after(at.place ?? -1n) : undefined;
      if (recent === undefined) {
        isAsked = true;
        for await (const event of stored(source, reader, at)) yield { kind: 'event', event };
        // An empty log has no place: everything comes live.
        at.place ??= -1n;
        continue;
      }
      for (const event of recent) {
        at.place = event.position;
        if (matches(event, filter)) yield { kind: 'event', event };
        if (signal.aborted) return;
      }
      if (recent.length > 0) continue;
      if (isCaughtUp) {
        await feed.recent.changed(signal);
      } else {
        isCaughtUp = true;
        yield { kind: 'caughtUp', position: at.place === -1n ? undefined : at.place };
      }
    }
  } finally {
    feed.leave(reader);
  }
}

const endOf = async (
  { connection, feed }: SubscriptionSource,
  reader: Reader,
): Promise<bigint | undefined> => {
  for (const wait of backoff(100, 2_000)) {
    try {
      await feed.follow(reader, reader.filter);
      return await lastPosition(connection);
    } catch (error) {
      if (reader.signal.aborted) return undefined;
      if (!isAway(error)) throw readFailure(connection.shown, '$all', error);
    }
    await pause(wait, reader.signal);
  }
  return undefined;
};

/** Says nothing but that it is caught up. */
async function* silence(signal: AbortSignal): AsyncGenerator<SubscriptionItem> {
  yield { kind: 'caughtUp', position: undefined };
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
}

/** An iterator whose `return` also ends a `next` that still waits, which that of a generator does not. */
export const subscription = (
  source: SubscriptionSource,
  { from, filter }: { readonly from: bigint | 'start' | 'end'; readonly filter: EventFilter },
  endings: readonly (AbortSignal | undefined)[],
): AsyncIterableIterator<SubscriptionItem> => {
  const controller = new AbortController();
  const end = (): void => {
    // Endings outlive many subscriptions, so none may stay behind on them.
    for (const signal of endings) signal?.removeEventListener('abort', end);
    controller.abort();
  };
  for (const signal of endings) signal?.addEventListener('abort', end);
  if (endings.some((signal) => signal?.aborted)) end();
  const { signal } = controller;
  const items = isNothing(filter) ? silence(signal) : follow(source, from, { filter, signal });
  return {
    async next() {
      const result = await items.next();
      if (result.done) end();
      return result;
    },
    return() {
      end();
      return items.return(undefined);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
};
