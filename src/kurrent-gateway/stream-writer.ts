/**
 * Appends to one stream, deletions and tombstones, with what the metadata of the stream makes of them.
 *
 * 1. An append to a stream that is neither deleted nor gone goes straight to the store, in the order of arrival; the
 *    store decides on its revision and knows a retry.
 * 2. What depends on metadata, or changes it, has its stream to itself.
 * 3. A deletion is metadata that hides everything; the append that revives a stream writes the metadata that shows what
 *    is new in the same transaction.
 */
import { EclError, WrongExpectedRevision } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Append, EventData, EventStore, ExpectedRevision } from '../ports/event-store.ts';
import type { IdGenerator } from '../ports/id-generator.ts';
import {
  isJournal,
  JournalGuard,
  refuseRemoval,
  refuseTruncation,
  toJournalEvent,
} from './journal-guard.ts';
import { findRepetition } from './repetition.ts';
import { tombstoneEvent, toStored, type ProposedEvent } from './stored-event.ts';
import { StreamLocks } from './stream-locks.ts';
import {
  baseStreamOf,
  deletedMarker,
  deletedMetadata,
  describedStream,
  isDeleted,
  metadataStreamOf,
  withTruncateBefore,
} from './stream-metadata.ts';
import { isOpen, StreamStates, type StreamState } from './stream-states.ts';

export interface StreamAppend {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly ProposedEvent[];
}

export interface Appended {
  /** Of the stream's last event of this append; `undefined` where there is no stream. */
  readonly revision: number | bigint | undefined;
  /** Undefined where what was written once is hidden by now. */
  readonly position: bigint | undefined;
}

export interface WriterParts {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly ids: IdGenerator;
}

export const gone = (stream: string): EclError => new EclError('store.stream-deleted', { stream });

const wrong = (stream: string, expected: ExpectedRevision, last: number): WrongExpectedRevision =>
  new WrongExpectedRevision({ stream, expected, actual: last < 0 ? 'no-stream' : last });

const exactly = (revision: number): ExpectedRevision => (revision < 0 ? 'no-stream' : revision);

export class StreamWriter {
  readonly states: StreamStates;
  readonly locks = new StreamLocks();
  readonly journals: JournalGuard;
  readonly store: EventStore;
  readonly #clock: Clock;
  readonly #ids: IdGenerator;

  constructor({ store, clock, ids }: WriterParts) {
    this.store = store;
    this.states = new StreamStates(store);
    this.journals = new JournalGuard(store);
    this.#clock = clock;
    this.#ids = ids;
  }

  /** @throws WrongExpectedRevision, EclError `store.stream-deleted`, `store.journal-refused`, and those of the store */
  append(append: StreamAppend): Promise<Appended> {
    const { stream, events } = append;
    const key = baseStreamOf(stream);
    if (events.length === 0 || key !== stream || isJournal(stream)) return this.#exclusive(append);
    if (!this.locks.tryShared(key)) {
      return this.locks.acquire(key, 'shared').then(() => this.#shared(append));
    }
    // Without a pause before it is handed to the store, where nothing has to be looked up.
    const state = this.states.known(stream);
    return state === undefined ? this.#shared(append) : this.#known(append, state);
  }

  /**
   * Deletes a stream, so that it may come back, or for good.
   * @returns the position of what says so
   * @throws WrongExpectedRevision, EclError `store.stream-deleted`, `store.journal-refused`
   */
  remove(stream: string, expected: ExpectedRevision, forGood: boolean): Promise<bigint> {
    const key = baseStreamOf(stream);
    return this.locks.holding(new Map([[key, 'exclusive']]), async () => {
      refuseRemoval(key);
      const state = await this.states.get(stream);
      if (state.isTombstoned) throw gone(stream);
      const last = (await this.store.lastRevision(stream)) ?? -1;
      const isHidden = last >= 0 && isDeleted(state.metadata);
      if (isHidden && expected === 'stream-exists') throw gone(stream);
      if (!mayRemove(expected, { last, isHidden, forGood })) throw wrong(stream, expected, last);
      const event = forGood
        ? tombstoneEvent(stream, this.#ids.uuid(), this.now())
        : this.metadataEvent(deletedMetadata);
      const { position } = await this.store.append(this.toMetadata(stream, state, [event]));
      this.states.forget(stream);
      return position;
    });
  }

  now(): string {
    return new Date(this.#clock.now()).toISOString();
  }

  /** An event that sets metadata. */
  metadataEvent(text: string): EventData {
    const event: ProposedEvent = {
      id: this.#ids.uuid(),
      type: '$metadata',
      isJson: true,
      data: Buffer.from(text),
      metadata: Buffer.alloc(0),
    };
    return toStored(event, this.now());
  }

  toMetadata(stream: string, state: StreamState, events: readonly EventData[]): Append {
    const expectedRevision = exactly(state.metadataRevision);
    return { stream: metadataStreamOf(stream), expectedRevision, events };
  }

  /** Events as the store is to keep them. */
  stored({ stream, events }: StreamAppend): EventData[] {
    if (isJournal(stream)) return events.map((event) => toJournalEvent(stream, event));
    const created = this.now();
    return events.map((event) => toStored(event, created));
  }

  #exclusive(append: StreamAppend): Promise<Appended> {
    const wanted = new Map([[baseStreamOf(append.stream), 'exclusive' as const]]);
    return this.locks.holding(wanted, () => this.#alone(append));
  }

  /** Holds the shared lock, and gives it back. */
  async #shared(append: StreamAppend): Promise<Appended> {
    let state: StreamState;
    try {
      state = await this.states.get(append.stream);
    } catch (error) {
      this.locks.release(append.stream);
      throw error;
    }
    return this.#known(append, state);
  }

  /** The same, when the state of the stream is known. */
  #known(append: StreamAppend, state: StreamState): Promise<Appended> {
    if (isOpen(state)) {
      return this.#straight(append, state).finally(() => this.locks.release(append.stream));
    }
    this.locks.release(append.stream);
    return this.#exclusive(append);
  }

  async #straight(append: StreamAppend, { metadata }: StreamState): Promise<Appended> {
    const { stream, expected } = append;
    const events = this.stored(append);
    // Only where something is hidden can it be a retry of what is hidden by now.
    const before = metadata.truncateBefore > 0 ? await this.store.lastPosition() : undefined;
    const result = await this.store.append({ stream, expectedRevision: expected, events });
    const isOld = before !== undefined && result.position <= before;
    const isHidden = isOld && result.revision < metadata.truncateBefore;
    return isHidden ? { revision: result.revision, position: undefined } : result;
  }

