/**
 * Reads of one stream and subscriptions to it, as frames.
 *
 * 1. What metadata hides is not shown: by count, by revision and by age.
 * 2. A missing or deleted stream is told in a frame, one that is gone for good as an error.
 * 3. A subscription looks for what is live before it reads what is stored, so nothing comes between.
 */
import type { Clock } from '../ports/clock.ts';
import type { EventStore, RecordedEvent } from '../ports/event-store.ts';
import type { IdGenerator } from '../ports/id-generator.ts';
import { eventFrame, linkFrame, wireTimestamp, type UuidForm } from './frames.ts';
import type { ReadFrame } from './protocol/streams-messages.ts';
import type { StreamRead } from './read-options.ts';
import { recordedAt, fromStored, tombstonedStream } from './stored-event.ts';
import { isDeleted, metadataStreamOf, type StreamMetadata } from './stream-metadata.ts';
import type { StreamStates } from './stream-states.ts';
import { gone } from './stream-writer.ts';

export interface ReaderParts {
  readonly store: EventStore;
  readonly states: StreamStates;
  readonly clock: Clock;
  readonly ids: IdGenerator;
}

/** The lowest revision that metadata leaves to be seen. */
const lowestShown = ({ maxCount, truncateBefore }: StreamMetadata, last: number): number =>
  Math.max(truncateBefore, maxCount === undefined ? 0 : last - maxCount + 1);

/** A revision as a number; what lies beyond the integers lies beyond every stream. */
const revisionOf = (from: bigint): number => Number(from);

export class StreamReader {
  readonly #parts: ReaderParts;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  /** @throws EclError `store.stream-deleted` */
  async *read(options: StreamRead): AsyncGenerator<ReadFrame> {
    const { store, states } = this.#parts;
    const { stream, tellsEnds } = options;
    const { metadata, isTombstoned } = await states.get(stream);
    if (isTombstoned) throw gone(stream);
    const last = await store.lastRevision(stream);
    if (last === undefined || isDeleted(metadata)) {
      yield { streamNotFound: { streamIdentifier: { streamName: Buffer.from(stream) } } };
      return;
    }
    yield* options.isBackwards
      ? this.#backwards(options, metadata, last)
      : this.#forwards(options, metadata, last);
    if (tellsEnds) yield { lastStreamPosition: last };
  }

  /** @throws EclError `store.stream-deleted` */
  async *subscribe(options: StreamRead, signal: AbortSignal): AsyncGenerator<ReadFrame> {
    const { store, states, clock, ids } = this.#parts;
    const { stream, from } = options;
    const { metadata, isTombstoned } = await states.get(stream);
    if (isTombstoned) throw gone(stream);
    yield { confirmation: { subscriptionId: ids.uuid() } };
    const filter = { streamPrefixes: [stream, metadataStreamOf(stream)] };
    const live = store.subscribe({ from: 'end', filter, signal });
    const last = (await store.lastRevision(stream)) ?? -1;
    let seen = from === 'start' ? -1 : from === 'end' ? last : revisionOf(from);
    if (from === 'end' && isDeleted(metadata)) seen = -1;
    if (!isDeleted(metadata)) {
      for await (const event of this.#shown(stream, seen + 1, metadata, last)) {
        yield await this.frame(event, options);
        seen = event.revision;
      }
    }
    const revision = seen >= 0 ? { streamRevision: seen } : {};
    yield { caughtUp: { timestamp: wireTimestamp(clock.now()), ...revision } };
    for await (const item of live) {
      if (item.kind !== 'event') continue;
      const { event } = item;
      const isEnd = tombstonedStream(event) === stream;
      if (!isEnd && (event.stream !== stream || event.revision <= seen)) continue;
      yield await this.frame(event, options);
      if (isEnd) throw gone(stream);
      seen = event.revision;
    }
  }

  /** An event as the reader wants it, behind its link where that is to be resolved. */
  async frame(
    event: RecordedEvent,
    { resolveLinks, uuids }: { readonly resolveLinks: boolean; readonly uuids: UuidForm },
  ): Promise<ReadFrame> {
    if (!resolveLinks || event.type !== '$>') return eventFrame(event, uuids);
    const target = /^(\d{1,15})@(.+)$/s.exec(fromStored(event).data.toString('utf8'));
    if (target === null) return eventFrame(event, uuids);
    return linkFrame(event, await this.#find(target[2]!, Number(target[1])), uuids);
  }

  async #find(stream: string, revision: number): Promise<RecordedEvent | undefined> {
    const { store, states } = this.#parts;
    const { metadata, isTombstoned } = await states.get(stream);
    const last = await store.lastRevision(stream);
    if (isTombstoned || last === undefined || revision < lowestShown(metadata, last))
      return undefined;
    for await (const event of store.readStream(stream, { from: revision, limit: 1 })) {
      return event.revision === revision && !this.#isExpired(event, metadata) ? event : undefined;
    }
    return undefined;
  }

  async *#forwards(
    options: StreamRead,
    metadata: StreamMetadata,
    last: number,
  ): AsyncGenerator<ReadFrame> {
    const { stream, tellsEnds } = options;
    const start = typeof options.from === 'bigint' ? revisionOf(options.from) : 0;
    const isNumbered = typeof options.from === 'bigint';
    const lowest = lowestShown(metadata, last);
    if (tellsEnds && start <= last && lowest > last + 1) yield { firstStreamPosition: lowest };
    let left = options.count;
    for await (const event of this.#shown(stream, start, metadata, last)) {
      const isFirst = left === options.count;
      if (isFirst && tellsEnds && isNumbered && event.revision > start) {
        yield { firstStreamPosition: event.revision };
      }
      yield options.resolveLinks
        ? await this.frame(event, options)
        : eventFrame(event, options.uuids);
      left -= 1;
      if (left <= 0) break;
    }
    const isEmpty = left === options.count;
    if (isEmpty && tellsEnds && start !== last + 1) yield { firstStreamPosition: last + 1 };
  }

  /** What is to be seen of a stream from a revision to its last one. */
  async *#shown(
    stream: string,
    from: number,
    metadata: StreamMetadata,
    last: number,
  ): AsyncGenerator<RecordedEvent> {
    const start = Math.max(from, lowestShown(metadata, last));
    if (start > last) return;
    for await (const event of this.#parts.store.readStream(stream, { from: start })) {
      if (event.revision > last) return;
      if (!this.#isExpired(event, metadata)) yield event;
      if (event.revision === last) return;
    }
  }

  async *#backwards(
    options: StreamRead,
    metadata: StreamMetadata,
    last: number,
  ): AsyncGenerator<ReadFrame> {
    const { stream, from, count, uuids, resolveLinks } = options;
    const start = from === 'start' ? 0 : from === 'end' ? last : Math.min(revisionOf(from), last);
    const lowest = lowestShown(metadata, last);
    const limit = Math.min(count, start - lowest + 1);
    if (limit <= 0) return;
    const newest = this.#parts.store.readStream(stream, {
      from: start,
      direction: 'backwards',
      limit,
    });
    for await (const event of newest) {
      if (this.#isExpired(event, metadata)) return;
      yield resolveLinks ? await this.frame(event, options) : eventFrame(event, uuids);
    }
  }

  #isExpired(event: RecordedEvent, { maxAgeMs }: StreamMetadata): boolean {
    return maxAgeMs !== undefined && recordedAt(event) < this.#parts.clock.now() - maxAgeMs;
  }
}
