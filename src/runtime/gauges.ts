/** What is looked up of a process when somebody asks for its figures; it keeps no count itself. */
import type { Gauges } from '../ports/metrics.ts';
import type { ReadModels } from '../ports/read-models.ts';
import type { ActorSystem } from './actor-system.ts';

export const gaugesOf = (system: ActorSystem, readModels: ReadModels): Gauges => ({
  runsByStatus: () =>
    readModels.directory.list({ children: true, counts: true, limit: 1 }).counts ?? {},
  queues: () => system.queues,
  actors: () => system.size,
  stepsUnderWay: () => {
    let count = 0;
    for (const { stepsUnderWay } of system.inMemory()) count += stepsUnderWay;
    return count;
  },
  projectionLag: () => readModels.lag(),
});
