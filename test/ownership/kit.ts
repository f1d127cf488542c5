/**
 * What tests of the ownership share: a store that several processes use, each with a clock and a connection of its own,
 * and eyes on journals and leases.
 */
import pino from 'pino';
import { afterEach } from 'vitest';
import { createEcl, type Ecl, type EclOptions } from 'ecl';
import { SimulatedClock } from 'ecl/testing';
import { createMemoryArtifactStore } from '../../src/adapters/memory/artifact-store.ts';
import { createMemoryEventStore } from '../../src/adapters/memory/event-store.ts';
import { journalStream } from '../../src/core/ids.ts';
import { newLeaseTable, type LeaseTable } from '../../src/core/leases.ts';
import { partitionOf } from '../../src/core/partitions.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { EventStore, RecordedEvent } from '../../src/ports/event-store.ts';
import { readLeases } from '../../src/runtime/ownership/lease-log.ts';
import { connect } from '../../src/testing/test-connection.ts';
import { decorated, TestModel } from '../runtime/kit.ts';

type Options = Pick<EclOptions, 'workflows' | 'limits' | 'recover' | 'leaveWork'> & {
  /** How far this process's clock is ahead of the others, in milliseconds. */
  readonly aheadMs?: number;
  /** Replaces methods of its store. */
  readonly store?: Partial<EventStore>;
};

interface Process {
  readonly ecl: Ecl;
  readonly cut: () => void;
}

const skewed = (clock: Clock, aheadMs: number): Clock => ({
  now: () => clock.now() + aheadMs,
  schedule: (at, callback) => clock.schedule(at - aheadMs, callback),
});

const clusters = new Set<Cluster>();

afterEach(async () => {
  for (const cluster of clusters) await cluster.close();
  clusters.clear();
});

export class Cluster {
  readonly clock = new SimulatedClock('2026-03-01T09:00:00.000Z');
  readonly artifacts = createMemoryArtifactStore();
  readonly model: TestModel;
  readonly events: EventStore;
  readonly #processes = new Map<Ecl, Process>();

  constructor(answer?: TestModel['answer'], options: { readonly checks?: boolean } = {}) {
    this.model = new TestModel(answer);
    const memory = createMemoryEventStore({ shared: true });
    this.events =
      options.checks === false
        ? decorated(memory, {
            features: { checks: false, shared: true },
            append: (append, { checks = [] } = {}) => {
              if (checks.length > 0) throw new Error('this store has no checks');
              return memory.append(append);
            },
          })
        : memory;
    clusters.add(this);
  }

  async open({ aheadMs = 0, store = {}, ...options }: Options = {}): Promise<Ecl> {
    const { artifacts, clock, model } = this;
    const events = decorated(this.events, store);
    const { stores, cut, ...rest } = connect({
      events,
      artifacts,
      clock: skewed(clock, aheadMs),
      model,
    });
    const ecl = await createEcl({
      logger: pino({ level: process.env['ECL_TEST_LOG'] ?? 'silent' }),
      store: stores,
      ...rest,
      ...options,
    });
    this.#processes.set(ecl, { ecl, cut });
    await this.settle();
    return ecl;
  }

  /** Ends a process as SIGKILL does. */
  kill(ecl: Ecl): void {
    this.#processes.get(ecl)?.cut();
    this.#processes.delete(ecl);
    ecl.close({ graceMs: 0 }).catch(() => {});
  }

  /** Ends a process as SIGTERM does. */
  async stop(ecl: Ecl): Promise<void> {
    this.#processes.delete(ecl);
    await this.while(ecl.close({ graceMs: 0 }));
  }

  async close(): Promise<void> {
    for (const ecl of this.#processes.keys()) await this.stop(ecl);
  }

  async settle(turns = 20): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) await this.clock.advance(0);
  }

  /** Lets time pass in small steps, as it does. */
  async pass(ms: number, stepMs = 250): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      await this.clock.advance(Math.min(stepMs, left));
      await this.settle(3);
    }
  }

  /** Lets time pass until something has happened. */
  async while<Value>(work: Promise<Value>, msMax = 60_000): Promise<Value> {
    const stepMs = 250;
    const passing = async (): Promise<'passed'> => {
      await this.pass(stepMs);
      return 'passed';
    };
    work.catch(() => {});
    for (let passed = 0; passed <= msMax; passed += stepMs) {
      if (
        (await Promise.race([
          work.then(
            () => 'over',
            () => 'over',
          ),
          passing(),
        ])) === 'over'
      ) {
        return work;
      }
    }
    throw new Error(`it did not happen within ${msMax} ms`);
  }

  async journal(run: string): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for await (const event of this.events.readStream(journalStream(run))) events.push(event);
    return events;
  }

  async types(run: string): Promise<string[]> {
    return (await this.journal(run)).map(({ type }) => type);
  }

  /** Who executed or recorded what, by type: the writers of a run's events of a type. */
  async writersOf(run: string, type: string): Promise<string[]> {
    const events = (await this.journal(run)).filter((event) => event.type === type);
    return events.map(({ metadata }) => metadata.writer!);
  }

  async leases(): Promise<LeaseTable> {
    const table = newLeaseTable({ worker: 'nobody', role: 'guest', place: '' }, 4);
    await readLeases(this.events, table);
    return table;
  }

  /** How many partitions a process holds, as the log says. */
  async shareOf(ecl: Ecl): Promise<number> {
    const { leases } = await this.leases();
    return leases.filter(({ worker }) => worker === writerOf(ecl)).length;
  }

  /** Keys whose runs are in partitions that a process holds. */
  async keysOf(ecl: Ecl, workflow: string, count: number): Promise<string[]> {
    const { leases } = await this.leases();
    const keys: string[] = [];
    for (let n = 0; keys.length < count; n += 1) {
      const partition = partitionOf(`${workflow}.k${n}`);
      if (leases[partition]!.worker === writerOf(ecl)) keys.push(`k${n}`);
    }
    return keys;
  }
}

export const writerOf = (ecl: Ecl): string => ecl.system.services.writer;
