/** What whoever watches over servers asks: figures for Prometheus, and whether the process lives and can work. */
import { afterEach, describe, expect, test } from 'vitest';
import { createMemoryEventStore } from '../../src/adapters/memory/event-store.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { startGateway, type TestGateway } from '../kurrent-gateway/start-gateway.ts';
import { jsonOf, startServer, temporaryFolder, type Served } from './kit.ts';

const gateways: TestGateway[] = [];
const stores: EventStore[] = [];
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close();
  for (const store of stores.splice(0)) await store.close();
});

const startStore = async (store: EventStore, port?: number): Promise<TestGateway> => {
  const gateway = await startGateway({ store, ...(port === undefined ? {} : { port }) });
  gateways.push(gateway);
  return gateway;
};

const statusOf = async (server: Served, path: string): Promise<number> => {
  const answer = await server.fetch(path, { token: null });
  await answer.text();
  return answer.status;
};

/** Asks until the answer is the expected one; the test's own time limit ends it. */
const until = async (ask: () => Promise<number>, expected: number): Promise<void> => {
  while ((await ask()) !== expected);
};

describe('/metrics', () => {
  test('answers a token of all tenants in the text format of Prometheus', async () => {
    const server = await startServer();
    const started = await server.post('/api/v1/runs', { workflow: 'add-one', input: { value: 1 } });
    const { id } = await jsonOf(started);
    await (await server.ecl.get(id)).result();
    const answer = await server.fetch('/metrics', {
      token: server.token({ tenant: '*', scope: 'read' }),
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await answer.text()).toContain(
      'ecl_runs_ended_total{workflow="add-one",status="completed"} 1',
    );
  });

  test('is refused to a token of one tenant and to none, and open where no tokens are wanted', async () => {
    const server = await startServer();
    const ask = async (token: string | null): Promise<number> =>
      (await server.fetch('/metrics', { token })).status;
    expect(await ask(null)).toBe(401);
    expect(await ask(server.token({ tenant: 'acme', scope: 'admin' }))).toBe(403);
    const open = await startServer({ serve: { auth: false } });
    expect((await open.fetch('/metrics', { token: null })).status).toBe(200);
  });
});

describe('/health', () => {
  test('lives while the store is away, is not ready then, and heals when it is back', async () => {
    const store = createMemoryEventStore();
    stores.push(store);
    const gateway = await startStore(store);
    const server = await startServer({
      store: gateway.connectionString,
      folder: temporaryFolder(),
    });
    expect(await statusOf(server, '/health/ready')).toBe(200);
    await gateway.close();
    await until(() => statusOf(server, '/health/ready'), 503);
    expect(await statusOf(server, '/health/live')).toBe(200);
    expect(await (await server.fetch('/metrics')).text()).toContain('ecl_store_up 0');
    await startStore(store, gateway.port);
    await until(() => statusOf(server, '/health/ready'), 200);
    const started = await server.post('/api/v1/runs', { workflow: 'add-one', input: { value: 1 } });
    const { id } = await jsonOf(started);
    expect(await (await server.ecl.get(id)).result()).toEqual({ value: 2 });
    expect(await (await server.fetch('/metrics')).text()).toContain('ecl_store_up 1');
    // While its store is there: a server that shares one leaves it in order.
    await server.stop();
  });
});
