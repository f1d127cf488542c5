/** A small HTTP server that answers as a test says, for what the mock of the API cannot produce. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

export type Answer = (response: ServerResponse, received: Received) => void | Promise<void>;

export class TestServer {
  readonly received: Received[] = [];
  /** Connections that the other side closed before the answer was complete. */
  closedEarly = 0;
  #answer: Answer = (response) => void response.writeHead(500).end();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const received: Received = {
          path: request.url ?? '',
          headers: request.headers,
          body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
        };
        this.received.push(received);
        response.on('close', () => {
          if (!response.writableFinished) this.closedEarly += 1;
        });
        void this.#answer(response, received);
      });
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Sets the next answers and forgets what came before. */
  answer(answer: Answer): void {
    this.received.length = 0;
    this.closedEarly = 0;
    this.#answer = answer;
  }

  json(body: unknown, options: { status?: number; headers?: Record<string, string> } = {}): void {
    this.answer((response) => {
      response.writeHead(options.status ?? 200, {
        'content-type': 'application/json',
        ...options.headers,
      });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
