/**
 * One catch-up subscription of the client as events to be pulled, until it is caught up.
 *
 * 1. Streams are loaded this way: the client's native reads of a few events stall in a third of the cases.
 * 2. Memory is bounded: who pulls slowly holds the flow back.
 * 3. However it ends, the call on the server ends with it: leaving the client's own iterator would leak it.
 * 4. It asks the leader, so that what this process was told to be stored is seen.
 */
import {
  END,
  START,
  type AllStreamSubscription,
  type Filter,
  type KurrentDBClient,
  type Position,
  type StreamSubscription,
} from '@kurrent/kurrentdb-client';
import type { RecordedEvent } from '../../ports/event-store.ts';
import type { Connection } from './connection.ts';
import { fromClientEvent } from './event-codec.ts';
import { NoAnswer, within } from './timing.ts';

export type Start = Position | typeof START | typeof END;
export type CaughtUpPlace = { readonly revision?: bigint; readonly position?: Position };
export type CatchUpItem = RecordedEvent | { readonly caughtUp: CaughtUpPlace };

type Subscription = StreamSubscription | AllStreamSubscription;

const flowMax = 512;

export const subscribeToStream = (
  client: KurrentDBClient,
  stream: string,
  fromRevision: bigint | typeof START | typeof END,
): Subscription =>
  client.subscribeToStream(
    stream,
    { fromRevision, requiresLeader: true },
    { highWaterMark: flowMax },
  );

export const subscribeToAll = (
  client: KurrentDBClient,
  fromPosition: Start,
  filter: Filter | undefined,
): Subscription =>
  client.subscribeToAll(
    { fromPosition, requiresLeader: true, ...(filter === undefined ? {} : { filter }) },
    { highWaterMark: flowMax },
  );

/** Ends a subscription of the client for good; errors that come later go nowhere. */
export const endSubscription = (subscription: Subscription): void => {
  subscription.removeAllListeners('data');
  subscription.on('error', () => {});
  subscription.unsubscribe().catch(() => {});
  subscription.resume();
};

/** The events up to now, then where that is. @throws what the client throws, or NoAnswer when nothing comes */
export async function* catchUp(
  connection: Connection,
  open: (client: KurrentDBClient) => Subscription,
): AsyncGenerator<CatchUpItem> {
  const release = await connection.loadSlots.take();
  const { client } = connection;
  const flow = new Flow(open(client));
  try {
    for (;;) {
      const items = await flow.next(connection.patience.answerMs);
      connection.heard();
      yield* items;
      if (flow.isOver) return;
    }
  } catch (error) {
    if (error instanceof NoAnswer) connection.renew(client);
    throw error;
  } finally {
    endSubscription(flow.subscription);
    release();
  }
}

class Flow {
  readonly subscription: Subscription;
  #items: CatchUpItem[] = [];
  #caughtUp: CaughtUpPlace | undefined;
  #failure: { readonly error: unknown } | undefined;
  #wake = (): void => {};
  isOver = false;

  constructor(subscription: Subscription) {
    this.subscription = subscription;
    const fail = (error: unknown): void => {
      this.#failure ??= { error };
      this.#wake();
    };
    subscription.on('error', fail);
    subscription.on('end', () => fail(new Error('the server ended the subscription')));
    subscription.on('caughtUp', (place?: CaughtUpPlace) => {
      this.#caughtUp ??= place ?? {};
      this.#wake();
    });
    subscription.on('data', ({ event, commitPosition }) => {
      if (event === undefined) return;
      this.#items.push(fromClientEvent(event, commitPosition));
      if (this.#items.length >= flowMax) subscription.pause();
      this.#wake();
    });
  }

  /** What has come, at least one item. @throws NoAnswer */
  async next(patienceMs: number): Promise<CatchUpItem[]> {
    if (!this.#hasSomething) await this.#something(patienceMs);
    const items = this.#items;
    this.#items = [];
    if (this.#isCaughtUp) {
      this.isOver = true;
      return [...items, { caughtUp: this.#caughtUp! }];
    }
    if (items.length === 0 && this.#failure !== undefined) throw this.#failure.error;
    this.subscription.resume();
    return items;
  }

  get #hasSomething(): boolean {
    return this.#items.length > 0 || this.#failure !== undefined || this.#isCaughtUp;
  }

  /** The word comes as soon as it is read, and may overtake events that the flow holds back. */
  get #isCaughtUp(): boolean {
    return this.#caughtUp !== undefined && this.subscription.readableLength === 0;
  }

  #something(patienceMs: number): Promise<void> {
    const coming = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (this.#hasSomething) resolve();
      };
    });
    return within(patienceMs, 'a read', coming);
  }
}
