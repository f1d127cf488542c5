/**
 * Reads of `$all` and subscriptions to it, as frames.
 *
 * 1. A position `{X, 0}` lies before the event at X, `{X, X}` behind it.
 * 2. A filtered subscription is told how far it has come in checkpoints: behind an event that it was sent, or before the
 *    first event of a window in which nothing matched. To resume from one loses nothing.
 */
import type { RecordedEvent } from '../ports/event-store.ts';
import type { EventFilter } from './event-filter.ts';
import {
  checkpointFrame,
  eventFrame,
  shownStream,
  wireTimestamp,
  type Position,
} from './frames.ts';
import type { ReadFrame } from './protocol/streams-messages.ts';
import type { AllRead } from './read-options.ts';
import { unreadable } from './refusals.ts';
import type { ReaderParts, StreamReader } from './stream-reader.ts';

const isBehind = ({ commit, prepare }: Position): boolean => prepare === commit;
const behind = (position: bigint): Position => ({ commit: position, prepare: position });
const before = (position: bigint): Position => ({ commit: position, prepare: 0n });
const isSame = (one: Position | undefined, other: Position | undefined): boolean =>
  one?.commit === other?.commit && one?.prepare === other?.prepare;

/** Where a filtered subscription has come to, in windows of events that were looked at. */
class Progress {
  readonly #filter: EventFilter;
  /** Where the window began, or behind the last event of it that was sent. */
  #place: Position | undefined;
  #looked = 0;
  #windows = 0;
  #isNewWindow = false;
  /** Events that were looked at since the last checkpoint. */
  #since = 0;
  sent: Position | undefined;

  /** @param hasLookedAtStart the event at the starting position itself counts, though it is not sent */
  constructor(filter: EventFilter, start: Position | undefined, hasLookedAtStart: boolean) {
    this.#filter = filter;
    this.#place = start;
    if (hasLookedAtStart) this.#looked = 1;
  }

  get place(): Position | undefined {
    return this.#place;
  }

  get hasLooked(): boolean {
    return this.#since > 0;
  }

  /** Before an event is looked at. */
  arrive({ position }: RecordedEvent): void {
    if (this.#isNewWindow) this.#place = before(position);
    this.#isNewWindow = false;
    this.#looked += 1;
    this.#since += 1;
  }

  match({ position }: RecordedEvent): void {
    this.#place = behind(position);
  }

  /** The checkpoint that is due after an event, if one is. */
  due(): Position | undefined {
    if (this.#looked < this.#filter.windowEvents) return undefined;
    this.#looked = 0;
    this.#windows += 1;
    this.#isNewWindow = true;
    if (this.#windows < this.#filter.windowsPerCheckpoint) return undefined;
    this.#windows = 0;
    this.#since = 0;
    this.sent = this.#place;
    return this.#place;
  }
}

export class AllReader {
  readonly #parts: ReaderParts;
  readonly #streams: StreamReader;

  constructor(parts: ReaderParts, streams: StreamReader) {
    this.#parts = parts;
    this.#streams = streams;
  }

  async *read(options: AllRead): AsyncGenerator<ReadFrame> {
    const { filter, uuids, resolveLinks } = options;
    let left = options.count;
    const events = options.isBackwards
      ? await this.#backwards(options)
      : await this.#forwards(options);
    for await (const event of events) {
      if (filter?.matches(shownStream(event), event.type) === false) continue;
      yield resolveLinks ? await this.#streams.frame(event, options) : eventFrame(event, uuids);
      left -= 1;
      if (left <= 0) return;
    }
  }

  async *subscribe(options: AllRead, signal: AbortSignal): AsyncGenerator<ReadFrame> {
    const { store, ids } = this.#parts;
    yield { confirmation: { subscriptionId: ids.uuid() } };
    const start = await this.#start(options.from);
    const after = start === undefined ? 0n : isBehind(start) ? start.commit : start.commit - 1n;
    const events = store.subscribe({ from: after, signal });
    if (options.filter === undefined) yield* this.#unfiltered(options, events, start);
    else yield* this.#filtered(options, events, start);
  }

  async *#unfiltered(
    options: AllRead,
    items: ReturnType<ReaderParts['store']['subscribe']>,
    start: Position | undefined,
  ): AsyncGenerator<ReadFrame> {
    let place = start;
    for await (const item of items) {
      if (item.kind === 'caughtUp') yield this.#caughtUp(place);
      else {
        place = behind(item.event.position);
        yield await this.#streams.frame(item.event, options);
      }
    }
  }

  async *#filtered(
    options: AllRead,
    items: ReturnType<ReaderParts['store']['subscribe']>,
    start: Position | undefined,
  ): AsyncGenerator<ReadFrame> {
    const { clock } = this.#parts;
    const filter = options.filter!;
    const progress = new Progress(filter, start ?? before(0n), await this.#isEventAt(start));
    const interval = filter.windowEvents * filter.windowsPerCheckpoint;
    const first = progress.due();
    if (first !== undefined) yield checkpointFrame(first, clock.now());
    let isLive = false;
    let looked = 0;
    for await (const item of items) {
      if (item.kind === 'caughtUp') {
        const { place, sent, hasLooked } = progress;
        if (hasLooked && place !== undefined && !isSame(place, sent)) {
          yield checkpointFrame(place, clock.now());
        }
        yield this.#caughtUp(place);
        isLive = true;
        continue;
      }
      const { event } = item;
      const isMatch = filter.matches(shownStream(event), event.type);
      if (!isLive) progress.arrive(event);
      if (isMatch) {
        progress.match(event);
        yield await this.#streams.frame(event, options);
      }
      looked = isLive ? (looked + 1) % interval : 0;
      const due = isLive ? (looked === 0 ? behind(event.position) : undefined) : progress.due();
      if (due !== undefined) yield checkpointFrame(due, clock.now());
    }
  }

  #caughtUp(place: Position | undefined): ReadFrame {
    const timestamp = wireTimestamp(this.#parts.clock.now());
    const position =
      place === undefined
        ? {}
        : { position: { commitPosition: place.commit, preparePosition: place.prepare } };
    return { caughtUp: { timestamp, ...position } };
  }

  async #start(from: AllRead['from']): Promise<Position | undefined> {
    if (from === 'start') return undefined;
    if (from !== 'end') return from;
    const last = await this.#parts.store.lastPosition();
    return last === undefined ? undefined : behind(last);
  }

  /** Whether there is an event at the position behind which a subscription starts. */
  async #isEventAt(start: Position | undefined): Promise<boolean> {
    if (start === undefined || !isBehind(start)) return false;
    const events = this.#parts.store.readAll({ from: start.commit, limit: 1 });
    for await (const { position } of events) return position === start.commit;
    return false;
  }

  async #forwards({ from }: AllRead): Promise<AsyncIterable<RecordedEvent>> {
    if (from === 'end') return nothing();
    return this.#parts.store.readAll(from === 'start' ? {} : { from: from.commit });
  }

  async #backwards({ from }: AllRead): Promise<AsyncIterable<RecordedEvent>> {
    const direction = 'backwards';
    if (from === 'start') return nothing();
    if (from === 'end') return this.#parts.store.readAll({ direction });
    const last = (await this.#parts.store.lastPosition()) ?? 0n;
    if (from.commit > last + 1n)
      throw unreadable(`Position ${from.commit} is greater than that of the last event, ${last}`);
    if (from.commit <= 1n) return nothing();
    return this.#parts.store.readAll({ from: from.commit - 1n, direction });
  }
}

async function* nothing(): AsyncGenerator<RecordedEvent> {
  // Some reads have nothing to find.
}
