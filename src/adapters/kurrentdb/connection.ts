/**
 * The one client of a process, replaced by a fresh one where it cannot recover by itself.
 *
 * 1. A connection that is silently gone answers nothing: then everything gets a new client. What was in flight fails and
 *    is in doubt. Its native part, which stays broken where it fails to connect at first, is never used.
 * 2. A client is replaced once however many find it broken, and not more often than it can be tried.
 * 3. Work that writes nothing, or was certainly not written, is tried again until patience ends.
 */
import { setMaxListeners } from 'node:events';
import { KurrentDBClient } from '@kurrent/kurrentdb-client';
import { EclError } from '../../core/errors.ts';
import type { ConnectionString } from './connection-string.ts';
import { failureOf } from './errors.ts';
import { backoff, monotonicMs, NoAnswer, pause, Slots, within } from './timing.ts';

export interface Patience {
  /** How long one call may take. */
  readonly answerMs: number;
  /** How long a call is tried again while the server is away, before the caller is told. */
  readonly awayMs: number;
}

/** What is not public of a client, and is to be had nowhere else. */
interface ClientInternals {
  readonly capabilities: Promise<ServerFeatures>;
  getChannel(): Promise<{ close(): void }>;
}

interface ServerFeatures {
  readonly serverVersion: string;
  supports(method: { readonly path: string }): boolean;
}

const renewalMsMin = 500;
const retryMsFirst = 50;
const retryMsLast = 1_000;

export class Connection {
  readonly #connectionString: ConnectionString;
  readonly #closing = new AbortController();
  /** Reads in flight: they share one connection with everything else. */
  readonly readSlots = new Slots(32);
  patience: Patience;
  #client: KurrentDBClient;
  #renewedAt = -Infinity;
  #heardAt = -Infinity;

  constructor(connectionString: ConnectionString, patience: Patience) {
    this.#connectionString = connectionString;
    this.patience = patience;
    // Whatever waits listens for the end.
    setMaxListeners(0, this.closing);
    this.#client = this.#create();
  }

  get shown(): string {
    return this.#connectionString.shown;
  }

  get isEncrypted(): boolean {
    return this.#connectionString.isEncrypted;
  }

  get client(): KurrentDBClient {
    return this.#client;
  }

  /** Aborts when the store is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Notes that the server is alive. */
  heard(): void {
    this.#heardAt = monotonicMs();
  }

  /** Replaces the client, if it is still this one. */
  renew(broken: KurrentDBClient): void {
    if (broken !== this.#client || this.closing.aborted) return;
    if (monotonicMs() - this.#renewedAt < renewalMsMin) return;
    this.#renewedAt = monotonicMs();
    this.#client = this.#create();
    void dispose(broken);
  }

  /** Work on the client: a failure that says it is broken replaces it. */
  async use<T>(
    what: string,
    work: (client: KurrentDBClient) => Promise<T>,
    answerMs = this.patience.answerMs,
  ): Promise<T> {
    const client = this.#client;
    const begun = monotonicMs();
    try {
      const result = await within(answerMs, what, work(client));
      this.heard();
      return result;
    } catch (error) {
      // Where others were answered meanwhile the connection is alive, and a new one would cost them theirs.
      if (error instanceof NoAnswer && this.#heardAt < begun) this.renew(client);
      throw error;
    }
  }

  /**
   * Repeats work while the server is away; `isSafe` says of a failure whether the work left no trace.
   *
   * @throws what the work threw last
   */
  async persistently<T>(
    work: () => Promise<T>,
    isSafe: (error: unknown) => boolean = isPassing,
  ): Promise<T> {
    const begun = monotonicMs();
    for (const wait of backoff(retryMsFirst, retryMsLast)) {
      try {
        return await work();
      } catch (error) {
        const isOver = monotonicMs() - begun + wait > this.patience.awayMs;
        if (isOver || this.closing.aborted || !isSafe(error)) throw error;
      }
      await pause(wait, this.closing);
    }
    throw new EclError('store.closed', { store: this.shown });
  }

  /**
   * The items of a read that is opened again where it breaks off; `open` goes on behind what it gave before.
   *
   * @throws what the read threw last
   */
  async *persistentItems<T>(open: () => AsyncIterable<T>): AsyncGenerator<T> {
    let progressAt = monotonicMs();
    let waits = backoff(retryMsFirst, retryMsLast);
    while (!this.closing.aborted) {
      try {
        for await (const item of open()) {
          yield item;
          if (this.closing.aborted) break;
          progressAt = monotonicMs();
          waits = backoff(retryMsFirst, retryMsLast);
        }
        if (!this.closing.aborted) return;
      } catch (error) {
        const isOver = monotonicMs() - progressAt > this.patience.awayMs;
        if (isOver || this.closing.aborted || !isPassing(error)) throw error;
      }
      await pause(waits.next().value, this.closing);
    }
    throw new EclError('store.closed', { store: this.shown });
  }

  features(): Promise<ServerFeatures> {
    return this.use('the question what it can do', (client) => internals(client).capabilities);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await dispose(this.#client);
  }

  #create(): KurrentDBClient {
    try {
      return KurrentDBClient.connectionString(this.#connectionString.full);
    } catch (error) {
      // Its message may quote the connection string.
      const reason = error instanceof Error ? error.message : String(error);
      const { full, shown } = this.#connectionString;
      const issues = `store: ${shown}: ${reason.replaceAll(full, shown)}`;
      throw new EclError('config.invalid', { issues });
    }
  }
}

/** Whether a failure of work that writes nothing may pass. */
export const isPassing = (error: unknown): boolean =>
  !(error instanceof EclError) && !['refused', 'credentials'].includes(failureOf(error).kind);

const internals = (client: KurrentDBClient): ClientInternals =>
  client as unknown as ClientInternals;

const disposeMs = 1_000;

/** `dispose` ends the calls of a client, but leaves its connection open. */
const dispose = async (client: KurrentDBClient): Promise<void> => {
  const ended = (async () => {
    await client.dispose();
    (await internals(client).getChannel()).close();
  })();
  await within(disposeMs, 'the end of the connection', ended).catch(() => {});
};
