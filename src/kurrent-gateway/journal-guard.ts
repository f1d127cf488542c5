/**
 * The journals of runs stay what they are: a client may add to one exactly as ECL does, and nothing else.
 *
 * 1. An event is taken only where it continues the hash chain at its revision (core/hash-chain.ts).
 * 2. A journal is neither deleted nor truncated, by metadata or otherwise.
 * 3. The retry of an append is let through to the store, which knows it by its ids.
 */
import { EclError } from '../core/errors.ts';
import { chainStart } from '../core/hash-chain.ts';
import { chainFault } from '../core/journal-codec.ts';
import type { EventData, EventStore, ExpectedRevision } from '../ports/event-store.ts';
import type { ProposedEvent } from './stored-event.ts';
import { metadataOf } from './stream-metadata.ts';

export const isJournal = (stream: string): boolean => stream.startsWith('run-');

const refused = (stream: string, reason: string): EclError =>
  new EclError('store.journal-refused', { stream, reason });

/** @throws EclError `store.journal-refused` */
export const refuseRemoval = (stream: string): void => {
  if (isJournal(stream)) throw refused(stream, 'a journal is neither deleted nor truncated');
};

/** @throws EclError `store.journal-refused` for metadata that would hide events of a journal */
export const refuseTruncation = (stream: string, events: readonly ProposedEvent[]): void => {
  if (!isJournal(stream)) return;
  for (const { isJson, data } of events) {
    const metadata = isJson ? metadataOf(data.toString('utf8')) : undefined;
    if (metadata === undefined) continue;
    const { truncateBefore, maxCount, maxAgeMs } = metadata;
    const isKept = truncateBefore === 0 && maxCount === undefined && maxAgeMs === undefined;
    if (!isKept) refuseRemoval(stream);
  }
};

type Fields = Record<string, unknown>;

const objectOf = (bytes: Buffer): Fields | undefined => {
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    return isObject ? (parsed as Fields) : undefined;
  } catch {
    return undefined;
  }
};

/**
 * A proposed event as ECL itself would store it. Records of the protocol's second version carry texts only, and the
 * name of their schema: a journal has the number of its type's version and nothing besides.
 *
 * @throws EclError `store.journal-refused`
 */
export const toJournalEvent = (stream: string, event: ProposedEvent): EventData => {
  const metadata = objectOf(event.metadata);
  if (metadata === undefined || !event.isJson) {
    throw refused(stream, `the event ${event.type} has no JSON with the chain in its metadata`);
  }
  delete metadata['$schema.name'];
  delete metadata['$schema.format'];
  const { schema } = metadata;
  if (typeof schema === 'string' && /^\d{1,9}$/.test(schema)) metadata['schema'] = Number(schema);
  return { id: event.id, type: event.type, data: event.data.toString('utf8'), metadata };
};

interface Head {
  readonly revision: number;
  readonly hash: string;
}

/** Journals whose last hash is remembered. */
const headsMax = 4_096;

export class JournalGuard {
  readonly #store: EventStore;
  readonly #heads = new Map<string, Head>();

  constructor(store: EventStore) {
    this.#store = store;
  }

  /**
   * The revision at which the store is to expect these events.
   * @throws EclError `store.journal-refused`
   */
  async place(
    stream: string,
    expected: ExpectedRevision,
    events: readonly EventData[],
  ): Promise<ExpectedRevision> {
    if (expected === 'no-stream') {
      this.#check(stream, { revision: -1, hash: chainStart }, events);
      return expected;
    }
    if (typeof expected === 'number') {
      const head = await this.#headAt(stream, expected);
      if (head !== undefined) this.#check(stream, head, events);
      return expected;
    }
    const last = await this.#store.lastRevision(stream);
    if (last === undefined) {
      if (expected === 'any') this.#check(stream, { revision: -1, hash: chainStart }, events);
      return expected === 'any' ? 'no-stream' : expected;
    }
    // Without a revision it belongs at the end, unless it is already there.
    const before = last - events.length;
    if (await this.#isStoredAt(stream, before + 1, events))
      return before < 0 ? 'no-stream' : before;
    this.#check(stream, (await this.#headAt(stream, last))!, events);
    return last;
  }

  /** Remembers where a journal ends now. */
  appended(stream: string, revision: number, events: readonly EventData[]): void {
    const hash = events.at(-1)?.metadata.hash;
    if (hash === undefined) return;
    this.#heads.delete(stream);
    this.#heads.set(stream, { revision, hash });
    if (this.#heads.size > headsMax) this.#heads.delete(this.#heads.keys().next().value!);
  }

  #check(stream: string, head: Head, events: readonly EventData[]): void {
    let { revision, hash } = head;
    for (const event of events) {
      revision += 1;
      const fault = chainFault({ ...event, stream, revision }, hash, revision);
      if (fault !== undefined) {
        throw refused(
          stream,
          `at revision ${revision} ${event.type} breaks the hash chain: ${fault}`,
        );
      }
      hash = event.metadata.hash!;
    }
  }

  /** A recorded event never changes, so what is remembered of a revision stays true. */
  async #headAt(stream: string, revision: number): Promise<Head | undefined> {
    const known = this.#heads.get(stream);
    if (known?.revision === revision) return known;
    for await (const event of this.#store.readStream(stream, { from: revision, limit: 1 })) {
      const { hash } = event.metadata;
      return event.revision === revision ? { revision, hash: String(hash) } : undefined;
    }
    return undefined;
  }

  async #isStoredAt(
    stream: string,
    revision: number,
    events: readonly EventData[],
  ): Promise<boolean> {
    if (revision < 0) return false;
    let index = 0;
    const stored = this.#store.readStream(stream, { from: revision, limit: events.length });
    for await (const { id } of stored) {
      if (id !== events[index]?.id) return false;
      index += 1;
    }
    return index === events.length;
  }
}
