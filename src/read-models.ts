/**
 * Wires the read models: opens them, keeps them folded, and answers from them.
 *
 * 1. Projections are written as a user would write them, so they import the package by name; they are loaded late, or the
 *    package would wait for itself.
 * 2. A writer folds all the time. A reader folds when it is asked for a list, into the same rows: of two processes that
 *    fold at once one wins each commit.
 */
import type { Logger } from 'pino';
import type { Clock } from './ports/clock.ts';
import type { EventStore } from './ports/event-store.ts';
import type { ReadModels } from './ports/read-models.ts';
import type { ReadStore } from './ports/read-store.ts';
import { projectedDirectory } from './runtime/projected-directory.ts';
import { Projector } from './runtime/projector.ts';

export const openReadModels = async (
  { events, reads }: { readonly events: EventStore; readonly reads: ReadStore },
  options: { readonly clock: Clock; readonly logger: Logger; readonly access: 'write' | 'read' },
): Promise<ReadModels> => {
  const { runSummaries } = await import('../projections/index.ts');
  const { clock, logger } = options;
  const projections = [runSummaries];
  const projector = new Projector({ store: events, reads, projections, clock, logger });
  let isStarted = false;
  const start = (): void => {
    if (!isStarted) projector.start();
    isStarted = true;
  };
  if (options.access === 'write') start();
  return {
    directory: projectedDirectory(projector.queries(runSummaries)),
    caughtUp: () => {
      start();
      return projector.caughtUp();
    },
    rebuild: (name, onProgress) => {
      start();
      return projector.rebuild(name, onProgress);
    },
    names: projections.map(({ definition }) => definition.name),
    close: () => projector.close(),
  };
};
