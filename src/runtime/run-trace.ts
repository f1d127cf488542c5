/**
 * The trace that a run began in. Its first event carries it, so that any process that goes on with the run, after any
 * number of restarts, goes on with the trace.
 *
 * 1. It is read when somebody asks, once for each time that the run is in memory.
 * 2. It is no part of the run's state: what a run decides never depends on it.
 */
import { journalStream } from '../core/ids.ts';
import type { TraceContext } from '../ports/telemetry.ts';
import type { Services } from './services.ts';

export class RunTrace {
  readonly #services: Pick<Services, 'store' | 'telemetry'>;
  readonly #run: string;
  #known: Promise<TraceContext | undefined> | undefined;

  constructor(services: Pick<Services, 'store' | 'telemetry'>, run: string) {
    this.#services = services;
    this.#run = run;
  }

  /** The run begins, in this trace. */
  begin(trace: TraceContext | undefined): void {
    this.#known = Promise.resolve(trace);
  }

  /** Undefined where the run began without one, or nobody keeps traces here. It never rejects. */
  get(): Promise<TraceContext | undefined> {
    if (this.#services.telemetry?.traces !== true) return Promise.resolve(undefined);
    this.#known ??= this.#read().catch(() => {
      // A trace is worth no failure; the next step asks again.
      this.#known = undefined;
      return undefined;
    });
    return this.#known;
  }

  async #read(): Promise<TraceContext | undefined> {
    const first = this.#services.store.readStream(journalStream(this.#run), { limit: 1 });
    for await (const { metadata } of first) return metadata.traceparent;
    return undefined;
  }
}
