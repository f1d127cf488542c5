/**
 * Where each stream ends, remembered for the streams in use so that an append asks the database nothing.
 *
 * 1. Only the writer, which alone changes streams, may remember; a reader loads a head for each read.
 * 2. Memory is bounded: two generations, of which the older is dropped when the younger is full.
 * 3. After a rollback everything is forgotten: what is remembered was then never stored.
 */
import type { SqliteStatement, SqliteDatabase } from './driver.ts';

export interface StreamHead {
  readonly id: number;
  readonly name: string;
  /** Revision of the newest event, hidden or not; -1 where there is none. */
  last: number;
  /** Events below this revision are hidden. */
  truncateBefore: number;
  maxCount: number | undefined;
}

export const isVisible = (head: StreamHead): boolean => head.last >= head.truncateBefore;
export const isDeleted = (head: StreamHead): boolean => head.last >= 0 && !isVisible(head);

/** A function that loads the head of a stream, or undefined for one that has no row yet. */
export const headLoader = (
  database: SqliteDatabase,
): ((name: string) => StreamHead | undefined) => {
  const select: SqliteStatement = database.prepare(
    `SELECT id, max_count, truncate_before,
       (SELECT revision + count FROM appends WHERE stream = streams.id ORDER BY revision DESC LIMIT 1) AS next
     FROM streams WHERE name = ?`,
  );
  return (name) => {
    const row = select.get(name);
    if (row === undefined) return undefined;
    const truncateBefore = Number(row['truncate_before']);
    return {
      id: Number(row['id']),
      name,
      // A stream whose rows were purged still knows by its marker where its revisions go on.
      last: Math.max(Number(row['next'] ?? 0), truncateBefore) - 1,
      truncateBefore,
      maxCount: row['max_count'] === null ? undefined : Number(row['max_count']),
    };
  };
};

/** Heads by name, of the streams used last. */
export class HeadCache {
  readonly #generationMax: number;
  #young = new Map<string, StreamHead>();
  #old = new Map<string, StreamHead>();

  constructor(generationMax: number) {
    this.#generationMax = generationMax;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(name: string): StreamHead | undefined {
    const young = this.#young.get(name);
    if (young !== undefined) return young;
    const old = this.#old.get(name);
    if (old !== undefined) {
      this.#old.delete(name);
      this.set(old);
    }
    return old;
  }

  set(head: StreamHead): void {
    if (this.#young.size >= this.#generationMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(head.name, head);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
