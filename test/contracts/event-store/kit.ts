/** What the cases of the event store contract are written with. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { chainHash, chainStart, eventIdOfHash } from '../../../src/core/hash-chain.ts';
import type {
  EventData,
  EventMetadata,
  EventStore,
  RecordedEvent,
  SubscriptionItem,
} from '../../../src/ports/event-store.ts';

export interface EventStoreHarness {
  readonly name: string;
  /** Opens a store; what another one of this harness wrote may be in it. */
  open(): Promise<EventStore>;
  /** Cases that this store cannot pass, by their titles. */
  readonly skip?: readonly { readonly reason: string; readonly titles: readonly string[] }[];
}

export interface Contract {
  /** The store that the cases share. */
  readonly store: () => EventStore;
  /** Opens a store that the case closes. */
  readonly open: () => Promise<EventStore>;
  /** A case; it is skipped, with the reason, where the harness says so. */
  readonly check: (title: string, run: (stream: (name: string) => string) => Promise<void>) => void;
}

export const defineContract = (harness: EventStoreHarness, store: () => EventStore): Contract => {
  const reasons = new Map(
    (harness.skip ?? []).flatMap(({ reason, titles }) => titles.map((title) => [title, reason])),
  );
  return {
    store,
    open: () => harness.open(),
    check: (title, run) => {
      test(title, async (context) => {
        const reason = reasons.get(title);
        if (reason !== undefined) context.skip(reason);
        const prefix = `contract${randomUUID().slice(0, 8)}`;
        await run((name) => `${prefix}-${name}`);
      });
    },
  };
};

export interface EventParts {
  readonly id?: string;
  readonly type?: string;
  readonly data?: string;
  readonly metadata?: EventMetadata;
}

export const event = ({ id, type, data, metadata }: EventParts = {}): EventData => ({
  id: id ?? randomUUID(),
  type: type ?? 'Noted',
  data: data ?? '{}',
  metadata: metadata ?? {},
});

export const events = (count: number): EventData[] =>
  Array.from({ length: count }, (_, index) => event({ data: `{"n":${index}}` }));

/** Events as ECL itself writes them: chained, with ids from their hashes, the first the cause of the others. */
export const chained = (stream: string, count: number): EventData[] => {
  const shared = {
    $correlationId: 'document-review.report-42',
    tenant: 'default',
    at: '2026-11-24T10:00:00.000Z',
    schema: 1,
    writer: '0190f0c0-1234-7abc-8def-0123456789ab',
  };
  const chain: EventData[] = [];
  let prev = chainStart;
  let causation = '';
  for (let revision = 0; revision < count; revision += 1) {
    const type = revision === 0 ? 'RunStarted' : 'StateChanged';
    const data = JSON.stringify({ revision });
    const { $correlationId: correlation, at, schema, writer } = shared;
    const place = { prev, stream, revision, type, schema, at, writer };
    const hash = chainHash({ ...place, correlation, causation, data });
    const metadata = { ...shared, $causationId: causation, prev, hash };
    chain.push({ id: eventIdOfHash(hash), type, data, metadata });
    if (revision === 0) causation = chain[0]!.id;
    prev = hash;
  }
  return chain;
};

export const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
};

export const revisionsOf = (recorded: readonly RecordedEvent[]): number[] =>
  recorded.map(({ revision }) => revision);

export const idsOf = (recorded: readonly { readonly id: string }[]): string[] =>
  recorded.map(({ id }) => id);

export const code = (value: string): unknown => expect.objectContaining({ code: value });

export const wrongRevision = (
  stream: string,
  expected: number | string,
  actual: number | 'no-stream',
): unknown =>
  expect.objectContaining({
    code: 'store.wrong-expected-revision',
    details: { stream, expected, actual },
  });

const patienceMs = 10_000;

/** A subscription pulled item by item; a case fails where it hangs. */
export class Follower {
  readonly #items: AsyncIterator<SubscriptionItem>;

  constructor(items: AsyncIterable<SubscriptionItem>) {
    this.#items = items[Symbol.asyncIterator]();
  }

  async next(): Promise<SubscriptionItem | undefined> {
    const { promise, reject } = withReject();
    const timer = setTimeout(() => reject(new Error('nothing came')), patienceMs);
    try {
      const result = await Promise.race([this.#items.next(), promise]);
      return result.done ? undefined : result.value;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The next `count` items, `caughtUp` as a word. */
  async take(count: number): Promise<(RecordedEvent | 'caughtUp')[]> {
    const taken: (RecordedEvent | 'caughtUp')[] = [];
    while (taken.length < count) {
      const item = await this.next();
      if (item === undefined) break;
      taken.push(item.kind === 'event' ? item.event : item.kind);
    }
    return taken;
  }

  async takeEvents(count: number): Promise<RecordedEvent[]> {
    const taken: RecordedEvent[] = [];
    while (taken.length < count) {
      const item = await this.next();
      if (item === undefined) break;
      if (item.kind === 'event') taken.push(item.event);
    }
    return taken;
  }

  async leave(): Promise<void> {
    await this.#items.return?.();
  }
}

const withReject = (): { promise: Promise<never>; reject: (error: Error) => void } => {
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<never>((_, rejectPromise) => {
    reject = rejectPromise;
  });
  return { promise, reject };
};
