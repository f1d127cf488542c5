/** What the gateway does beyond answering as a real server: races, restarts, closing, and connections of strangers. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  FORWARDS,
  jsonEvent,
  KurrentDBClient,
  START,
  streamNameFilter,
  type Position,
} from '@kurrent/kurrentdb-client';
import { afterEach, describe, expect, test } from 'vitest';
import { createMemoryEventStore } from '../../src/adapters/memory/event-store.ts';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemIdGenerator } from '../../src/adapters/system/id-generator.ts';
import { startGateway as start } from '../../src/kurrent-gateway/gateway.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { startGateway, type TestGateway } from './start-gateway.ts';

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

const opened = async (store?: EventStore): Promise<[TestGateway, KurrentDBClient]> => {
  const gateway = await startGateway(store === undefined ? {} : { store });
  cleanUps.push(() => gateway.close());
  return [gateway, clientOf(gateway)];
};

const clientOf = ({ connectionString }: TestGateway): KurrentDBClient => {
  const client = KurrentDBClient.connectionString(connectionString);
  cleanUps.push(() => client.dispose());
  return client;
};

const folderStore = async (): Promise<[string, EventStore]> => {
  const folder = mkdtempSync(join(tmpdir(), 'ecl-gateway-'));
  const store = await openSqliteEventStore({ folder });
  cleanUps.push(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return [folder, store];
};

const noted = (n = 0) => jsonEvent({ type: 'Noted', data: { n } });
const readNumbers = async (client: KurrentDBClient, stream: string): Promise<number[]> => {
  const found: number[] = [];
  for await (const { event } of client.readStream(stream)) {
    found.push((event!.data as { n: number }).n);
  }
  return found;
};
const typeOf = (error: unknown): string => (error as { type?: string }).type ?? String(error);

describe('appends that race', () => {
  test('on one revision of a stream are won by one each, over the embedded store', async () => {
    const [, store] = await folderStore();
    const [gateway, client] = await opened(store);
    const other = clientOf(gateway);
    const stream = `race-${randomUUID()}`;
    for (let revision = 0; revision < 15; revision += 1) {
      const streamState = revision === 0 ? 'no_stream' : BigInt(revision - 1);
      const outcomes = await Promise.allSettled(
        [client, other, client, other].map((one, n) =>
          one.appendToStream(stream, noted(n), { streamState }),
        ),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    }
    expect(await readNumbers(client, stream)).toHaveLength(15);
  });

  test('pipelined on one stream with the revision that each will find all land in order', async () => {
    const [, client] = await opened();
    const stream = `pipelined-${randomUUID()}`;
    // The client's first appends open a call each; from then on they share one.
    await client.appendToStream(`${stream}-first`, noted());
    const appends = Array.from({ length: 100 }, (_, n) =>
      client.appendToStream(stream, noted(n), {
        streamState: n === 0 ? 'no_stream' : BigInt(n - 1),
      }),
    );
    await Promise.all(appends);
    expect(await readNumbers(client, stream)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  test('with a lease are refused once it has moved on, and none of a refused one is stored', async () => {
    const [, store] = await folderStore();
    const [gateway, client] = await opened(store);
    const holder = clientOf(gateway);
    const lease = `lease-${randomUUID()}`;
    const run = `fenced-${randomUUID()}`;
    await client.appendToStream(lease, noted(0), { streamState: 'no_stream' });
    const accepted: number[] = [];
    const rounds = 60;
    for (let epoch = 0; epoch < rounds; epoch += 1) {
      const moved = client.appendToStream(lease, noted(epoch + 1), { streamState: BigInt(epoch) });
      const record = jsonEvent({ type: 'Noted', data: { n: epoch } });
      const check = {
        type: 'stream_state',
        streamName: lease,
        expectedState: BigInt(epoch),
      } as const;
      // At the same moment: which of the two comes first is left to chance.
      const fenced = holder.appendRecords([{ streamName: run, record }], [check]).then(
        () => accepted.push(epoch),
        (error: unknown) => expect(typeOf(error)).toBe('append-consistency-violation'),
      );
      await Promise.all([moved, fenced]);
    }
    const log: string[] = [];
    for await (const { event } of client.readAll({ direction: FORWARDS })) {
      const n = (event!.data as { n: number }).n;
      log.push(`${event!.streamId === lease ? 'epoch' : 'fenced'} ${n}`);
    }
    // In the log every fenced event stands between its epoch and the next one.
    const expected = Array.from({ length: rounds + 1 }, (_, n) =>
      accepted.includes(n) ? [`epoch ${n}`, `fenced ${n}`] : [`epoch ${n}`],
    );
    expect(log).toEqual(expected.flat());
  });

  test('with deletions never lose what was acknowledged after the last one', async () => {
    const [, store] = await folderStore();
    const [, client] = await opened(store);
    const stream = `deleted-${randomUUID()}`;
    await client.appendToStream(stream, noted(0));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 60 }, (_, n) =>
        n % 7 === 3 ? client.deleteStream(stream) : client.appendToStream(stream, noted(n)),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
    await client.appendToStream(stream, noted(99));
    const log: string[] = [];
    for await (const { event } of client.readAll()) {
      if (event?.streamId === stream) log.push(`${event.revision}`);
    }
    // Nothing that was appended is missing in the log, and revisions went on through all deletions.
    expect(log).toEqual(Array.from({ length: log.length }, (_, n) => String(n)));
    expect(log).toHaveLength(2 + 60 - 9);
    expect((await readNumbers(client, stream)).at(-1)).toBe(99);
  });

  test('with a tombstone are refused after it, and stored if they were acknowledged before', async () => {
    const [, store] = await folderStore();
    const [, client] = await opened(store);
    const stream = `ended-${randomUUID()}`;
    await client.appendToStream(stream, noted(0));
    const appends = Array.from({ length: 30 }, (_, n) => client.appendToStream(stream, noted(n)));
    const ended = client.tombstoneStream(stream);
    const late = Array.from({ length: 30 }, (_, n) => client.appendToStream(stream, noted(n)));
    const outcomes = await Promise.allSettled([...appends, ...late]);
    await ended;
    await expect(client.appendToStream(stream, noted(1))).rejects.toMatchObject({
      type: 'stream-deleted',
    });
    const revisions: bigint[] = [];
    for await (const { event } of client.readAll()) {
      if (event?.streamId === stream) revisions.push(event.revision);
    }
    const stored = outcomes.filter(({ status }) => status === 'fulfilled').length;
    expect(revisions).toHaveLength(1 + stored + 1);
    // The tombstone is the last that the log says of the stream.
    expect(revisions.at(-1)).toBe(9_223_372_036_854_775_807n);
  });
});

describe('a store that is closed and opened again', () => {
  test('has its deletions, tombstones, metadata and octets', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ecl-gateway-'));
    cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
    const session = async (work: (client: KurrentDBClient) => Promise<void>): Promise<void> => {
      const store = await openSqliteEventStore({ folder });
      const gateway = await startGateway({ store });
      const client = KurrentDBClient.connectionString(gateway.connectionString);
      await work(client);
      await client.dispose();
      await gateway.close();
      await store.close();
    };
    const octets = Buffer.from([0, 255, 1]);
    await session(async (client) => {
      for (const stream of ['kept', 'deleted', 'ended']) {
        await client.appendToStream(stream, [noted(0), noted(1), noted(2)]);
      }
      await client.setStreamMetadata('kept', { maxCount: 2 });
      await client.deleteStream('deleted');
      await client.tombstoneStream('ended');
      const binary = {
        id: randomUUID(),
        type: 'b',
        contentType: 'application/octet-stream',
      } as const;
      await client.appendToStream('octets', { ...binary, data: octets } as never);
    });
    await session(async (client) => {
      expect(await readNumbers(client, 'kept')).toEqual([1, 2]);
      await expect(readNumbers(client, 'deleted')).rejects.toMatchObject({
        type: 'stream-not-found',
      });
      await expect(readNumbers(client, 'ended')).rejects.toMatchObject({ type: 'stream-deleted' });
      await expect(client.appendToStream('ended', noted())).rejects.toMatchObject({
        type: 'stream-deleted',
      });
      const revived = await client.appendToStream('deleted', noted(7), {
        streamState: 'no_stream',
      });
      expect(revived.nextExpectedRevision).toBe(3n);
      expect(await readNumbers(client, 'deleted')).toEqual([7]);
      for await (const { event } of client.readStream('octets')) {
        expect(Buffer.from(event!.data as never)).toEqual(octets);
      }
    });
  });
});

describe('a filtered subscription that breaks off again and again', () => {
  test('resumed from its last checkpoint or event misses nothing and repeats nothing', async () => {
    const [, client] = await opened();
    const own = `own-${randomUUID()}`;
    const total = 150;
    const writing = (async () => {
      for (let n = 0; n < total; n += 1) {
        await client.appendToStream(own, noted(n));
        for (let other = 0; other < n % 4; other += 1)
          await client.appendToStream('other', noted());
      }
    })();
    const seen: number[] = [];
    let place: Position | typeof START = START;
    for (let round = 0; seen.length < total; round += 1) {
      const checkpointReached = async (_: unknown, position: Position): Promise<void> => {
        place = position;
      };
      const filter = streamNameFilter({
        prefixes: [own],
        maxSearchWindow: 1 + (round % 5),
        checkpointInterval: 1,
        checkpointReached,
      } as never);
      const subscription = client.subscribeToAll({ fromPosition: place, filter });
      let left = 1 + (round % 9);
      for await (const { event } of subscription) {
        seen.push((event!.data as { n: number }).n);
        place = event!.position!;
        left -= 1;
        if (left <= 0 || seen.length >= total) break;
      }
      await subscription.unsubscribe();
    }
    await writing;
    expect(seen).toEqual(Array.from({ length: total }, (_, n) => n));
  });
});

describe('closing', () => {
  test('ends subscriptions with an error, and leaves no append without an answer', async () => {
    const [, store] = await folderStore();
    const gateway = await startGateway({ store });
    const client = clientOf(gateway);
    await client.appendToStream('s', noted(0));
    const subscription = client.subscribeToStream('s', { fromRevision: START });
    const broken = (async () => {
      for await (const _ of subscription) if (_.event === undefined) break;
    })().catch(typeOf);
    const appends = Array.from({ length: 40 }, (_, n) =>
      client.appendToStream(`s-${n}`, noted(n), { streamState: 'no_stream' }),
    );
    const settled = Promise.allSettled(appends);
    await appends[0];
    await gateway.close();
    const outcomes = await settled;
    expect(await broken).toBe('unavailable');
    expect(outcomes[0]?.status).toBe('fulfilled');
    // What was taken was answered, and what was not answered was not taken.
    for (const [n, { status }] of outcomes.entries()) {
      const stored = await store.lastRevision(`s-${n}`);
      expect([n, stored]).toEqual([n, status === 'fulfilled' ? 0 : undefined]);
    }
  });

  test('leaves nothing that keeps the port', async () => {
    const first = await startGateway();
    await first.close();
    const second = await startGateway({ port: first.port });
    await second.close();
  });
});

describe('the address', () => {
  test('is one of loopback, or the gateway does not start', async () => {
    const parts = {
      store: createMemoryEventStore(),
      clock: createSystemClock(),
      ids: createSystemIdGenerator(),
    };
    for (const host of ['0.0.0.0', '::', '192.168.0.1', 'example.org']) {
      await expect(start({ ...parts, host })).rejects.toMatchObject({ code: 'usage.invalid' });
    }
  });

  test('that is taken is told as such', async () => {
    const [{ port }] = await opened();
    await expect(startGateway({ port })).rejects.toMatchObject({ code: 'usage.invalid' });
  });
});

describe('a stranger at the port', () => {
  const send = (port: number, bytes: Buffer): Promise<string> =>
    new Promise((resolve) => {
      let answer = '';
      const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
      socket.on('data', (part) => (answer += part.toString('latin1')));
      socket.on('error', () => {});
      socket.on('close', () => resolve(answer));
    });

  test('who sends rubbish is turned away, and the others do not notice', async () => {
    const [{ port }, client] = await opened();
    const rubbish = [
      Buffer.alloc(0),
      Buffer.from('P'),
      Buffer.from('PRI * nonsense\r\n\r\n'),
      Buffer.alloc(5_000, 7),
    ];
    await Promise.all(rubbish.map((bytes) => send(port, bytes)));
    await client.appendToStream('s', noted(1));
    expect(await readNumbers(client, 's')).toEqual([1]);
  });

  test('gets HTTP answers beside gRPC, and is told what is not offered there', async () => {
    const [{ port }] = await opened();
    const statusOf = async (path: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    expect(await statusOf('/health/live')).toBe(204);
    expect(await statusOf('/health/live?liveCode=200')).toBe(200);
    expect(await statusOf('/streams/a')).toBe(501);
    expect(await statusOf('/nowhere')).toBe(404);
  });
});
