/** A gateway for a test: over a store of its own, or the one that it is given, on a free port. */
import { createMemoryEventStore } from '../../src/adapters/memory/event-store.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemIdGenerator } from '../../src/adapters/system/id-generator.ts';
import { startGateway as start } from '../../src/kurrent-gateway/gateway.ts';
import type { EventStore } from '../../src/ports/event-store.ts';

export interface StartGatewayOptions {
  /** @default an empty store in memory, which closes with the gateway */
  readonly store?: EventStore;
  /** @default a free one */
  readonly port?: number;
}

export interface TestGateway {
  readonly connectionString: string;
  readonly port: number;
  readonly store: EventStore;
  close(): Promise<void>;
}

export const startGateway = async (options: StartGatewayOptions = {}): Promise<TestGateway> => {
  const store = options.store ?? createMemoryEventStore();
  const gateway = await start({
    store,
    clock: createSystemClock(),
    ids: createSystemIdGenerator(),
    ...(options.port === undefined ? {} : { port: options.port }),
  });
  return {
    connectionString: gateway.connectionString,
    port: gateway.port,
    store,
    close: async () => {
      await gateway.close();
      if (options.store === undefined) await store.close();
    },
  };
};
