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
  callback: (() => void) | undefined;
}

const lookMsMax = 1_000;

/** A binary heap by due time; cancelled entries stay until they come up. */
class DueHeap {
  readonly #entries: Entry[] = [];

  get first(): Entry | undefined {
    while (this.#entries.length > 0 && this.#entries[0]!.callback === undefined) this.pop();
    return this.#entries[0];
  }

  push(entry: Entry): void {
    const entries = this.#entries;
    let index = entries.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (entries[parent]!.at <= entry.at) break;
      entries[index] = entries[parent]!;
      index = parent;
    }
    entries[index] = entry;
  }

  pop(): Entry | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (last === undefined || last === first) return first;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && entries[child + 1]!.at < entries[child]!.at) child += 1;
      if (entries[child]!.at >= last.at) break;
      entries[index] = entries[child]!;
      index = child;
    }
    entries[index] = last;
    return first;
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
      heap.pop();
      const { callback } = first;
      first.callback = undefined;
      callback?.();
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
      const entry: Entry = { at, callback };
      heap.push(entry);
      arm();
      return () => {
        entry.callback = undefined;
        arm();
      };
    },
  };
};
