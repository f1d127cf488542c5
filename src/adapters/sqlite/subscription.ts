/**
 * A catch-up subscription: what is stored, then `caughtUp` once, then what comes.
 *
 * 1. The reader pulls; its place is one position, so it misses nothing, repeats nothing and fills no buffer of its own.
 * 2. What is at hand in memory is taken from there; who is further behind reads from the store.
 * 3. Between finding nothing more and waiting for more there is no pause in which something could come unnoticed.
 * 4. It ends without an error when the reader leaves, its signal aborts or the store closes.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventFilter, RecordedEvent, SubscriptionItem } from '../../ports/event-store.ts';
import type { Batch } from './reading.ts';
import type { Feed } from './tail.ts';

export interface SubscriptionSource {
  readonly feed: Feed;
  /** Events of the store from a position on; called again with the `next` of the answer. */
  readBatch(from: number): Batch;
  lastPosition(): number | undefined;
}

export interface Subscription {
  /** The position after which it starts. */
  readonly after: number;
  readonly filter: EventFilter;
  readonly signal: AbortSignal;
}

const matches = (
  { stream, type }: RecordedEvent,
  { streamPrefixes, types }: EventFilter,
): boolean =>
  (streamPrefixes?.some((prefix) => stream.startsWith(prefix)) ?? true) &&
  (types?.includes(type) ?? true);

async function* follow(
  source: SubscriptionSource,
  { after, filter, signal }: Subscription,
): AsyncGenerator<SubscriptionItem> {
  const { feed } = source;
  let position = after;
  let isCaughtUp = false;
  feed.subscribed();
  try {
    while (!signal.aborted) {
      const atHand = feed.after(position);
      const batch = atHand === undefined ? source.readBatch(position + 1) : undefined;
      let found = 0;
      for (const event of atHand ?? batch?.events ?? []) {
        found += 1;
        position = Number(event.position);
        if (matches(event, filter)) yield { kind: 'event', event };
        if (signal.aborted) return;
      }
      if (batch !== undefined) position = batch.next - 1;
      if (batch?.isLast === false) await nextTurn();
      // Whatever came while the reader was busy with what was found: look again before waiting.
      if (found > 0 || batch?.isLast === false) continue;
      if (isCaughtUp) await feed.changed(signal);
      else yield caughtUp(source.lastPosition());
      isCaughtUp = true;
    }
  } finally {
    feed.unsubscribed();
  }
}

const caughtUp = (position: number | undefined): SubscriptionItem => ({
  kind: 'caughtUp',
  position: position === undefined ? undefined : BigInt(position),
});

/** An iterator whose `return` also ends a `next` that still waits, which that of a generator does not. */
export const subscription = (
  source: SubscriptionSource,
  options: Omit<Subscription, 'signal'>,
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
  const items = follow(source, { ...options, signal: controller.signal });
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
