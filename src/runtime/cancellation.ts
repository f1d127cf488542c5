/**
 * What ends an execution from outside: its step was cancelled, the process stops, or its time is up.
 *
 * 1. The first reason stays. An execution that recorded its outcome is not touched any more.
 * 2. The AbortSignal is made when somebody asks for it; most steps never do, and it costs more than they do.
 */

/** Why an execution ended without an outcome. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned';
}

export class Cancellation {
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  #settled = false;
  #onAbort: ((reason: Error) => void) | undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Nobody wants the outcome any more; a time-out is an outcome. */
  get isAbandoned(): boolean {
    return this.#reason instanceof Abandoned;
  }

  abandon(reason: string): void {
    if (!this.#settled) this.abort(new Abandoned(reason));
  }

  abort(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.#onAbort?.(reason);
  }

  /** The outcome is about to be recorded. */
  settle(): void {
    this.#settled = true;
  }

  /** Settles with the work, or with the reason as soon as there is one: work may ignore its signal. */
  race<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#reason !== undefined) return Promise.reject(this.#reason);
    return new Promise((resolve, reject) => {
      this.#onAbort = reject;
      work().then(resolve, reject);
    });
  }
}
