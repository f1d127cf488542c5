/** Part of the composition root: the embedded store in KurrentDB's protocol. It holds the store; it runs nothing. */
import { createSystemClock } from '../adapters/system/clock.ts';
import { createSystemIdGenerator } from '../adapters/system/id-generator.ts';
import { isKurrentDb, shownStore } from '../config.ts';
import { EclError } from '../core/errors.ts';
import { startGateway, type Gateway, type GatewayLogger } from '../kurrent-gateway/gateway.ts';
import type { EventStore } from '../ports/event-store.ts';

export interface GatewayServing {
  /** `sqlite:<folder>` or `memory:`. */
  readonly store: string;
  /** 0 takes a free one. @default 2113, as KurrentDB's own */
  readonly port?: number;
  readonly logger?: GatewayLogger;
}

const portDefault = 2113;

const openStore = async (store: string): Promise<EventStore> => {
  if (store.startsWith('sqlite:')) {
    const { openSqliteEventStore } = await import('../adapters/sqlite/event-store.ts');
    return openSqliteEventStore({ folder: store.slice('sqlite:'.length), access: 'write' });
  }
  if (store === 'memory:' || store === 'memory') {
    const { createMemoryEventStore } = await import('../adapters/memory/event-store.ts');
    return createMemoryEventStore();
  }
  const reason = isKurrentDb(store)
    ? `${shownStore(store)} speaks KurrentDB's protocol already; the gateway is for sqlite:<folder>`
    : `"${shownStore(store)}" is no store that a gateway can offer; it takes sqlite:<folder>`;
  throw new EclError('usage.invalid', { reason });
};

/**
 * Opens a store and serves it on loopback.
 *
 * @throws EclError `usage.invalid` for another store or a port that is taken, `store.locked` and the others of opening
 */
export const serveGateway = async (options: GatewayServing): Promise<Gateway> => {
  const { port = portDefault, logger } = options;
  const store = await openStore(options.store);
  try {
    const gateway = await startGateway({
      store,
      port,
      clock: createSystemClock(),
      ids: createSystemIdGenerator(),
      ...(logger === undefined ? {} : { logger }),
    });
    return {
      ...gateway,
      close: async () => {
        await gateway.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
};
