/** What is looked up when Prometheus asks: runs by status, lines, lag of projections, whether the store answers. */
import { Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../ports/clock.ts';
import type { Gauges } from '../../ports/metrics.ts';

/** A store that takes longer counts as away: Prometheus gives up on an answer after 10 s. */
const answerMsMax = 2_000;

const statuses = [
  'running',
  'waiting',
  'paused',
  'quarantined',
  'completed',
  'failed',
  'cancelled',
] as const;

const inTime = async <Result>(clock: Clock, work: Promise<Result>): Promise<Result> => {
  let cancel = (): void => {};
  const late = new Promise<never>((_, reject) => {
    cancel = clock.schedule(clock.now() + answerMsMax, () => reject(new Error('too late')));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel();
  }
};

const gaugesOf = (registry: Registry) => {
  const registers = [registry];
  return {
    runs: new Gauge({
      name: 'ecl_runs',
      help: 'Runs in the store by status, children included, as the read model has them',
      labelNames: ['status'] as const,
      registers,
    }),
    queues: new Gauge({
      name: 'ecl_queue_depth',
      help: 'Work that waits in line in this process',
      labelNames: ['queue'] as const,
      registers,
    }),
    actors: new Gauge({
      name: 'ecl_actors',
      help: 'Runs in the memory of this process',
      registers,
    }),
    underWay: new Gauge({
      name: 'ecl_steps_under_way',
      help: 'Attempts of steps under way in this process',
      registers,
    }),
    lag: new Gauge({
      name: 'ecl_projection_lag_positions',
      help: 'How far the rows of a projection are behind the store; positions may have gaps',
      labelNames: ['projection'] as const,
      registers,
    }),
    up: new Gauge({
      name: 'ecl_store_up',
      help: 'Whether the store answered when it was asked for these figures',
      registers,
    }),
  };
};

/** Brings the gauges up to date; it never throws. */
export const lookUpInto = (registry: Registry, clock: Clock): ((from: Gauges) => Promise<void>) => {
  const gauges = gaugesOf(registry);
  return async (from) => {
    const queues = from.queues();
    for (const [queue, depth] of Object.entries(queues)) gauges.queues.set({ queue }, depth);
    gauges.actors.set(from.actors());
    gauges.underWay.set(from.stepsUnderWay());
    gauges.lag.reset();
    gauges.runs.reset();
    try {
      const lag = await inTime(clock, from.projectionLag());
      for (const { name, behind } of lag) gauges.lag.set({ projection: name }, Number(behind));
      gauges.up.set(1);
    } catch {
      gauges.up.set(0);
    }
    try {
      const counts = from.runsByStatus();
      for (const status of statuses) gauges.runs.set({ status }, counts[status] ?? 0);
    } catch {
      // The read model is another database; without it there is no figure rather than a wrong one.
    }
  };
};
