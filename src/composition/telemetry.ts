/**
 * Part of the composition root: whoever wants to know what is done. OpenTelemetry where a tracer is registered, figures
 * for Prometheus where they are asked for, and nothing at all otherwise.
 */
import type { Clock } from '../ports/clock.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { Observation, Outcome, Telemetry } from '../ports/telemetry.ts';

/** Where the API of OpenTelemetry keeps what is registered: nobody registered anything while it is not there. */
const registered = Symbol.for('opentelemetry.js.api.1');

const openTraces = async (clock: Clock): Promise<Telemetry | undefined> => {
  // Loading the API takes longer than many a command.
  if (!(registered in globalThis)) return undefined;
  const { createOpenTelemetry, isTracerRegistered } =
    await import('../adapters/opentelemetry/telemetry.ts');
  return isTracerRegistered() ? createOpenTelemetry({ clock }) : undefined;
};

export interface Observers {
  readonly telemetry: Telemetry | undefined;
  readonly metrics: Metrics | undefined;
}

export const openTelemetry = async (options: {
  readonly clock: Clock;
  readonly metrics: boolean;
}): Promise<Observers> => {
  const traces = await openTraces(options.clock);
  if (!options.metrics) return { telemetry: traces, metrics: undefined };
  const { createPrometheusMetrics } = await import('../adapters/prometheus/metrics.ts');
  const metrics = createPrometheusMetrics({ clock: options.clock });
  const telemetry = traces === undefined ? metrics.telemetry : both(traces, metrics.telemetry);
  return { telemetry, metrics };
};

/** One observation of two; the trace is that of the one that keeps traces. */
const paired = <Ended extends Outcome>(
  one: Observation<Ended> | undefined,
  other: Observation<Ended> | undefined,
): Observation<Ended> => ({
  trace: one?.trace ?? other?.trace,
  within: (work) => {
    const inner = other === undefined ? work : () => other.within(work);
    return one === undefined ? inner() : one.within(inner);
  },
  end: (outcome) => {
    other?.end(outcome);
    one?.end(outcome);
  },
});

const both = (one: Telemetry, other: Telemetry): Telemetry => ({
  traces: one.traces || other.traces,
  starting: (run, parent) => paired(one.starting?.(run, parent), other.starting?.(run, parent)),
  decided: (run, events) => {
    one.decided?.(run, events);
    other.decided?.(run, events);
  },
  ended: (end) => {
    one.ended?.(end);
    other.ended?.(end);
  },
  appending: () => paired(one.appending?.(), other.appending?.()),
  step: (step) => paired(one.step?.(step), other.step?.(step)),
  modelCall: (call) => paired(one.modelCall?.(call), other.modelCall?.(call)),
  caller: () => one.caller?.() ?? other.caller?.(),
  flush: async () => {
    await Promise.all([one.flush?.(), other.flush?.()]);
  },
});
