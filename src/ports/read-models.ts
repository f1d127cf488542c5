/** The read models as the runtime uses them: folded by somebody, asked by it. */
import type { ReadModelDefinition } from './read-store.ts';
import type { RunDirectory } from './run-directory.ts';
import type { StatusQueries } from './status-queries.ts';

/** A projection, as far as its answers are concerned. */
export interface Queryable<Queries> {
  readonly definition: ReadModelDefinition;
  readonly queries: (rows: never) => Queries;
}

/** The projections that answer for ECL itself. */
export type OwnProjection = 'run-summaries' | 'run-timeline' | 'model-usage' | 'artifacts';

export interface ReadModelLag {
  readonly name: string;
  readonly version: number;
  /** How far its rows show what happened. */
  readonly position: bigint | undefined;
  /** Distance to the last event, counted in positions, which may have gaps; 0 when it is caught up. */
  readonly behind: bigint;
}

/** How far what somebody waits for is. */
export interface ReadModelWait {
  /** -1 where no row shows anything yet. */
  readonly position: bigint;
  /** The position that is waited for; positions may have gaps. */
  readonly end: bigint;
}

export interface ReadModels {
  readonly directory: RunDirectory;
  readonly status: StatusQueries;
  /** Names of the projections that are kept. */
  readonly names: readonly string[];
  /**
   * The queries of a projection.
   * @throws EclError `usage.invalid` when it is not kept
   */
  queries<Queries>(projection: Queryable<Queries>): Queries;
  /**
   * Resolves when the rows show all that is stored now, or all up to a position.
   *
   * @param of the name of a projection, which may be ahead of others. @default all
   */
  caughtUp(options?: { readonly of?: string; readonly position?: bigint }): Promise<void>;
  lag(): Promise<ReadModelLag[]>;
  /** What `caughtUp` waits for at this moment, of several waits the longest; undefined while nobody waits. */
  awaited(): ReadModelWait | undefined;
  /**
   * Folds a projection from nothing, while the old rows go on answering.
   * @throws EclError `usage.invalid` when it is not kept
   */
  rebuild(
    name: string,
    onProgress?: (progress: { readonly position: bigint; readonly end: bigint }) => void,
  ): Promise<void>;
  close(): Promise<void>;
}
