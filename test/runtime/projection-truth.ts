/** What the rows of a projection have to be, and what they are while another process keeps them. */
import { expect } from 'vitest';
import type { EventStore } from '../../src/ports/event-store.ts';
import type { ReadModel, ReadStore, Row } from '../../src/ports/read-store.ts';
import { projectedEvent } from '../../src/runtime/projected-event.ts';
import type { FoldSnapshot, Projection } from '../../src/runtime/projection.ts';

/** What the rows of a projection have to be at a checkpoint, folded event by event in memory. */
class Truth {
  readonly #store: EventStore;
  readonly #projection: Projection<unknown>;
  readonly #snapshots = new Map<string, FoldSnapshot<unknown>>();
  #position = 0n;

  constructor(store: EventStore, projection: Projection<unknown>) {
    this.#store = store;
    this.#projection = projection;
  }

  async at(checkpoint: bigint): Promise<Row[]> {
    const { types, key: keyOf, initial, next, toRow } = this.#projection;
    expect(checkpoint).toBeGreaterThanOrEqual(this.#position);
    for await (const recorded of this.#store.readAll({ from: this.#position + 1n })) {
      if (recorded.position > checkpoint) break;
      if (types?.has(recorded.type) === false) continue;
      const event = projectedEvent(recorded)!;
      for (const key of [keyOf(event) ?? []].flat()) {
        this.#snapshots.set(key, next(this.#snapshots.get(key) ?? initial, event));
      }
    }
    this.#position = checkpoint;
    return Array.from(this.#snapshots, ([key, snapshot]) => toRow(key, snapshot)).toSorted(
      (one, other) => (one.key < other.key ? -1 : 1),
    );
  }
}

/** Rows and the checkpoint that they belong to, while others go on writing. */
const look = (model: ReadModel): { rows: Row[]; checkpoint: bigint | undefined } => {
  for (;;) {
    const checkpoint = model.checkpoint();
    const rows = model.query();
    if (model.checkpoint() === checkpoint) return { rows, checkpoint };
  }
};

/** A projection as another process keeps it, and what it has to be. */
export class Watched {
  readonly #truth: Truth;
  readonly #model: ReadModel;
  readonly checkpoints = new Set<bigint | undefined>();

  constructor(store: EventStore, reads: ReadStore, projection: Projection<unknown>) {
    this.#truth = new Truth(store, projection);
    this.#model = reads.open(projection.definition);
  }

  async compare(): Promise<void> {
    const { rows, checkpoint } = look(this.#model);
    this.checkpoints.add(checkpoint);
    if (checkpoint !== undefined) expect(rows).toEqual(await this.#truth.at(checkpoint));
  }

  truthAt(position: bigint): Promise<Row[]> {
    return this.#truth.at(position);
  }
}
