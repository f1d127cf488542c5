/** The journals of runs through the gateway: a client may continue one exactly as ECL does, and do nothing else to it. */
import { randomUUID } from 'node:crypto';
import { jsonEvent, KurrentDBClient, type JSONEventType } from '@kurrent/kurrentdb-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chainHash, chainStart, eventIdOfHash } from '../../src/core/hash-chain.ts';
import type { EventData, EventStore } from '../../src/ports/event-store.ts';
import { all, chained } from '../contracts/event-store/kit.ts';
import { startGateway, type TestGateway } from './start-gateway.ts';

let gateway: TestGateway;
let client: KurrentDBClient;
let store: EventStore;
const run = (): string => `run-default.flow.${randomUUID()}`;

beforeEach(async () => {
  gateway = await startGateway();
  store = gateway.store;
  client = KurrentDBClient.connectionString(gateway.connectionString);
});

afterEach(async () => {
  await client.dispose();
  await gateway.close();
});

const proposed = ({ id, type, data, metadata }: EventData) =>
  jsonEvent({
    id,
    type,
    data: JSON.parse(data) as JSONEventType['data'],
    metadata,
  });

const append = (
  stream: string,
  events: readonly EventData[],
  streamState: 'no_stream' | 'any' | bigint,
) => client.appendToStream(stream, events.map(proposed), { streamState });

const refused = { type: 'access-denied' };

describe('a journal', () => {
  test('continued as ECL does is stored as ECL stores it', async () => {
    const stream = run();
    const events = chained(stream, 5);
    await append(stream, events.slice(0, 2), 'no_stream');
    await append(stream, events.slice(2, 3), 1n);
    await append(stream, events.slice(3), 'any');
    const stored = await all(store.readStream(stream));
    expect(stored.map(({ id, type, data, metadata }) => ({ id, type, data, metadata }))).toEqual(
      events,
    );
  });

  test('written through AppendRecords, whose metadata are texts, is the same as well', async () => {
    const stream = run();
    const events = chained(stream, 2);
    const records = events.map((event) => {
      const { $correlationId, $causationId, schema, ...rest } = event.metadata;
      const metadata = { ...rest, $correlationId, $causationId, schema: String(schema) };
      return { streamName: stream, record: { ...proposed(event), metadata } };
    });
    await client.appendRecords(records, [
      { type: 'stream_state', streamName: stream, expectedState: 'no_stream' },
    ]);
    const [first] = await all(store.readStream(stream));
    expect(first).toMatchObject({ id: events[0]!.id, data: events[0]!.data });
    expect(first!.metadata).toEqual(events[0]!.metadata);
  });

  test('takes the retry of an append, and of two competing ones only the first', async () => {
    const stream = run();
    const events = chained(stream, 2);
    await append(stream, events.slice(0, 1), 'no_stream');
    const first = await append(stream, events.slice(1), 0n);
    const again = await append(stream, events.slice(1), 0n);
    expect(again.position).toEqual(first.position);
    expect((await append(stream, events.slice(1), 'any')).nextExpectedRevision).toBe(1n);
    const other = alternative(stream, events[0]!);
    await expect(append(stream, [other], 0n)).rejects.toMatchObject({
      type: 'wrong-expected-version',
    });
    expect(await all(store.readStream(stream))).toHaveLength(2);
  });

  test.each<[string, (event: EventData) => EventData]>([
    ['another content', (event) => ({ ...event, data: '{"revision":7}' })],
    ['another id', (event) => ({ ...event, id: randomUUID() })],
    ['another predecessor', (event) => withMetadata(event, { prev: chainStart })],
    ['another tenant', (event) => withMetadata(event, { tenant: 'acme' })],
    ['no chain', (event) => ({ ...event, metadata: {} })],
  ])('refuses an event with %s, and nothing of it is stored', async (_, change) => {
    const stream = run();
    const events = chained(stream, 3);
    await append(stream, events.slice(0, 1), 'no_stream');
    for (const state of [0n, 'any'] as const) {
      await expect(append(stream, [change(events[1]!), events[2]!], state)).rejects.toThrow();
    }
    expect(await all(store.readStream(stream))).toHaveLength(1);
  });

  test('refuses an event at another revision than its own', async () => {
    const stream = run();
    const events = chained(stream, 3);
    await append(stream, events.slice(0, 1), 'no_stream');
    await expect(append(stream, events.slice(2), 0n)).rejects.toThrow();
    await expect(append(stream, events.slice(1, 2), 'no_stream')).rejects.toThrow();
    expect(await all(store.readStream(stream))).toHaveLength(1);
  });

  test('is neither deleted nor truncated, and stays as it is', async () => {
    const stream = run();
    await append(stream, chained(stream, 2), 'no_stream');
    await expect(client.deleteStream(stream)).rejects.toMatchObject(refused);
    await expect(client.tombstoneStream(stream)).rejects.toMatchObject(refused);
    for (const metadata of [{ maxCount: 1 }, { maxAge: 1 }, { truncateBefore: 1 }]) {
      await expect(client.setStreamMetadata(stream, metadata)).rejects.toThrow();
    }
    await client.setStreamMetadata(stream, { cacheControl: 5 });
    const read = [];
    for await (const { event } of client.readStream(stream)) read.push(event?.revision);
    expect(read).toEqual([0n, 1n]);
  });

  test('is told why it was refused', async () => {
    const stream = run();
    const [event] = chained(stream, 1);
    await expect(append(stream, [{ ...event!, metadata: {} }], 'no_stream')).rejects.toMatchObject(
      refused,
    );
    const bare = { streamName: stream, record: jsonEvent({ type: 'Free', data: {} }) };
    await expect(client.appendRecords([bare])).rejects.toThrow(/takes what continues it/);
  });
});

const withMetadata = (event: EventData, fields: object): EventData => ({
  ...event,
  metadata: { ...event.metadata, ...fields },
});

/** A well-chained event that another process might have decided on after the same head. */
const alternative = (stream: string, head: EventData): EventData => {
  const { metadata } = head;
  const fields = {
    prev: metadata.hash!,
    stream,
    revision: 1,
    type: 'SignalReceived',
    schema: 1,
    at: metadata.at!,
    writer: metadata.writer!,
    correlation: metadata.$correlationId!,
    causation: '',
    data: '{}',
  };
  const hash = chainHash(fields);
  const { prev, schema, at, writer, type, data } = fields;
  return {
    id: eventIdOfHash(hash),
    type,
    data,
    metadata: {
      $correlationId: metadata.$correlationId!,
      $causationId: '',
      tenant: metadata.tenant!,
      at,
      schema,
      prev,
      hash,
      writer,
    },
  };
};
