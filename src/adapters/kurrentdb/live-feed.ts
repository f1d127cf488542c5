/**
 * The one live subscription of a process, and the newest events in memory for all who follow.
 *
 * 1. It resumes by itself behind the last place it heard of, and never gives up while somebody follows.
 * 2. A silent stall is found: while nothing comes, the log is asked whether something should have come.
 * 3. The events in memory are bounded; who has fallen behind them reads from the store until they are reached again.
 * 4. The server filters by the streams that anybody follows. When somebody follows more, it is asked again for all of
 *    them from here on, and the others lose nothing, since what lies before is read from the store.
 */
import type { KurrentDBClient } from '@kurrent/kurrentdb-client';
import type { EventFilter } from '../../ports/event-store.ts';
import {
  allOptions,
  lastPosition,
  placeOf,
  readPage,
  type Place,
  type Start,
} from './all-reading.ts';
import type { Connection } from './connection.ts';
import { fromWire } from './event-codec.ts';
import { RecentEvents } from './recent-events.ts';
import { backoff, every, monotonicMs, pause } from './timing.ts';
import { commandError, endRead, openRead, type Frame, type FrameStream } from './wire.ts';

export interface FeedTimes {
  /** How long nothing may come before the log is asked. */
  readonly quietMs: number;
  /** How long an event that is in the log may be on its way. */
  readonly lateMs: number;
  readonly retryMsFirst: number;
  readonly retryMsLast: number;
}

const timesDefault: FeedTimes = {
  quietMs: 10_000,
  lateMs: 5_000,
  retryMsFirst: 100,
  retryMsLast: 2_000,
};

export class LiveFeed {
  readonly #connection: Connection;
  readonly #times: FeedTimes;
  readonly recent: RecentEvents;
  readonly #followed = new Map<object, EventFilter>();
  #prefixes: readonly string[] | undefined = [];
  #place: Start = 'start';
  #running: AbortController | undefined;
  #heardAt = 0;
  #started: Promise<void> | undefined;
  #restart = (): void => {};

  constructor(connection: Connection, recent: RecentEvents, times: Partial<FeedTimes> = {}) {
    this.#connection = connection;
    this.recent = recent;
    this.#times = { ...timesDefault, ...times };
  }

  /** Resolves when everything after a known place comes, or rejects when the server forbids it. */
  async follow(who: object, filter: EventFilter): Promise<void> {
    this.#followed.set(who, filter);
    if (this.#running === undefined) this.#start();
    else if (!this.#covers(filter)) this.#widen();
    await this.#started;
  }

  leave(who: object): void {
    this.#followed.delete(who);
    if (this.#followed.size > 0) return;
    this.#running?.abort();
    this.#running = undefined;
    this.#started = undefined;
    this.recent.clear();
  }

  #start(): void {
    const running = new AbortController();
    this.#running = running;
    this.#prefixes = this.#wanted();
    this.#started = this.#begin(running.signal);
    // Who follows waits for it and hears why it failed.
    this.#started.catch(() => {
      if (this.#running === running) this.#running = undefined;
    });
  }

  /** From the end of the log on. */
  async #begin(signal: AbortSignal): Promise<void> {
    const end = await lastPosition(this.#connection);
    if (signal.aborted) return;
    this.#place = end === undefined ? 'start' : placeOf(end);
    this.recent.beginAfter(end ?? -1n);
    void this.#keep(signal);
  }

  #covers({ streamPrefixes }: EventFilter): boolean {
    const known = this.#prefixes;
    if (known === undefined) return true;
    return streamPrefixes?.every((one) => known.some((prefix) => one.startsWith(prefix))) ?? false;
  }

  #wanted(): readonly string[] | undefined {
    const filters = [...this.#followed.values()];
    if (filters.some(({ streamPrefixes }) => streamPrefixes === undefined)) return undefined;
    const all = [...new Set(filters.flatMap(({ streamPrefixes }) => streamPrefixes ?? []))];
    return all.filter((one) => !all.some((other) => other !== one && one.startsWith(other)));
  }

