/**
 * A mailbox: items are processed one at a time, in the order in which they came.
 *
 * 1. The next item starts when the promise of the one before it settled.
 * 2. It is bounded: what does not fit is refused at once, but for what nobody could say again.
 */
import { EclError } from '../core/errors.ts';

export class Mailbox<Item> {
  readonly #process: (item: Item) => Promise<void>;
  readonly #depthMax: number;
  readonly #items: Item[] = [];
  #busy = false;

  constructor(process: (item: Item) => Promise<void>, depthMax: number) {
    this.#process = process;
    this.#depthMax = depthMax;
  }

  /** How many items wait, beside the one that is processed. */
  get depth(): number {
    return this.#items.length;
  }

  get isIdle(): boolean {
    return !this.#busy && this.#items.length === 0;
  }

  /** @throws EclError `run.limit-reached` */
  put(item: Item, owner: string): void {
    if (this.#items.length >= this.#depthMax) {
      const details = { run: owner, limit: 'mailboxDepthMax', value: this.#depthMax };
      throw new EclError('run.limit-reached', details);
    }
    this.putOwed(item);
  }

  /** Takes what came of an execution, a timer or a child, which are bounded where they begin. */
  putOwed(item: Item): void {
    this.#items.push(item);
    if (!this.#busy) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    try {
      for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) {
        await this.#process(item);
      }
    } finally {
      this.#busy = false;
    }
  }
}
