/**
 * The server that the tests of this folder run against: the one named by ECL_TEST_KURRENTDB, or a gateway of their own.
 *
 * 1. A server that is named and not there fails the tests; it never skips them.
 * 2. Each caller gets a name of its own for its streams and tenants, so any server will do, whatever else is on it.
 * 3. With ECL_TEST_BAD_NETWORK=1 everything reaches it through a proxy that loses answers and resets connections.
 */
import { randomUUID } from 'node:crypto';
import { afterAll } from 'vitest';
import { seedOf } from '../random.ts';
import { startProxy } from './tcp-proxy.ts';

export interface TestServer {
  readonly connectionString: string;
  close(): Promise<void>;
}

/** A server that is not ours to start: then tests take their time, and share it one after the other. */
export const namedServer = process.env['ECL_TEST_KURRENTDB'] || undefined;

/**
 * In a cluster clients are sent to the leader's own address, around whatever stands before one node: what puts a bad
 * network there has nothing to say then.
 */
export const isCluster = /\+discover|:\/\/[^/?]*,/.test(namedServer ?? '');
if (isCluster) {
  console.info(
    'skipped on a cluster: what puts a proxy before one node, since clients go around it',
  );
}

export const isBadNetwork = process.env['ECL_TEST_BAD_NETWORK'] === '1';

/** Of appends and of connections. */
export const badNetwork = { lostAnswers: 0.1, resets: 0.05 };

const behindBadNetwork = async (server: TestServer): Promise<TestServer> => {
  const seed = seedOf();
  const proxy = await startProxy(server.connectionString, seed);
  proxy.faults = badNetwork;
  return {
    connectionString: proxy.connectionString,
    close: async () => {
      const { lostAnswers, resets, connections } = proxy.counts;
      console.info(
        `bad network (ECL_SEED=${seed}): ${lostAnswers} answers lost, ${resets} of ${connections} connections reset`,
      );
      await proxy.close();
      await server.close();
    },
  };
};

export const startServer = async (): Promise<TestServer> => {
  const server = await plainServer();
  return isBadNetwork ? behindBadNetwork(server) : server;
};

const plainServer = async (): Promise<TestServer> => {
  if (namedServer !== undefined) {
    return { connectionString: namedServer, close: () => Promise.resolve() };
  }
  const { startGateway } = await import('../kurrent-gateway/start-gateway.ts');
  return startGateway();
};

/** One for all tests of a file. */
export const sharedServer = (): (() => Promise<string>) => {
  let server: Promise<TestServer> | undefined;
  afterAll(async () => (await server)?.close());
  return async () => {
    server ??= startServer();
    return (await server).connectionString;
  };
};

/** A tenant, or the beginning of stream names, that nobody else has. */
export const uniqueName = (): string => `t${randomUUID().slice(0, 8)}`;
