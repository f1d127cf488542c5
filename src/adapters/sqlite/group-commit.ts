/**
 * Everything that is to be written in one turn of the event loop shares one transaction and one fsync.
 *
 * 1. No answer is given before COMMIT has returned, not even a refusal: it may rest on what the group wrote before it.
 * 2. A job that throws an error of the catalogue has written nothing and fails alone.
 * 3. Any other error, and a failed COMMIT, undoes the whole group: each of its jobs is rejected.
 * 4. A group runs without a pause, so no reader of this connection ever sees a half of it.
 */
import { EclError } from '../../core/errors.ts';

export type FailedPhase = 'write' | 'commit';

interface Failure {
  readonly phase: FailedPhase;
  readonly error: unknown;
}

export interface Transaction {
  begin(): void;
  commit(): void;
  /** After a failure: undoes what the group wrote and forgets what was remembered of it. It does not throw. */
  rollback(): void;
  /** After a COMMIT, before anyone is answered. */
  committed(): void;
  /** The error of a job whose group could not be written, or could not be committed. */
  failure(phase: FailedPhase, stream: string, error: unknown): EclError;
}

interface Job {
  readonly stream: string;
  readonly work: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  value?: unknown;
  error?: EclError;
}

/** Jobs of one transaction at most, so that a burst does not hold the event loop for seconds. */
const groupMax = 1_000;

export class GroupCommit {
  readonly #transaction: Transaction;
  #waiting: Job[] = [];
  #isScheduled = false;
  #drained: (() => void)[] = [];

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
  }

  /** Runs `work` in the next group; `stream` is what an error names. */
  run<T>(stream: string, work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ stream, work, resolve: resolve as (value: unknown) => void, reject });
      this.#schedule();
    });
  }

  /** Resolves when nothing waits any more. */
  drained(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const group =
      this.#waiting.length <= groupMax ? this.#waiting : this.#waiting.slice(0, groupMax);
    this.#waiting = this.#waiting.slice(group.length);
    if (this.#waiting.length > 0) this.#schedule();
    this.#settle(group, this.#write(group));
    if (this.#waiting.length > 0) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  /** Undefined when the group is committed, otherwise what went wrong. */
  #write(group: readonly Job[]): Failure | undefined {
    let phase: FailedPhase = 'write';
    try {
      this.#transaction.begin();
      for (const job of group) runJob(job);
      phase = 'commit';
      this.#transaction.commit();
    } catch (error) {
      this.#transaction.rollback();
      return { phase, error };
    }
    this.#transaction.committed();
    return undefined;
  }

  #settle(group: readonly Job[], failure: Failure | undefined): void {
    for (const job of group) {
      if (failure !== undefined) {
        job.reject(this.#transaction.failure(failure.phase, job.stream, failure.error));
      } else if (job.error !== undefined) job.reject(job.error);
      else job.resolve(job.value);
    }
  }
}

const runJob = (job: Job): void => {
  try {
    job.value = job.work();
  } catch (error) {
    if (!(error instanceof EclError)) throw error;
    job.error = error;
  }
};