  async #alone(append: StreamAppend): Promise<Appended> {
    const { stream, expected, events } = append;
    const state = await this.states.get(stream);
    if (events.length === 0) return this.#nothing(stream, expected, state);
    if (state.isTombstoned) throw gone(stream);
    const described = describedStream(stream);
    if (described !== undefined) return this.#metadata(append, described);
    if (isJournal(stream)) return this.#journal(append);
    return isDeleted(state.metadata) ? this.#revive(append, state) : this.#straight(append, state);
  }

  async #journal(append: StreamAppend): Promise<Appended> {
    const { stream, expected } = append;
    const events = this.stored(append);
    const expectedRevision = await this.journals.place(stream, expected, events);
    const result = await this.store.append({ stream, expectedRevision, events });
    this.journals.appended(stream, result.revision, events);
    return result;
  }

  async #revive(append: StreamAppend, state: StreamState): Promise<Appended> {
    const { stream, expected } = append;
    const last = (await this.store.lastRevision(stream)) ?? -1;
    if (expected === 'stream-exists') throw last < 0 ? wrong(stream, expected, last) : gone(stream);
    if (expected !== last) {
      const ids = append.events.map(({ id }) => id);
      const repeated = await findRepetition(this.store, stream, expected, ids);
      if (repeated !== undefined) return { revision: repeated.revision, position: undefined };
      if (typeof expected === 'number') throw wrong(stream, expected, last);
    }
    const events = this.stored(append);
    const shown = this.metadataEvent(withTruncateBefore(state.metadataText, last + 1));
    const [result] = await this.store.appendAll([
      { stream, expectedRevision: exactly(last), events },
      this.toMetadata(stream, state, [shown]),
    ]);
    this.states.forget(stream);
    return result!;
  }

  /** No events: nothing is written, unless that revives the stream. */
  async #nothing(
    stream: string,
    expected: ExpectedRevision,
    state: StreamState,
  ): Promise<Appended> {
    const position = (await this.store.lastPosition()) ?? 0n;
    if (state.isTombstoned && expected === 'any') return { revision: deletedMarker, position };
    if (state.isTombstoned) throw gone(stream);
    const last = (await this.store.lastRevision(stream)) ?? -1;
    const isHidden = last >= 0 && isDeleted(state.metadata);
    if (isHidden && expected === 'stream-exists') throw gone(stream);
    const isMet =
      expected === 'any' ||
      expected === last ||
      (expected === 'no-stream' && (last < 0 || isHidden)) ||
      (expected === 'stream-exists' && last >= 0);
    if (!isMet) throw wrong(stream, expected, last);
    if (isHidden) {
      const shown = this.metadataEvent(withTruncateBefore(state.metadataText, last + 1));
      await this.store.append(this.toMetadata(stream, state, [shown]));
      this.states.forget(stream);
    }
    return { revision: last < 0 ? undefined : last, position };
  }

  async #metadata(append: StreamAppend, described: string): Promise<Appended> {
    const { stream, expected } = append;
    refuseTruncation(baseStreamOf(stream), append.events);
    const { events, added } = await this.metadataEvents(append, described);
    const result = await this.store.append({ stream, expectedRevision: expected, events });
    this.states.forget(described);
    if (added === 0) return result;
    const revision = result.revision - added;
    for await (const event of this.store.readStream(stream, { from: revision, limit: 1 })) {
      return { revision, position: event.position };
    }
    return { revision, position: undefined };
  }

  /** The events of an append to metadata, and one more where they would show again what a deletion hid. */
  async metadataEvents(
    append: StreamAppend,
    described: string,
  ): Promise<{ readonly events: EventData[]; readonly added: number }> {
    const events = this.stored(append);
    const { metadata } = await this.states.get(described);
    const text = append.events.at(-1)!.data.toString('utf8');
    const last = isDeleted(metadata) ? await this.store.lastRevision(described) : undefined;
    if (last === undefined || text === deletedMetadata) return { events, added: 0 };
    events.push(this.metadataEvent(withTruncateBefore(text, last + 1)));
    return { events, added: 1 };
  }
}

interface Removal {
  readonly last: number;
  readonly isHidden: boolean;
  readonly forGood: boolean;
}

const mayRemove = (expected: ExpectedRevision, { last, isHidden, forGood }: Removal): boolean => {
  if (last < 0) return forGood && (expected === 'any' || expected === 'no-stream');
  if (expected === 'no-stream') return isHidden;
  return typeof expected !== 'number' || expected === last;
};
