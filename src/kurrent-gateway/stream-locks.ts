/**
 * Who may write a stream at the moment: many that only add to it, or one that also decides by its metadata.
 *
 * 1. First come, first served, so that appends to a stream reach the store in the order in which they came.
 * 2. Several streams are locked in the order of their names: two that wait for each other cannot be.
 * 3. A stream that nobody uses takes no memory.
 */

export type LockMode = 'shared' | 'exclusive';

interface Waiter {
  readonly mode: LockMode;
  readonly wake: () => void;
}

interface Lock {
  /** How many hold it together, or -1 where one holds it alone. */
  holders: number;
  readonly waiting: Waiter[];
}

const fits = ({ holders }: Lock, mode: LockMode): boolean =>
  holders === 0 || (mode === 'shared' && holders > 0);

export class StreamLocks {
  readonly #locks = new Map<string, Lock>();

  /** Takes a shared lock if that needs no waiting. */
  tryShared(stream: string): boolean {
    const lock = this.#locks.get(stream);
    if (lock === undefined) {
      this.#locks.set(stream, { holders: 1, waiting: [] });
      return true;
    }
    if (lock.waiting.length > 0 || !fits(lock, 'shared')) return false;
    lock.holders += 1;
    return true;
  }

  async acquire(stream: string, mode: LockMode): Promise<void> {
    let lock = this.#locks.get(stream);
    if (lock === undefined) this.#locks.set(stream, (lock = { holders: 0, waiting: [] }));
    if (lock.waiting.length === 0 && fits(lock, mode)) {
      this.#take(lock, mode);
      return;
    }
    const { waiting } = lock;
    await new Promise<void>((resolve) => waiting.push({ mode, wake: resolve }));
  }

  release(stream: string): void {
    const lock = this.#locks.get(stream)!;
    lock.holders = lock.holders < 0 ? 0 : lock.holders - 1;
    for (let next = lock.waiting[0]; next !== undefined && fits(lock, next.mode);) {
      lock.waiting.shift();
      this.#take(lock, next.mode);
      next.wake();
      next = lock.waiting[0];
    }
    if (lock.holders === 0) this.#locks.delete(stream);
  }

  /** Runs `work` while it holds all the locks. */
  async holding<T>(wanted: ReadonlyMap<string, LockMode>, work: () => Promise<T>): Promise<T> {
    const held: string[] = [];
    try {
      for (const stream of [...wanted.keys()].sort()) {
        await this.acquire(stream, wanted.get(stream)!);
        held.push(stream);
      }
      return await work();
    } finally {
      for (const stream of held) this.release(stream);
    }
  }

  #take(lock: Lock, mode: LockMode): void {
    lock.holders = mode === 'exclusive' ? -1 : lock.holders + 1;
  }
}
