/** Starts a run that is not there yet, in a trace where somebody keeps traces. */
import type { TraceContext } from '../ports/telemetry.ts';
import { observedStart } from './observed-work.ts';
import { RunActor, type StartOptions } from './run-actor.ts';
import type { Services } from './services.ts';

/** As `RunActor.start`. */
export const beginRun = (
  services: Services,
  id: string,
  options: StartOptions,
): Promise<RunActor | undefined> => {
  if (services.telemetry === undefined) return RunActor.start(services, id, options);
  return observedStart(services, { id, started: options.started }, (trace?: TraceContext) =>
    RunActor.start(services, id, { ...options, trace }),
  );
};
