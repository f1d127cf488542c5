/**
 * A bad network between ECL and a KurrentDB: a TCP proxy that loses answers, resets connections and goes away.
 *
 * 1. A lost answer comes after the commit: the request reaches the server, which has time to store it; what it answers is
 *    thrown away together with the connection.
 * 2. It decides by a seed, so a run can be repeated as far as the order of the bytes allows.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { randomOf } from '../random.ts';

export interface Faults {
  /** Share of appends whose answer is lost. */
  readonly lostAnswers: number;
  /** Share of connections that are reset when their first bytes come. */
  readonly resets: number;
}

export interface Proxy {
  readonly port: number;
  /** The same address with this proxy in its place. */
  readonly connectionString: string;
  faults: Faults;
  /** How often each happened, and how many connections there were. */
  readonly counts: { lostAnswers: number; resets: number; connections: number };
  /** Ends all connections at once; new ones work. */
  cut(): void;
  /** Refuses everything until it is `back`. */
  away(): Promise<void>;
  back(): Promise<void>;
  /**
   * Keeps all connections and passes nothing on: a network that is gone without a word. Let go again, those that were
   * held may stay so for ever.
   */
  hold(isHeld: boolean, options?: { readonly except: 'held' }): void;
  close(): Promise<void>;
}

/** Every event of ECL has the first in its metadata, in either form of an append; those of the contract are of this type. */
const marksOfAppend = ['$correlationId', 'Noted'].map((mark) => Buffer.from(mark));
const isAppend = (bytes: Buffer): boolean => marksOfAppend.some((mark) => bytes.includes(mark));
const commitMs = 150;

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

const addressForm = /(:\/\/(?:[^@/]*@)?)([^/:?,]+)(?::(\d+))?/;

const addressOf = (connectionString: string): { host: string; port: number } => {
  const [, , host, port = '2113'] = addressForm.exec(connectionString)!;
  return { host: host!, port: Number(port) };
};

export const startProxy = async (connectionString: string, seed = 1): Promise<Proxy> => {
  const proxy = new TcpProxy(connectionString, seed);
  await proxy.back();
  return proxy;
};

class TcpProxy implements Proxy {
  readonly #target: { host: string; port: number };
  readonly #original: string;
  readonly #random: () => number;
  readonly #pairs = new Set<Pair>();
  #listening: Server | undefined;
  #isHeld = false;
  port = 0;
  faults: Faults = { lostAnswers: 0, resets: 0 };
  readonly counts = { lostAnswers: 0, resets: 0, connections: 0 };

  constructor(connectionString: string, seed: number) {
    this.#original = connectionString;
    this.#target = addressOf(connectionString);
    this.#random = randomOf(seed);
  }

  get connectionString(): string {
    return this.#original.replace(addressForm, `$1127.0.0.1:${this.port}`);
  }

  async back(): Promise<void> {
    const server = createServer((client) => this.#accept(client));
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.#listening = server;
  }

  async away(): Promise<void> {
    const server = this.#listening;
    this.#listening = undefined;
    const closed = server && once(server, 'close');
    server?.close();
    this.cut();
    await closed;
  }

  cut(): void {
    for (const pair of this.#pairs) end(pair);
  }

  hold(isHeld: boolean, options?: { readonly except: 'held' }): void {
    this.#isHeld = isHeld;
    if (options !== undefined) return;
    for (const { client, server } of this.#pairs) {
      for (const socket of [client, server]) {
        if (isHeld) socket.pause();
        else socket.resume();
      }
    }
  }

  close(): Promise<void> {
    return this.away();
  }

  #accept(client: Socket): void {
    const server = connect(this.#target);
    const pair = { client, server };
    this.#pairs.add(pair);
    this.counts.connections += 1;
    let isLosing = false;
    let isDoomed = this.#random() < this.faults.resets;
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => end(pair));
      socket.on('close', () => {
        end(pair);
        this.#pairs.delete(pair);
      });
      if (this.#isHeld) socket.pause();
    }
    client.on('data', (bytes) => {
      if (isDoomed) {
        isDoomed = false;
        this.counts.resets += 1;
        return client.resetAndDestroy();
      }
      if (isLosing) return undefined;
      if (isAppend(bytes) && this.#random() < this.faults.lostAnswers) {
        isLosing = true;
        this.counts.lostAnswers += 1;
        setTimeout(() => end(pair), commitMs);
      }
      return server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (!isLosing) client.write(bytes);
    });
  }
}

const end = ({ client, server }: Pair): void => {
  client.destroy();
  server.destroy();
};
