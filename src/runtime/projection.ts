/**
 * What a projection is: a fold over journal events, one context a key, each kept as a row that queries find.
 *
 * 1. The fold is an @xstate/store, moved only by its pure transition; its effects are dropped.
 * 2. A row is a function of its context alone. So rows and checkpoint can be thrown away and folded again.
 * 3. Another shape of context, row or fold is another version: it is folded from nothing, beside the one before.
 */
import type { z } from 'zod';
import type {
  ColumnType,
  ColumnValue,
  ReadModelDefinition,
  Row,
  RowQuery,
  RowTotals,
  RowTotalsQuery,
} from '../ports/read-store.ts';
import type { JournalEventType } from '../core/journal-events.ts';
import type { ProjectedEvent } from './projected-event.ts';

export interface FoldSnapshot<Context> {
  readonly context: Context;
}

/** The part of an @xstate/store that a fold needs. */
export interface FoldStore<Context> {
  getInitialSnapshot(): FoldSnapshot<Context>;
  /** Pure: a snapshot and an event give the next snapshot, and effects that a fold drops. */
  transition(
    snapshot: FoldSnapshot<Context>,
    event: ProjectedEvent,
  ): readonly [FoldSnapshot<Context>, ...unknown[]];
}

export type Columns = Readonly<Record<string, ColumnType>>;

export type ColumnValues<Of extends Columns> = {
  readonly [Name in keyof Of]: (Of[Name] extends 'text' ? string : number) | null;
};

/** A row as queries see it. */
export interface ProjectedRow<Context, Of extends Columns> {
  readonly key: string;
  readonly columns: ColumnValues<Of>;
  /** Parsed when it is asked for. */
  readonly context: Context;
}

/** The rows of a projection, for its queries. */
export interface ProjectedRows<Context, Of extends Columns> {
  get(key: string): ProjectedRow<Context, Of> | undefined;
  query(query?: RowQuery): ProjectedRow<Context, Of>[];
  count(where?: RowQuery['where']): number;
  /** Counts, sums and maxima, by groups. */
  totals(query: RowTotalsQuery): RowTotals[];
}

export interface ProjectionOptions<Context, Of extends Columns, Queries> {
  /** Lower-case words with dashes. */
  readonly name: string;
  /** Counts up with each change of the fold, the context or the columns. */
  readonly version: number;
  /** @default all types */
  readonly types?: readonly JournalEventType[];
  /** Names the row that an event changes, or the rows; undefined when it changes none. */
  readonly key: (event: ProjectedEvent) => string | readonly string[] | undefined;
  /**
   * The event that every row begins with, if there is one: what is stored is not looked up for it. Its type, or how it is
   * known. @default none
   */
  readonly first?: JournalEventType | ((event: ProjectedEvent) => boolean);
  /** The context as it is kept: JSON. */
  readonly context: z.ZodType<Context>;
  /** Its initial context is that of every key. */
  readonly store: FoldStore<Context>;
  /** What rows are found by. */
  readonly columns: Of;
  /** Sets of columns that queries filter or sort by. @default none */
  readonly indexes?: readonly (readonly (keyof Of & string)[])[];
  /** Columns that a row keeps as it was written first: indexes of these alone cost nothing later. @default none */
  readonly fixed?: readonly (keyof Of & string)[];
  readonly row: (context: Context, key: string) => ColumnValues<Of>;
  readonly queries: (rows: ProjectedRows<Context, Of>) => Queries;
}

export interface Projection<Queries> {
  readonly definition: ReadModelDefinition;
  readonly types: ReadonlySet<string> | undefined;
  readonly key: (event: ProjectedEvent) => string | readonly string[] | undefined;
  readonly isFirst: (event: ProjectedEvent) => boolean;
  readonly initial: FoldSnapshot<unknown>;
  /** The next snapshot; the same one when the event changes nothing. */
  readonly next: (snapshot: FoldSnapshot<unknown>, event: ProjectedEvent) => FoldSnapshot<unknown>;
  readonly toRow: (key: string, snapshot: FoldSnapshot<unknown>) => Row;
  /** @throws ZodError, SyntaxError for a body that is not of this version */
  readonly fromBody: (body: string) => FoldSnapshot<unknown>;
  readonly queries: (rows: StoredRows) => Queries;
}

/** Where the rows of a projection are read. */
export interface StoredRows {
  get(key: string): Row | undefined;
  query(query?: RowQuery): Row[];
  count(where?: RowQuery['where']): number;
  totals(query: RowTotalsQuery): RowTotals[];
}

const firstOf = (
  first: JournalEventType | ((event: ProjectedEvent) => boolean) | undefined,
): ((event: ProjectedEvent) => boolean) =>
  typeof first === 'function' ? first : ({ type }) => type === first;

class LazyRow<Context, Of extends Columns> implements ProjectedRow<Context, Of> {
  readonly key: string;
  readonly columns: ColumnValues<Of>;
  readonly #body: string;
  readonly #schema: z.ZodType<Context>;

  constructor(row: Row, schema: z.ZodType<Context>) {
    this.key = row.key;
    this.columns = row.columns as ColumnValues<Of>;
    this.#body = row.body;
    this.#schema = schema;
  }

  get context(): Context {
    return this.#schema.parse(JSON.parse(this.#body));
  }
}

/**
 * Defines a projection. ECL keeps its rows up to date; its queries read them.
 *
 * @example
 * export const signalCounts = defineProjection({
 *   name: 'signal-counts',
 *   version: 1,
 *   types: ['SignalReceived'],
 *   key: ({ run }) => run,
 *   context: z.object({ count: z.number() }),
 *   store: createStore({
 *     schemas: { events: projectedEvents },
 *     context: { count: 0 },
 *     on: { SignalReceived: ({ count }) => ({ count: count + 1 }) },
 *   }),
 *   columns: { count: 'integer' },
 *   row: ({ count }) => ({ count }),
 *   queries: (rows) => ({ of: (run: string) => rows.get(run)?.columns.count ?? 0 }),
 * });
 */
export const defineProjection = <Context extends object, const Of extends Columns, Queries>(
  options: ProjectionOptions<Context, Of, Queries>,
): Projection<Queries> => {
  const { name, version, columns, indexes = [], store, context: schema } = options;
  return {
    definition: {
      name,
      version,
      columns,
      indexes,
      ...(options.fixed === undefined ? {} : { fixed: options.fixed }),
    },
    types: options.types === undefined ? undefined : new Set(options.types),
    key: options.key,
    isFirst: firstOf(options.first),
    initial: store.getInitialSnapshot(),
    next: (snapshot, event) => store.transition(snapshot as FoldSnapshot<Context>, event)[0],
    toRow: (key, snapshot) => {
      const context = snapshot.context as Context;
      const values: Readonly<Record<string, ColumnValue>> = options.row(context, key);
      return { key, columns: values, body: JSON.stringify(context) };
    },
    fromBody: (body) => ({
      ...store.getInitialSnapshot(),
      context: schema.parse(JSON.parse(body)),
    }),
    queries: (rows) => {
      const lazy = (row: Row): ProjectedRow<Context, Of> => new LazyRow(row, schema);
      return options.queries({
        get: (key) => {
          const row = rows.get(key);
          return row && lazy(row);
        },
        query: (query) => rows.query(query).map(lazy),
        count: (where) => rows.count(where),
        totals: (query) => rows.totals(query),
      });
    },
  };
};
