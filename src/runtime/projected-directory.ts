/**
 * The directory of runs over the rows of a projection: the adapter between the port and the projection's queries.
 *
 * It knows nothing of how rows are made; what it adds is the guess at what a mistyped id meant.
 */
import { nearestNames } from '../core/nearest.ts';
import type { OwingRun, RunDirectory, RunListQuery, RunPage } from '../ports/run-directory.ts';

/** What a projection of runs must answer to be a directory. */
export interface RunQueries {
  owing(): Iterable<OwingRun>;
  list(query: RunListQuery): RunPage;
  /** Ids that might have been meant: those that begin so, and the newest ones around. */
  candidates(id: string): string[];
}

export const projectedDirectory = (queries: RunQueries): RunDirectory => ({
  owing: () => queries.owing(),
  list: (query) => queries.list(query),
  nearest: (id) => nearestNames(id, queries.candidates(id)),
});
