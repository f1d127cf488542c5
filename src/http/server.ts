/**
 * The HTTP API on a socket: bounded in time and size against clients that are slow, and ending in order.
 *
 * 1. `close` resolves within the grace, whatever clients do: streams end first, requests under way get the grace.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { EclError } from '../core/errors.ts';
import { ArtifactAccess } from './access/artifact-access.ts';
import { Load } from './access/load.ts';
import type { Clock } from '../ports/clock.ts';
import { createApp } from './app.ts';
import type { Api } from './api.ts';
import { RunWaits } from './run-waits.ts';
import { Uploads } from './uploads.ts';

export interface HttpServer {
  /** Without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** Stops taking requests, ends streams, lets requests under way end. @param graceMs @default 2000 */
  close(graceMs?: number): Promise<void>;
}

export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Everything of the API but what this server makes itself. */
  readonly api: Omit<Api, 'artifactAccess' | 'closing' | 'load' | 'uploads' | 'waits'>;
}

const closeGraceMs = 2_000;
const lookMs = 25;

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something listens there already',
  EACCES: 'this user may not listen there',
  EADDRNOTAVAIL: 'it is no address of this machine',
};

const listen = (server: Server, { host, port }: ServerOptions): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new EclError('server.no-address', {
          url: `${host}:${port}`,
          reason: reasons[error.code ?? ''] ?? error.message,
        }),
      );
    });
    server.listen({ host, port }, () => resolve((server.address() as AddressInfo).port));
  });

const inBrackets = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** @throws EclError `server.no-address` when the address cannot be taken */
export const startHttpServer = async (options: ServerOptions): Promise<HttpServer> => {
  const { getRequestListener } = await import('@hono/node-server');
  const { api } = options;
  const { limits, clock } = api;
  const closing = new AbortController();
  const { store } = api.ecl.system.services;
  const uploads = new Uploads({ store, clock, ids: api.ids });
  const app = createApp({
    ...api,
    load: new Load(limits, clock),
    uploads,
    artifactAccess: new ArtifactAccess(api.ecl, uploads),
    waits: new RunWaits(clock),
    closing: closing.signal,
  });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  /** Connections that have asked for nothing yet: some clients open them in advance. Node does not count them as idle. */
  const fresh = new Set<Socket>();
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => {
      fresh.delete(request.socket);
      void listener(request, response);
    },
  );
  server.on('connection', (socket) => {
    fresh.add(socket);
    socket.once('close', () => fresh.delete(socket));
  });
  server.maxConnections = limits.connectionsMax;
  const port = await listen(server, options);
  return {
    url: `http://${inBrackets(options.host)}:${port}`,
    port,
    close: (graceMs = closeGraceMs) => {
      closing.abort();
      return closeServer(server, { clock, graceMs, fresh });
    },
  };
};

/** Connections are kept for another request: each is closed as soon as it is idle. */
const closeServer = (
  server: Server,
  { clock, graceMs, fresh }: { clock: Clock; graceMs: number; fresh: ReadonlySet<Socket> },
): Promise<void> =>
  new Promise((resolve) => {
    const until = clock.now() + graceMs;
    let cancel = (): void => {};
    const look = (): void => {
      if (clock.now() >= until) server.closeAllConnections();
      else server.closeIdleConnections();
      for (const socket of fresh) socket.destroy();
      cancel = clock.schedule(clock.now() + lookMs, look);
    };
    server.close(() => {
      cancel();
      resolve();
    });
    look();
  });
