/**
 * A subscriber that sees the whole log of a test, leases and journals in one order, and says what must not be there:
 * the outcome of an effect that was recorded by a process which did not own the run at that place.
 */
import { isFactType } from '../../src/core/journal-events.ts';
import { runIdOfStream } from '../../src/core/ids.ts';
import { leasePrefix, parseLeaseRecord, partitionOfStream } from '../../src/core/leases.ts';
import { partitionOf } from '../../src/core/partitions.ts';
import { openKurrentDbEventStore } from '../../src/adapters/kurrentdb/event-store.ts';
import type { EventStore, RecordedEvent } from '../../src/ports/event-store.ts';

/** Facts that only the owner of a run may record. */
const effects = new Set([
  'StepAttemptStarted',
  'StepSucceeded',
  'StepAttemptFailed',
  'StepFailed',
  'StepInterrupted',
  'ModelReplied',
  'ValueRecorded',
  'ArtifactStored',
  'TimerFired',
  'SignalDelivered',
]);

const onceEach = new Set(['StepSucceeded', 'StepFailed', 'TimerFired', 'SignalReceived']);

export interface Seen {
  readonly faults: readonly string[];
  readonly completed: number;
  /** Journaled replies of models. */
  readonly replies: number;
  /** Leases that went from one process to another without being released. */
  readonly takeOvers: number;
}

export class LogWitness {
  readonly #store: EventStore;
  readonly #stop = new AbortController();
  readonly #owners = new Map<number, string | undefined>();
  readonly #revisions = new Map<string, number>();
  readonly #once = new Set<string>();
  readonly #faults: string[] = [];
  #completed = 0;
  #replies = 0;
  #takeOvers = 0;
  #position = -1n;
  #reached = (): void => {};
  readonly #following: Promise<void>;

  private constructor(store: EventStore, tenant: string) {
    this.#store = store;
    this.#following = this.#follow(tenant);
  }

  static async on(connectionString: string, tenant: string): Promise<LogWitness> {
    return new LogWitness(await openKurrentDbEventStore({ connectionString }), tenant);
  }

  /** What was seen, up to the end of the log now. */
  async end(): Promise<Seen> {
    const last = await this.#last();
    while (this.#position < last) {
      await new Promise<void>((resolve) => {
        this.#reached = resolve;
      });
    }
    this.#stop.abort();
    await this.#following;
    await this.#store.close();
    return {
      faults: this.#faults,
      completed: this.#completed,
      replies: this.#replies,
      takeOvers: this.#takeOvers,
    };
  }

  async #last(): Promise<bigint> {
    const filter = { streamPrefixes: [leasePrefix] };
    for await (const event of this.#store.readAll({ direction: 'backwards', limit: 1, filter })) {
      return event.position;
    }
    return -1n;
  }

  async #follow(tenant: string): Promise<void> {
    const filter = { streamPrefixes: [leasePrefix, `run-${tenant}.`] };
    const items = this.#store.subscribe({ from: 'start', filter, signal: this.#stop.signal });
    for await (const item of items) {
      if (item.kind !== 'event') continue;
      this.#take(item.event);
      this.#position = item.event.position;
      this.#reached();
    }
  }

  #take(event: RecordedEvent): void {
    const partition = partitionOfStream(event.stream);
    if (partition !== undefined) this.#lease(partition, event);
    const run = runIdOfStream(event.stream);
    if (run !== undefined) this.#journal(run, event);
  }

  #lease(partition: number, { type, data }: RecordedEvent): void {
    const record = parseLeaseRecord(type, data);
    const before = this.#owners.get(partition);
    if (record?.type === 'LeaseTaken' && before !== undefined) this.#takeOvers += 1;
    this.#owners.set(partition, record?.type === 'LeaseTaken' ? record.data.worker : undefined);
  }

  #journal(run: string, { stream, revision, type, data, metadata }: RecordedEvent): void {
    const place = `${stream}@${revision} ${type}`;
    const expected = (this.#revisions.get(stream) ?? -1) + 1;
    if (revision !== expected) this.#faults.push(`${place}: revision ${expected} was expected`);
    this.#revisions.set(stream, revision);
    if (type === 'RunCompleted') this.#completed += 1;
    if (type === 'ModelReplied') this.#replies += 1;
    const { invocation, id } = JSON.parse(data) as { invocation?: string; id?: string };
    const once = `${stream} ${type} ${invocation ?? id ?? ''}`;
    if (onceEach.has(type) && this.#once.has(once)) this.#faults.push(`${place}: a second time`);
    this.#once.add(once);
    if (!isFactType(type) || !effects.has(type)) return;
    const owner = this.#owners.get(partitionOf(run));
    if (metadata.writer === owner) return;
    this.#faults.push(`${place}: by ${metadata.writer}, while ${owner ?? 'nobody'} owned it`);
  }
}
