/**
 * Wires the read models: opens them, keeps them folded, and answers from them.
 *
 * 1. Projections are written as a user would write them, so they import the package by name; they are loaded late, or the
 *    package would wait for itself.
 * 2. A writer folds all the time. A reader folds when it is asked for a list, into the same rows: of two processes that
 *    fold at once one wins each commit.
 * 3. What is only looked at is folded from the first look on: a program that runs workflows and asks nothing pays for
 *    the summaries alone, which it needs to find its runs again.
 */
import type { Logger } from 'pino';
import { EclError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { ReadModels } from '../ports/read-models.ts';
import type { ReadStore } from '../ports/read-store.ts';
import type { StatusQueries } from '../ports/status-queries.ts';
import { projectedDirectory } from '../runtime/projected-directory.ts';
import type { Projection } from '../runtime/projection.ts';
import { Projector } from '../runtime/projector.ts';

export interface ReadModelOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly access: 'write' | 'read';
  /** Those of a user, beside ECL's own. */
  readonly projections?: readonly Projection<unknown>[] | undefined;
}

/** @throws EclError `usage.invalid` for a name that is given twice */
const checkNames = (projections: readonly Projection<unknown>[]): void => {
  const names = new Set<string>();
  for (const { definition } of projections) {
    if (names.has(definition.name)) {
      const reason = `There are two projections named "${definition.name}"`;
      throw new EclError('usage.invalid', { reason });
    }
    names.add(definition.name);
  }
};

/** @throws EclError `usage.invalid` for projections of one name, and for one that cannot be stored */
export const openReadModels = async (
  { events, reads }: { readonly events: EventStore; readonly reads: ReadStore },
  options: ReadModelOptions,
): Promise<ReadModels> => {
  const own = await import('../../projections/index.ts');
  const { runSummaries, runTimeline, modelUsage, artifacts } = own;
  const { clock, logger } = options;
  const projections = [
    runSummaries,
    runTimeline,
    modelUsage,
    artifacts,
    ...new Set(options.projections ?? []),
  ];
  checkNames(projections);
  const onDemand = [runTimeline, modelUsage, artifacts];
  const projector = new Projector({ store: events, reads, projections, onDemand, clock, logger });
  let isStarted = false;
  const start = (): void => {
    if (!isStarted) projector.start();
    isStarted = true;
  };
  if (options.access === 'write') start();
  const summaries = projector.queries(runSummaries);
  const files = projector.queries(artifacts);
  const status: StatusQueries = {
    timeline: projector.queries(runTimeline).timeline,
    usage: projector.queries(modelUsage).usage,
    gates: summaries.gates,
    artifacts: files.of,
    artifactsWith: files.with,
  };
  return {
    directory: projectedDirectory(summaries),
    status,
    queries: (projection) => projector.queries(projection as Projection<never>),
    caughtUp: ({ of, position } = {}) => {
      start();
      return of === undefined ? projector.caughtUp(position) : projector.shows(of, position);
    },
    lag: () => projector.lag(),
    awaited: () => projector.awaited(),
    rebuild: (name, onProgress) => {
      start();
      return projector.rebuild(name, onProgress);
    },
    names: projections.map(({ definition }) => definition.name),
    close: () => projector.close(),
  };
};
