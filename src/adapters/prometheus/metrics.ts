/**
 * Figures of this process in the text format of Prometheus, through prom-client.
 *
 * 1. It has a registry of its own: several ECLs in one process do not count into each other.
 * 2. What Node itself can say (the lag of the event loop, memory, CPU, garbage) comes from prom-client as it is. It is
 *    one for the process: what measures it cannot be stopped again.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Clock } from '../../ports/clock.ts';
import type { Gauges, Metrics } from '../../ports/metrics.ts';
import { countingTelemetry } from './counts.ts';
import { lookUpInto } from './lookups.ts';

let nodeRegistry: Registry | undefined;

const registryOfNode = (): Registry => {
  if (nodeRegistry === undefined) {
    nodeRegistry = new Registry();
    collectDefaultMetrics({ register: nodeRegistry });
  }
  return nodeRegistry;
};

export const createPrometheusMetrics = ({ clock }: { readonly clock: Clock }): Metrics => {
  const registry = new Registry();
  const ofNode = registryOfNode();
  const lookUp = lookUpInto(registry, clock);
  let watched: Gauges | undefined;
  return {
    telemetry: countingTelemetry(registry),
    contentType: registry.contentType,
    watch: (gauges) => {
      watched = gauges;
    },
    text: async () => {
      if (watched !== undefined) await lookUp(watched);
      return Registry.merge([registry, ofNode]).metrics();
    },
    close: () => {
      watched = undefined;
      registry.clear();
    },
  };
};
