/**
 * Where read models live: rows of JSON by key, with a few typed columns to find them by.
 *
 * 1. A projection's rows and its checkpoint change in one transaction, so a crash never separates them.
 * 2. Everything here can be rebuilt from the event store: losing it costs time, not truth.
 * 3. Two processes may fold into one model: a commit names the checkpoint that it went on from, and one of them wins.
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
  /** Columns that a row keeps as it was written first: what is indexed by them alone costs nothing later. @default none */
  readonly fixed?: readonly string[];
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
    | 'like'
    /** Holds the text somewhere; ASCII letters in either case. */
    | 'contains';
  readonly value?: ColumnValue | readonly ColumnValue[];
};

export interface RowQuery {
  /** All must hold. */
  readonly where?: readonly Condition[];
  /** @default by key, ascending */
  readonly orderBy?: readonly { readonly column: string; readonly descending?: boolean }[];
  readonly limit?: number;
  readonly offset?: number;
  /** Without them many rows are read faster; their bodies are empty then. @default true */
  readonly bodies?: boolean;
}

export interface RowTotalsQuery {
  /** All must hold. */
  readonly where?: readonly Condition[];
  /** Rows that agree in these columns are one group; without any all rows are. */
  readonly by?: readonly string[];
  /** Columns to add up; null counts as 0. */
  readonly sum?: readonly string[];
  /** Columns to take the largest of. */
  readonly max?: readonly string[];
}

/** One group of rows. */
export interface RowTotals {
  readonly by: Readonly<Record<string, ColumnValue>>;
  readonly count: number;
  readonly sum: Readonly<Record<string, number>>;
  readonly max: Readonly<Record<string, ColumnValue>>;
}

export interface ReadModelChange {
  readonly rows: readonly Row[];
  readonly removed?: readonly string[];
  readonly checkpoint: bigint;
  /** The stored checkpoint that the rows were folded from; `none` at the start. @default 'any' */
  readonly expected?: bigint | 'none' | 'any';
}

export interface ReadModel {
  /** Position up to which events are folded in, or undefined at the start. */
  checkpoint(): bigint | undefined;
  /**
   * Upserts and removes rows and moves the checkpoint, in one transaction.
   *
   * @returns false, with nothing changed, when the stored checkpoint is another than the expected one
   */
  commit(change: ReadModelChange): boolean;
  get(key: string): Row | undefined;
  /** Bodies of rows as they are at one moment, in the order of the keys; undefined where there is no such row. */
  bodies(keys: readonly string[]): (string | undefined)[];
  query(query?: RowQuery): Row[];
  count(where?: readonly Condition[]): number;
  /** Groups in the order of what they agree in; a group without rows is not there. */
  totals(query: RowTotalsQuery): RowTotals[];
  /** Empties the table and forgets the checkpoint. */
  reset(): void;
}

export interface ReadStore {
  open(definition: ReadModelDefinition): ReadModel;
  /**
   * The newest older version of a model that is stored with the same columns and indexes, for reading only. It goes
   * away when the model has folded as far as it had.
   */
  older(definition: ReadModelDefinition): ReadModel | undefined;
  close(): void;
}
