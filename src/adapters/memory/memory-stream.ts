/**
 * One stream in memory: its events, what of them is hidden, and what an append to it would meet.
 *
 * 1. Revisions have no gaps; `events[i]` has revision `base + i`.
 * 2. A deleted stream keeps its events out of sight, so its revisions go on where they were.
 * 3. `plan` changes nothing.
 */
import { EclError, WrongExpectedRevision } from '../../core/errors.ts';
import type { Append, AppendResult, RecordedEvent } from '../../ports/event-store.ts';

/** Events at the end of a stream among which the retry of an append without an exact revision is recognised. */
const repeatWindow = 1_000;

export class MemoryStream {
  readonly name: string;
  readonly events: RecordedEvent[] = [];
  /** Revision of `events[0]`. */
  base = 0;
  /** Events below this revision are hidden. */
  truncateBefore = 0;
  maxCount: number | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Revision of the newest event, hidden or not; -1 where there never was one. */
  get last(): number {
    return this.base + this.events.length - 1;
  }

  get isVisible(): boolean {
    return this.last >= this.truncateBefore;
  }

  get isDeleted(): boolean {
    return this.last >= 0 && !this.isVisible;
  }

  at(revision: number): RecordedEvent | undefined {
    return this.events[revision - this.base];
  }

  wrong(expected: number | string): WrongExpectedRevision {
    const actual = this.last >= 0 ? this.last : 'no-stream';
    return new WrongExpectedRevision({ stream: this.name, expected, actual });
  }

  /**
   * The first answer when the append is a repetition, or undefined when it is to be written.
   * @throws WrongExpectedRevision, EclError `store.stream-deleted`
   */
  plan({ expectedRevision: expected, events }: Append): AppendResult | undefined {
    const ids = events.map((event) => event.id);
    if (expected === 'any' || expected === 'stream-exists') {
      if (expected === 'stream-exists' && this.isDeleted) {
        throw new EclError('store.stream-deleted', { stream: this.name });
      }
      if (expected === 'stream-exists' && !this.isVisible) throw this.wrong(expected);
      return this.#repeatedAnywhere(ids, expected);
    }
    if (expected === (this.last < 0 ? 'no-stream' : this.last)) return undefined;
    const repeated = this.#repeatedAt(expected === 'no-stream' ? 0 : expected + 1, ids);
    if (repeated !== undefined) return repeated;
    if (expected === 'no-stream' && this.isDeleted) return undefined;
    throw this.wrong(expected);
  }

  #repeatedAt(revision: number, ids: readonly string[]): AppendResult | undefined {
    const stored = ids.map((_, index) => this.at(revision + index));
    if (!stored.every((event, index) => event?.id === ids[index])) return undefined;
    return answer(stored.at(-1));
  }

  /** As KurrentDB does: known by the first id, then all others are to be known too, in any order. */
  #repeatedAnywhere(ids: readonly string[], expected: string): AppendResult | undefined {
    const recent = this.events.slice(-repeatWindow);
    const found = ids.map((id) => recent.find((event) => event.id === id));
    if (found[0] === undefined) return undefined;
    if (found.includes(undefined)) throw this.wrong(expected);
    return answer(found.at(-1));
  }
}

const answer = (event: RecordedEvent | undefined): AppendResult | undefined =>
  event && { revision: event.revision, position: event.position };
