/** Servers that have no appends over several streams with checks (before 26.0), or none over several streams (before 25.1). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openKurrentDbEventStore } from '../../../src/adapters/kurrentdb/event-store.ts';
import type { EventStore } from '../../../src/ports/event-store.ts';
import { code, events, wrongRevision } from '../../contracts/event-store/kit.ts';
import { sharedServer, uniqueName } from '../../kurrentdb/server.ts';

const server = sharedServer();
const older = { '25.1': ['appendRecords'], '24.10': ['appendRecords', 'appendSession'] } as const;

describe.each(['25.1', '24.10'] as const)('a server of version %s', (version) => {
  let store: EventStore;
  beforeAll(async () => {
    const connectionString = await server();
    store = await openKurrentDbEventStore({ connectionString, without: older[version] });
  });
  afterAll(() => store.close());

  const fresh = (stream: string) =>
    ({ stream, expectedRevision: 'no-stream', events: events(2) }) as const;

  test('takes appends that wait at the same moment one by one', async () => {
    const appends = Array.from({ length: 100 }, () => fresh(uniqueName()));
    const results = await Promise.all(appends.map((append) => store.append(append)));
    expect(results.map(({ revision }) => revision)).toEqual(appends.map(() => 1));
    const { details } = await store.describe();
    expect([details['calls'], details['appends']]).toEqual([100, 100]);
  });

  test('says that it has no checks, and refuses them', async () => {
    expect(store.features).toEqual({ checks: false, shared: true });
    const refused = store.append(fresh(uniqueName()), {
      checks: [{ stream: uniqueName(), revision: 0 }],
    });
    await expect(refused).rejects.toThrow(code('usage.invalid'));
  });

  test('stores an append over several streams, with the metadata as it was', async () => {
    const metadata = { tenant: 'acme', schema: 2, nested: { list: [1] } };
    const appends = [uniqueName(), uniqueName()].map((stream) => ({
      ...fresh(stream),
      events: [{ ...events(1)[0]!, metadata }],
    }));
    expect(await store.appendAll(appends)).toMatchObject([{ revision: 0 }, { revision: 0 }]);
    for (const { stream } of appends) {
      for await (const event of store.readStream(stream)) expect(event.metadata).toEqual(metadata);
    }
  });

  test(`keeps ${version === '25.1' ? 'nothing' : 'what came before it'} of one that is refused in part`, async () => {
    const [first, second] = [fresh(uniqueName()), fresh(uniqueName())];
    await store.append(second);
    const late = { ...fresh(second.stream) };
    await expect(store.appendAll([first, late])).rejects.toThrow(
      wrongRevision(second.stream, 'no-stream', 1),
    );
    const kept = await store.lastRevision(first.stream);
    expect(kept).toBe(version === '25.1' ? undefined : 1);
  });
});
