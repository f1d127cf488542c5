/** Clients that know nothing of KurrentDB's newer calls: EventStoreDB's own of version 6.2, and Emmett on top of it. */
import { randomUUID } from 'node:crypto';
import { getEventStoreDBEventStore } from '@event-driven-io/emmett-esdb';
import {
  ANY,
  EventStoreDBClient,
  jsonEvent,
  NO_STREAM,
  START,
  StreamNotFoundError,
  streamNameFilter,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type TestGateway } from './start-gateway.ts';

let gateway: TestGateway;
let client: EventStoreDBClient;

beforeAll(async () => {
  gateway = await startGateway();
  const older = gateway.connectionString.replace('kurrentdb:', 'esdb:').replace(/&.*/, '');
  client = EventStoreDBClient.connectionString(older);
});

afterAll(async () => {
  await client.dispose();
  await gateway.close();
});

const counted = (n: number) => jsonEvent({ type: 'Counted', data: { n } });

describe('@eventstore/db-client 6.2', () => {
  test('appends with an expectation and reads both ways what it appended', async () => {
    const stream = `older-${randomUUID()}`;
    const first = await client.appendToStream(stream, [counted(0), counted(1)], {
      expectedRevision: NO_STREAM,
    });
    expect(first.nextExpectedRevision).toBe(1n);
    await client.appendToStream(stream, counted(2), { expectedRevision: 1n });
    await expect(
      client.appendToStream(stream, counted(3), { expectedRevision: 0n }),
    ).rejects.toBeInstanceOf(WrongExpectedVersionError);
    const read = async (options: object): Promise<unknown[]> => {
      const found = [];
      for await (const { event } of client.readStream(stream, options)) found.push(event?.data);
      return found;
    };
    expect(await read({})).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
    expect(await read({ direction: 'backwards', fromRevision: 'end', maxCount: 2 })).toEqual([
      { n: 2 },
      { n: 1 },
    ]);
  });

  test('subscribes to a stream and, filtered, to all, and sees what comes live', async () => {
    const stream = `older-live-${randomUUID()}`;
    await client.appendToStream(stream, counted(0), { expectedRevision: ANY });
    const toStream = client.subscribeToStream(stream, { fromRevision: START });
    const filter = streamNameFilter({ prefixes: [stream] });
    const toAll = client.subscribeToAll({ fromPosition: START, filter });
    const seen = async (subscription: typeof toStream | typeof toAll): Promise<unknown[]> => {
      const found = [];
      for await (const { event } of subscription) {
        found.push(event?.data);
        if (found.length === 1 && subscription === toAll) {
          await client.appendToStream(stream, counted(1), { expectedRevision: 0n });
        }
        if (found.length === 2) break;
      }
      await subscription.unsubscribe();
      return found;
    };
    const both = await Promise.all([seen(toStream), seen(toAll)]);
    expect(both).toEqual([
      [{ n: 0 }, { n: 1 }],
      [{ n: 0 }, { n: 1 }],
    ]);
  });

  test('sets metadata that truncates, and deletes', async () => {
    const stream = `older-${randomUUID()}`;
    await client.appendToStream(stream, [counted(0), counted(1), counted(2)]);
    await client.setStreamMetadata(stream, { maxCount: 1 });
    const found = [];
    for await (const { event } of client.readStream(stream)) found.push(event?.revision);
    expect(found).toEqual([2n]);
    expect((await client.getStreamMetadata(stream)).metadata).toEqual({ maxCount: 1 });
    await client.deleteStream(stream);
    const read = async () => {
      for await (const _ of client.readStream(stream)) throw new Error('nothing is left to read');
    };
    await expect(read()).rejects.toBeInstanceOf(StreamNotFoundError);
  });

  test('is told at once what is not served', async () => {
    await expect(client.listProjections()).rejects.toMatchObject({ code: 12 });
  });
});

interface Deposited {
  readonly type: 'Deposited';
  readonly data: { readonly amount: number };
}

describe('@event-driven-io/emmett-esdb', () => {
  test('appends, folds and refuses a stale version through the gateway', async () => {
    const store = getEventStoreDBEventStore(client);
    const stream = `account-${randomUUID()}`;
    const deposited = (amount: number): Deposited => ({ type: 'Deposited', data: { amount } });
    const appended = await store.appendToStream(stream, [deposited(5), deposited(7)]);
    expect(appended.nextExpectedStreamVersion).toBe(1n);
    const { state, currentStreamVersion } = await store.aggregateStream<number, Deposited>(stream, {
      evolve: (sum: number, { data }: Deposited) => sum + data.amount,
      initialState: () => 0,
    });
    expect([state, currentStreamVersion]).toEqual([12, 1n]);
    await expect(
      store.appendToStream(stream, [deposited(1)], { expectedStreamVersion: 0n }),
    ).rejects.toThrow();
    const { events } = await store.readStream<Deposited>(stream);
    expect(events.map(({ data }) => data.amount)).toEqual([5, 7]);
  });
});
