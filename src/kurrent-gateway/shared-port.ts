/** One port for gRPC and HTTP: the first bytes of a connection say which of the two it speaks. */
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import { ServerCredentials, type ConnectionInjector, type Server } from '@grpc/grpc-js';
import { EclError } from '../core/errors.ts';

/** How a connection of HTTP/2 begins. */
const preface = Buffer.from('PRI * HTTP/2.0');
const connectionsMax = 1_000;

export class SharedPort {
  readonly #grpc: ConnectionInjector;
  readonly #http: ReturnType<typeof createHttpServer>;
  readonly #net: NetServer;
  readonly #sockets = new Set<Socket>();

  constructor(grpc: Server, answer: RequestListener) {
    this.#grpc = grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.#http = createHttpServer(answer);
    this.#net = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#net.maxConnections = connectionsMax;
  }

  /**
   * @returns the port, which is another one than asked for where 0 was
   * @throws EclError `usage.invalid`
   */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#net.once('error', (cause) => {
        const reason = `The gateway cannot listen on ${host}:${port}: ${cause.message}`;
        reject(new EclError('usage.invalid', { reason }, { cause }));
      });
      this.#net.listen(port, host, resolve);
    });
    return (this.#net.address() as AddressInfo).port;
  }

  /** No new connections from now on. */
  refuse(): void {
    this.#net.close();
  }

  async close(): Promise<void> {
    const closed = [...this.#sockets].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    );
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
    this.#grpc.destroy();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let first = Buffer.alloc(0);
    const read = (chunk: Buffer): void => {
      first = Buffer.concat([first, chunk]);
      const length = Math.min(first.length, preface.length);
      const isPreface = first.subarray(0, length).equals(preface.subarray(0, length));
      if (isPreface && length < preface.length) return;
      socket.off('data', read);
      socket.pause();
      socket.unshift(first);
      if (isPreface) this.#grpc.injectConnection(socket);
      else {
        this.#http.emit('connection', socket);
        socket.resume();
      }
    };
    socket.on('data', read);
  }
}