  #widen(): void {
    this.#prefixes = this.#wanted();
    if (this.recent.beginsAfter === undefined) return;
    // What lies before this place was chosen by the narrower filter.
    this.recent.beginAfter(typeof this.#place === 'object' ? this.#place.commit : -1n);
    this.#restart();
  }

  async #keep(signal: AbortSignal): Promise<void> {
    const { retryMsFirst, retryMsLast } = this.#times;
    let waits = backoff(retryMsFirst, retryMsLast);
    while (!signal.aborted) {
      const heardBefore = this.#heardAt;
      const error = await this.#subscription(signal);
      if (signal.aborted) return;
      if (error === undefined) continue;
      if (this.#heardAt !== heardBefore) waits = backoff(retryMsFirst, retryMsLast);
      await pause(waits.next().value, signal);
    }
  }

  /** One subscription until it ends. @returns why it did, or undefined when it was asked to */
  async #subscription(signal: AbortSignal): Promise<unknown> {
    const { client } = this.#connection;
    const options = { ...allOptions(this.#place, this.#filter), subscription: {} };
    const opened: FrameStream[] = [];
    try {
      const listen = (stream: FrameStream): { readonly ended: Promise<unknown> } => {
        opened.push(stream);
        return { ended: this.#until(signal, client, stream) };
      };
      const opening = openRead(client, options, listen);
      const { ended } = await this.#connection.use('a subscription', () => opening);
      return await ended;
    } catch (error) {
      return error;
    } finally {
      opened.forEach(endRead);
    }
  }

  #until(signal: AbortSignal, client: KurrentDBClient, stream: FrameStream): Promise<unknown> {
    this.#heardAt = monotonicMs();
    return new Promise((resolve) => {
      const checkMs = Math.min(1_000, this.#times.quietMs);
      const quiet = every(checkMs, () => void this.#listen(client, end));
      const end = (error?: unknown): void => {
        quiet();
        signal.removeEventListener('abort', stop);
        stream.removeAllListeners('data');
        resolve(error);
      };
      const stop = (): void => end();
      this.#restart = stop;
      signal.addEventListener('abort', stop);
      stream.on('error', (error) => end(commandError(error)));
      stream.on('end', () => end(new Error('the server ended the subscription')));
      stream.on('data', (frame: Frame) => this.#take(frame));
      if (signal.aborted) end();
    });
  }

  get #filter(): EventFilter {
    return this.#prefixes === undefined ? {} : { streamPrefixes: this.#prefixes };
  }

  #take({ event, checkpoint }: Frame): void {
    this.#heard();
    if (event?.event !== undefined) {
      const recorded = fromWire(event.event);
      this.#place = placeOf(recorded.position);
      this.recent.add(recorded);
    } else if (checkpoint?.commitPosition !== undefined) {
      const { commitPosition: commit, preparePosition: prepare = 0n } = checkpoint;
      this.#place = { commit, prepare } satisfies Place;
    }
  }

  #heard(): void {
    this.#heardAt = monotonicMs();
    this.#connection.heard();
  }

  /** Whether the log holds something that should have come by now. */
  async #listen(client: KurrentDBClient, end: (error: unknown) => void): Promise<void> {
    const heardAt = this.#heardAt;
    if (monotonicMs() - heardAt < this.#times.quietMs) return;
    this.#heardAt = monotonicMs();
    const asked = this.#heardAt;
    const from = this.#place;
    const filter = this.#filter;
    try {
      const { answerMs } = this.#connection.patience;
      const request = { from, direction: 'forwards', count: 2, filter, answerMs } as const;
      const { events } = await readPage(this.#connection, request);
      const known = typeof from === 'object' ? from.commit : -1n;
      if (!events.some(({ position }) => position > known)) return;
      await pause(this.#times.lateMs, this.#connection.closing);
      if (this.#heardAt !== asked) return;
      end(new Error('the subscription stood still'));
    } catch (error) {
      // Nothing comes and nothing can be asked: whatever the connection says, it is not there.
      end(error);
    }
    this.#connection.renew(client);
  }
}
