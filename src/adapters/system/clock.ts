/**
 * The clock of the machine: the only place that reads the time or sets a timer.
 *
 * 1. The time is read from `Date` at each call, so a test can move it.
 * 2. One interval timer serves all that is scheduled. It looks at the wall clock at least once a second, so a clock that
 *    jumps and delays beyond the 24.8 days of `setTimeout` need no special care, and nothing fires early.
 */
import type { Clock } from '../../ports/clock.ts';

interface Entry {
  readonly at: number;
  readonly callback: () => void;
  /** Its place in the heap, or -1 when it is not in it. */
  index: number;
}

const lookMsMax = 1_000;

/** A binary heap by due time whose entries know their place, so that a cancelled one leaves at once. */
class DueHeap {
  readonly #entries: Entry[] = [];

  get first(): Entry | undefined {
    return this.#entries[0];
  }

  push(entry: Entry): void {
    entry.index = this.#entries.push(entry) - 1;
    this.#rise(entry);
  }

  remove(entry: Entry): void {
    if (entry.index === -1) return;
    const last = this.#entries.pop()!;
    if (last !== entry) {
      this.#put(last, entry.index);
      this.#rise(last);
      this.#sink(last);
    }
    entry.index = -1;
  }

  #put(entry: Entry, index: number): void {
    this.#entries[index] = entry;
    entry.index = index;
  }

  #rise(entry: Entry): void {
    while (entry.index > 0) {
      const at = entry.index;
      const parent = this.#entries[(at - 1) >> 1]!;
      if (parent.at <= entry.at) return;
      this.#put(parent, at);
      this.#put(entry, (at - 1) >> 1);
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const at = entry.index;
      const left = this.#entries[at * 2 + 1];
      const right = this.#entries[at * 2 + 2];
      const child = right !== undefined && right.at < left!.at ? right : left;
      if (child === undefined || child.at >= entry.at) return;
      const to = child.index;
      this.#put(child, at);
      this.#put(entry, to);
    }
  }
}

export const createSystemClock = (): Clock => {
  const heap = new DueHeap();
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Infinity;

  const now = (): number => Date.now();

  const look = (): void => {
    timer = undefined;
    timerAt = Infinity;
    for (let first = heap.first; first !== undefined && first.at <= now(); first = heap.first) {
      heap.remove(first);
      first.callback();
    }
    arm();
  };

  const arm = (): void => {
    const { first } = heap;
    if (first === undefined) {
      clearTimeout(timer);
      timer = undefined;
      timerAt = Infinity;
      return;
    }
    const wait = Math.min(Math.max(first.at - now(), 0), lookMsMax);
    if (timer !== undefined && timerAt <= now() + wait) return;
    clearTimeout(timer);
    timerAt = now() + wait;
    timer = setTimeout(look, wait);
  };

  return {
    now,
    schedule(at, callback) {
      const entry: Entry = { at, callback, index: -1 };
      heap.push(entry);
      arm();
      return () => {
        heap.remove(entry);
        if (heap.first === undefined) arm();
      };
    },
  };
};
