/**
 * Where read models live: rows of JSON by key, with a few typed columns to find them by.
 *
 * 1. A projection's rows and its checkpoint change in one transaction, so a crash never separates them.
 * 2. Everything here can be rebuilt from the event store: losing it costs time, not truth.
 */

export type ColumnType = 'text' | 'integer' | 'real';
export type ColumnValue = string | number | null;

export interface ReadModelDefinition {
  /** Lower-case words with dashes. */
  readonly name: string;
  /** Another version is another table; the old one is dropped when the new one is complete. */
  readonly version: number;
  readonly columns: Readonly<Record<string, ColumnType>>;
  /** Sets of columns that queries filter or sort by. */
  readonly indexes: readonly (readonly string[])[];
}

export interface Row {
  readonly key: string;
  readonly columns: Readonly<Record<string, ColumnValue>>;
  /** JSON text. */
  readonly body: string;
}

export type Condition = {
  readonly column: string;
  readonly operator:
    | '='
    | '!='
    | '<'
    | '<='
    | '>'
    | '>='
    | 'in'
    | 'is-null'
    | 'is-not-null'
    | 'like';
  readonly value?: ColumnValue | readonly ColumnValue[];
};

export interface RowQuery {
  /** All must hold. */
  readonly where?: readonly Condition[];
  /** @default by key, ascending */
  readonly orderBy?: readonly { readonly column: string; readonly descending?: boolean }[];
  readonly limit?: number;
  readonly offset?: number;
}

export interface ReadModel {
  /** Position up to which events are folded in, or undefined at the start. */
  checkpoint(): bigint | undefined;
  /** Upserts and removes rows and moves the checkpoint, in one transaction. */
  commit(change: { rows: readonly Row[]; removed?: readonly string[]; checkpoint: bigint }): void;
  get(key: string): Row | undefined;
  query(query?: RowQuery): Row[];
  count(where?: readonly Condition[]): number;
  /** Empties the table and forgets the checkpoint. */
  reset(): void;
}

export interface ReadStore {
  open(definition: ReadModelDefinition): ReadModel;
  close(): void;
}
