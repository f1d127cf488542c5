/**
 * What is told of a decision once it is stored: a line in the log and what telemetry wants to know.
 *
 * 1. The line names things and holds none of their contents: no input, prompt, answer or message.
 * 2. Where nobody listens, nothing is made for it.
 */
import type { Fact, JournalEvent } from '../core/journal-events.ts';
import type { RunState } from '../core/run-state.ts';
import type { ObservedRun, Telemetry, TraceContext } from '../ports/telemetry.ts';
import type { Services } from './services.ts';

/** Where the trace of a run can be had. */
export interface Traced {
  readonly id: string;
  trace(): Promise<TraceContext | undefined>;
}

/** Level of the line that each decision is. */
const level = 'info';

export const observedRun = ({ id, started }: Pick<RunState, 'id' | 'started'>): ObservedRun => ({
  id,
  workflow: started.workflow,
  version: started.version,
  tenant: started.tenant,
});

export const reportDecision = (
  { logger, telemetry }: Pick<Services, 'logger' | 'telemetry'>,
  run: { readonly state: RunState; readonly traced: Traced },
  events: readonly JournalEvent[],
): void => {
  const { state } = run;
  if (logger.isLevelEnabled(level)) {
    const { type } = events[0]!;
    logger[level](lineOf(state, events), `decided on ${type}`);
  }
  if (telemetry === undefined) return;
  telemetry.decided?.(observedRun(state), events);
  const isEnd = events.some(({ type }) => Object.hasOwn(endings, type));
  if (isEnd) void reportEnd(telemetry, run);
};

const endings = { RunCompleted: true, RunFailed: true, RunCancelled: true };

const lineOf = (state: RunState, events: readonly JournalEvent[]): object => {
  const [fact, ...consequences] = events as [Fact, ...JournalEvent[]];
  const { data } = fact;
  return {
    run: state.id,
    revision: state.revision,
    correlation: state.root,
    workflow: state.started.workflow,
    tenant: state.started.tenant,
    fact: fact.type,
    ...('invocation' in data ? { invocation: data.invocation } : {}),
    ...('attempt' in data ? { attempt: data.attempt } : {}),
    ...('error' in data && data.error !== undefined ? { code: data.error.code } : {}),
    consequences: consequences.map(({ type }) => type),
    state: state.snapshot.value as unknown,
    ...(state.ending === undefined ? {} : { ending: state.ending }),
  };
};

const reportEnd = async (
  telemetry: Telemetry,
  { state, traced }: { readonly state: RunState; readonly traced: Traced },
): Promise<void> => {
  const { ending, startedAt, updatedAt, error } = state;
  if (telemetry.ended === undefined || ending === undefined) return;
  telemetry.ended({
    run: observedRun(state),
    ending,
    startedAt,
    endedAt: updatedAt,
    errorCode: error?.code,
    trace: await traced.trace(),
  });
};
