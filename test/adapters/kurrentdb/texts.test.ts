/** What other clients wrote comes back as they wrote it, and what ECL writes is theirs to read. */
import { randomUUID } from 'node:crypto';
import { jsonEvent, KurrentDBClient } from '@kurrent/kurrentdb-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openKurrentDbEventStore } from '../../../src/adapters/kurrentdb/event-store.ts';
import type { EventStore } from '../../../src/ports/event-store.ts';
import { all, chained, event } from '../../contracts/event-store/kit.ts';
import { sharedServer, uniqueName } from '../../kurrentdb/server.ts';

const server = sharedServer();
let store: EventStore;
let client: KurrentDBClient;
beforeAll(async () => {
  const connectionString = await server();
  store = await openKurrentDbEventStore({ connectionString });
  client = KurrentDBClient.connectionString(connectionString);
});
afterAll(async () => {
  await client.dispose();
  await store.close();
});

const readByClient = async (stream: string) => {
  const found: { isJson: boolean; data: unknown; metadata: unknown }[] = [];
  for await (const { event: recorded } of client.readStream(stream, { maxCount: 100 })) {
    if (recorded !== undefined) found.push(recorded);
  }
  return found;
};

test('journal events are JSON to other clients, with texts in the metadata, however they were appended', async () => {
  const streams = [uniqueName(), uniqueName(), uniqueName()];
  const [alone, ...together] = streams;
  const appendTo = (stream: string) =>
    ({ stream, expectedRevision: 'no-stream', events: chained(stream, 2) }) as const;
  await store.append(appendTo(alone!));
  await store.appendAll(together.map(appendTo));
  for (const stream of streams) {
    const written = chained(stream, 2);
    const seen = await readByClient(stream);
    for (const [index, { isJson, data, metadata }] of seen.entries()) {
      expect(isJson).toBe(true);
      expect(data).toEqual(JSON.parse(written[index]!.data));
      expect(metadata).toMatchObject({ ...written[index]!.metadata, schema: '1' });
    }
    expect(seen).toHaveLength(2);
    const stored = await all(store.readStream(stream));
    expect(stored.map(({ metadata }) => metadata)).toEqual(written.map(({ metadata }) => metadata));
  }
});

test('an event of another client has its own text, metadata and position', async () => {
  const stream = uniqueName();
  const data = { b: 1, a: ['é', null] };
  const id = randomUUID();
  await client.appendToStream(
    stream,
    jsonEvent({ id, type: 'theirs', data, metadata: { k: 'v' } }),
  );
  const [read] = await all(store.readStream(stream));
  const [listed] = await all(store.readAll({ filter: { streamPrefixes: [stream] } }));
  expect(read).toMatchObject({
    id,
    type: 'theirs',
    data: JSON.stringify(data),
    metadata: { k: 'v' },
  });
  expect(listed).toEqual(read);
});

test('text that JSON would change is kept to the byte, alone and in company', async () => {
  const texts = ['{ "n" : 1.0 }', '{"b":1,"a":2,"b":3}'];
  const appends = texts.map((data) => ({
    stream: uniqueName(),
    expectedRevision: 'no-stream' as const,
    events: [event({ data })],
  }));
  await store.appendAll(appends);
  for (const [index, { stream }] of appends.entries()) {
    const [stored] = await all(store.readStream(stream));
    expect(stored?.data).toBe(texts[index]);
  }
});
