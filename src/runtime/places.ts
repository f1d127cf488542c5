/** A number of places for which work waits in line: bounds what runs side by side. */

export class Places {
  #free: number;
  readonly #line: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** How much work waits for a place. */
  get waiting(): number {
    return this.#line.length;
  }

  with<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free === 0) {
      return new Promise<void>((resolve) => this.#line.push(resolve)).then(() => this.#do(work));
    }
    this.#free -= 1;
    return this.#do(work);
  }

  #do<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = work();
    result.then(this.#leave, this.#leave);
    return result;
  }

  readonly #leave = (): void => {
    const next = this.#line.shift();
    if (next === undefined) this.#free += 1;
    else next();
  };
}
