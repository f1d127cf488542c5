/**
 * The gateway: an event store of ECL spoken in KurrentDB's own protocol, so that its clients can append, read and
 * subscribe without a server.
 *
 * 1. It listens on loopback and nowhere else: without TLS the protocol carries no credentials, so there are none.
 * 2. gRPC and HTTP share one port, as on a real node.
 * 3. Closing it ends subscriptions, lets appends that are under way be answered, and leaves the store open.
 *
 * See docs/decisions/0010-gateway-in-front-of-the-port.md.
 */
import { setMaxListeners } from 'node:events';
import { Server, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { EclError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { IdGenerator } from '../ports/id-generator.ts';
import { AllReader } from './all-reader.ts';
import { httpSide } from './http-side.ts';
import { ManyWriter } from './many-writer.ts';
import { logged } from './refusals.ts';
import { appendMethod, handleAppend } from './services/appending.ts';
import {
  appendRecordsMethod,
  appendSessionMethod,
  handleAppendRecords,
  handleAppendSession,
} from './services/appending-records.ts';
import { batchAppendMethod, handleBatchAppend } from './services/batch-appending.ts';
import { earlyHeaders, handleRead, readMethod } from './services/reading.ts';
import { deleteMethod, handleRemoval, tombstoneMethod } from './services/removing.ts';
import {
  featuresMethod,
  gossipMethod,
  handleFeatures,
  handleGossip,
  type Address,
  type Member,
} from './services/server.ts';
import { SharedPort } from './shared-port.ts';
import { StreamReader } from './stream-reader.ts';
import { StreamWriter } from './stream-writer.ts';

export interface GatewayOptions {
  /** Stays open when the gateway closes. Nobody else may write its `$$` streams meanwhile. */
  readonly store: EventStore;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  /** @default a free one */
  readonly port?: number;
  /** An address of loopback. @default '127.0.0.1' */
  readonly host?: string;
  readonly logger?: GatewayLogger;
}

/** The part of a logger that the gateway uses. */
export interface GatewayLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface Gateway {
  readonly port: number;
  /** For KurrentDB's clients, without TLS. */
  readonly connectionString: string;
  close(): Promise<void>;
}

/** How long calls may take to end when the gateway closes. */
const closingMsMax = 2_000;

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);

/**
 * Starts a gateway over a store.
 * @throws EclError `usage.invalid` for an address that is not of loopback, or a port that is taken
 */
export const startGateway = async (options: GatewayOptions): Promise<Gateway> => {
  const { clock, ids, host = '127.0.0.1', logger } = options;
  if (!isLoopback(host)) {
    const reason = `The gateway listens on loopback only, for instance 127.0.0.1, not on ${host}`;
    throw new EclError('usage.invalid', { reason });
  }
  let address: Address = { host, port: 0 };
  const member: Member = {
    instanceId: ids.uuid(),
    address: () => address,
    now: () => clock.now(),
  };
  const closing = new AbortController();
  // Every open call listens to it.
  setMaxListeners(0, closing.signal);
  const server = grpcServer(options, member, closing.signal);
  const port = new SharedPort(server, httpSide(member));
  address = { host, port: await port.listen(host, options.port ?? 0) };
  const authority = host.includes(':') ? `[${host}]` : host;
  const connectionString = `kurrentdb://${authority}:${address.port}?tls=false&discoveryInterval=10`;
  logger?.info({ host, port: address.port }, 'gateway listening');
  return {
    port: address.port,
    connectionString,
    close: async () => {
      port.refuse();
      closing.abort();
      await shutDown(server, clock);
      await port.close();
    },
  };
};

const grpcServer = (options: GatewayOptions, member: Member, closing: AbortSignal): Server => {
  const { store, clock, ids, logger } = options;
  const report = (error: unknown): void => {
    const { isExpected, reason } = logged(error);
    logger?.[isExpected ? 'debug' : 'error']({ reason }, 'call refused');
  };
  const writer = new StreamWriter({ store, clock, ids });
  const manyWriter = new ManyWriter(writer);
  const parts = { store, clock, ids, states: writer.states };
  const streams = new StreamReader(parts);
  const readers = { streams, all: new AllReader(parts, streams) };
  const server = new Server({
    'grpc.max_receive_message_length': limits.gatewayAppendBytesMax,
    'grpc.max_send_message_length': -1,
    interceptors: [earlyHeaders],
  });
  const served: readonly [object, unknown][] = [
    [appendMethod, handleAppend(writer, report)],
    [batchAppendMethod, handleBatchAppend({ writer, clock, report }, closing)],
    [readMethod, handleRead(readers, closing, report)],
    [deleteMethod, handleRemoval(writer, false, report)],
    [tombstoneMethod, handleRemoval(writer, true, report)],
    [appendSessionMethod, handleAppendSession(manyWriter, ids, report)],
    [appendRecordsMethod, handleAppendRecords(manyWriter, ids, report)],
    [featuresMethod, handleFeatures],
    [gossipMethod, handleGossip(member)],
  ];
  for (const [definition, handler] of served) {
    server.addService(
      { call: definition } as never,
      { call: handler } as UntypedServiceImplementation,
    );
  }
  return server;
};

/** Waits for the calls that are under way, but not for ever. */
const shutDown = async (server: Server, clock: Clock): Promise<void> => {
  let cancel = (): void => {};
  await new Promise<void>((resolve) => {
    cancel = clock.schedule(clock.now() + closingMsMax, resolve);
    server.tryShutdown(() => resolve());
  });
  cancel();
  server.forceShutdown();
};
