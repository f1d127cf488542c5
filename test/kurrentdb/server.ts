/**
 * The server that the tests of this folder run against: the one named by ECL_TEST_KURRENTDB, or a gateway of their own.
 *
 * 1. A server that is named and not there fails the tests; it never skips them.
 * 2. Each caller gets a name of its own for its streams and tenants, so any server will do, whatever else is on it.
 */
import { randomUUID } from 'node:crypto';
import { afterAll } from 'vitest';

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

export const startServer = async (): Promise<TestServer> => {
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
