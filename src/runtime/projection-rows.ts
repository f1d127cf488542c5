/**
 * The rows that queries read: those of the projection, or of its older version while that one knows more.
 *
 * 1. An older version is only looked at until the new one has folded everything once, or as far as the old one had.
 * 2. Its rows are of an older shape: those that this version cannot read are left out.
 */
import type { ReadModel, Row, RowQuery, RowTotals, RowTotalsQuery } from '../ports/read-store.ts';
import type { Projection, StoredRows } from './projection.ts';

export class VersionedRows implements StoredRows {
  readonly #model: ReadModel;
  readonly #projection: Projection<unknown>;
  readonly #olderCheckpoint: bigint;
  #older: ReadModel | undefined;

  constructor(model: ReadModel, projection: Projection<unknown>, older: ReadModel | undefined) {
    this.#model = model;
    this.#projection = projection;
    this.#olderCheckpoint = older?.checkpoint() ?? -1n;
    this.#older = older;
  }

  /** From now on the new version answers. */
  complete(): void {
    this.#older = undefined;
  }

  get(key: string): Row | undefined {
    const row = this.#ask((model) => model.get(key));
    return row === undefined ? undefined : this.#readable([row])[0];
  }

  query(query?: RowQuery): Row[] {
    const rows = this.#ask((model) => model.query(query));
    return query?.bodies === false ? rows : this.#readable(rows);
  }

  count(where?: RowQuery['where']): number {
    return this.#ask((model) => model.count(where));
  }

  totals(query: RowTotalsQuery): RowTotals[] {
    return this.#ask((model) => model.totals(query));
  }

  #ask<Answer>(question: (model: ReadModel) => Answer): Answer {
    if (this.#older === undefined) return question(this.#model);
    if ((this.#model.checkpoint() ?? -1n) >= this.#olderCheckpoint) this.complete();
    try {
      return question(this.#older ?? this.#model);
    } catch {
      // Another process has finished the new version and dropped the old one.
      this.complete();
      return question(this.#model);
    }
  }

  #readable(rows: Row[]): Row[] {
    if (this.#older === undefined) return rows;
    return rows.filter(({ body }) => {
      try {
        this.#projection.fromBody(body);
        return true;
      } catch {
        return false;
      }
    });
  }
}
