/**
 * The records of leases in the store: how they are read at the start and appended later.
 *
 * 1. A lease is taken and released at an exact revision, or not at all.
 * 2. Streams are bounded: those of leases and the one of signs of life keep their newest events only.
 */
import { WrongExpectedRevision } from '../../core/errors.ts';
import {
  applyLease,
  applyWorker,
  leaseEventsMax,
  leaseStream,
  parseLeaseRecord,
  workersEventsMax,
  workersStream,
  type LeaseRecord,
  type LeaseTable,
} from '../../core/leases.ts';
import { partitionCount } from '../../core/partitions.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventData, EventStore, RecordedEvent } from '../../ports/event-store.ts';
import type { IdGenerator } from '../../ports/id-generator.ts';
import { Places } from '../places.ts';

/** Reads that are under way at the same time. */
const readsMax = 16;

const newest = async (
  store: EventStore,
  stream: string,
  limit: number,
): Promise<RecordedEvent[]> => {
  const events: RecordedEvent[] = [];
  for await (const event of store.readStream(stream, { direction: 'backwards', limit })) {
    events.push(event);
  }
  return events.toReversed();
};

/** Brings a table up to what is stored: first the leases, then who showed itself or left. */
export const readLeases = async (store: EventStore, table: LeaseTable): Promise<void> => {
  const places = new Places(readsMax);
  const partitions = Array.from({ length: partitionCount }, (_, partition) => partition);
  await Promise.all(
    partitions.map((partition) =>
      places.with(async () => {
        const [last] = await newest(store, leaseStream(partition), 1);
        if (last === undefined) return;
        const record = parseLeaseRecord(last.type, last.data);
        applyLease(table, partition, { record, revision: last.revision });
      }),
    ),
  );
  for (const { type, data } of await newest(store, workersStream, workersEventsMax)) {
    const record = parseLeaseRecord(type, data);
    if (record !== undefined) applyWorker(table, record);
  }
};

export interface LeaseLogParts {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly ids: IdGenerator;
}

export class LeaseLog {
  readonly #parts: LeaseLogParts;
  readonly #bounded = new Set<string>();

  constructor(parts: LeaseLogParts) {
    this.#parts = parts;
  }

  /**
   * Moves a lease on from the revision at which it is known.
   *
   * @returns the new revision, or undefined when another process was first
   * @throws EclError `store.unavailable`, OutcomeUnknown: the subscription tells whether it landed
   */
  async move(partition: number, known: number, record: LeaseRecord): Promise<number | undefined> {
    const stream = leaseStream(partition);
    if (known === -1) await this.#bound(stream, leaseEventsMax);
    const expectedRevision = known === -1 ? ('no-stream' as const) : known;
    try {
      const events = [this.#event(record)];
      return (await this.#parts.store.append({ stream, expectedRevision, events })).revision;
    } catch (error) {
      if (error instanceof WrongExpectedRevision) return undefined;
      throw error;
    }
  }

  /** A sign of life, or of leaving. One that is stored twice does no harm. */
  async tell(record: LeaseRecord): Promise<void> {
    await this.#bound(workersStream, workersEventsMax);
    const events = [this.#event(record)];
    await this.#parts.store.append({ stream: workersStream, expectedRevision: 'any', events });
  }

  async #bound(stream: string, maxCount: number): Promise<void> {
    if (this.#bounded.has(stream)) return;
    const { store } = this.#parts;
    const known = await store.streamMetadata(stream);
    if (known.maxCount !== maxCount) await store.setStreamMetadata(stream, { maxCount });
    this.#bounded.add(stream);
  }

  #event({ type, data }: LeaseRecord): EventData {
    const at = new Date(this.#parts.clock.now()).toISOString();
    const text = JSON.stringify(data);
    return { id: this.#parts.ids.uuid(), type, data: text, metadata: { at, schema: 1 } };
  }
}
