/**
 * What is counted while work is done: decisions, runs, appends, steps, calls of models, tokens and cost.
 *
 * 1. Tokens and cost are those that the journals of this process's decisions say, so they add up to what `usage` says.
 * 2. The number of label values is bounded, whatever names a provider comes up with.
 */
import { Counter, Histogram, type Registry } from 'prom-client';
import { isEclError } from '../../core/errors.ts';
import type { JournalData, JournalEvent } from '../../core/journal-events.ts';
import type { Observation, ObservedRun, Outcome, Telemetry } from '../../ports/telemetry.ts';

/** Names that one label tells apart; further ones share `other`. */
const labelValuesMax = 200;

const appendSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const workSeconds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600];

/** Lets the first names through. */
class Names {
  readonly #known = new Set<string>();

  of(name: string): string {
    if (this.#known.has(name)) return name;
    if (this.#known.size >= labelValuesMax) return 'other';
    this.#known.add(name);
    return name;
  }
}

const outcomeOf = ({ error, isAbandoned = false }: Outcome): string => {
  if (isAbandoned) return 'abandoned';
  return error === undefined ? 'ok' : 'failed';
};

const appendOutcomeOf = (outcome: Outcome): string =>
  isEclError(outcome.error, 'store.wrong-expected-revision') ? 'conflict' : outcomeOf(outcome);

/** Nothing is done within it but the work. */
const timed = (end: (outcome: Outcome) => void): Observation => ({
  within: (work) => work(),
  end,
});

const metersOf = (registry: Registry) => {
  const registers = [registry];
  return {
    decisions: new Counter({
      name: 'ecl_decisions_total',
      help: 'Decisions that were stored, by the fact that they answer',
      labelNames: ['fact'] as const,
      registers,
    }),
    started: new Counter({
      name: 'ecl_runs_started_total',
      help: 'Runs that this process started, children included',
      labelNames: ['workflow'] as const,
      registers,
    }),
    ended: new Counter({
      name: 'ecl_runs_ended_total',
      help: 'Runs that ended in this process, children included',
      labelNames: ['workflow', 'status'] as const,
      registers,
    }),
    appends: new Histogram({
      name: 'ecl_append_duration_seconds',
      help: 'From the request to append a decision to its durable acknowledgement',
      labelNames: ['outcome'] as const,
      buckets: appendSeconds,
      registers,
    }),
    steps: new Histogram({
      name: 'ecl_step_duration_seconds',
      help: 'How long attempts of steps took',
      labelNames: ['workflow', 'step', 'outcome'] as const,
      buckets: workSeconds,
      registers,
    }),
    calls: new Histogram({
      name: 'ecl_model_call_duration_seconds',
      help: 'How long calls of models took; those answered from a journal are none',
      labelNames: ['model', 'outcome'] as const,
      buckets: workSeconds,
      registers,
    }),
    tokens: new Counter({
      name: 'ecl_model_tokens_total',
      help: 'Tokens of recorded answers; those of the prompt that came from a cache are counted apart',
      labelNames: ['model', 'kind'] as const,
      registers,
    }),
    cost: new Counter({
      name: 'ecl_model_cost_usd_total',
      help: 'What recorded answers cost by the price list, in US dollars',
      labelNames: ['model'] as const,
      registers,
    }),
    unpriced: new Counter({
      name: 'ecl_model_unpriced_calls_total',
      help: 'Recorded answers whose cost is not known, so that the cost is a lower bound',
      labelNames: ['model'] as const,
      registers,
    }),
  };
};

type Meters = ReturnType<typeof metersOf>;

const countReply = (meters: Meters, model: string, data: JournalData<'ModelReplied'>): void => {
  const { usage, cost } = data;
  if ('usd' in cost) meters.cost.inc({ model }, cost.usd);
  else meters.unpriced.inc({ model });
  if (usage === undefined) return;
  const kinds = {
    input: usage.inputTokens,
    output: usage.outputTokens,
    'cache-read': usage.cacheReadTokens ?? 0,
    'cache-write': usage.cacheWriteTokens ?? 0,
  };
  for (const [kind, tokens] of Object.entries(kinds)) {
    if (tokens > 0) meters.tokens.inc({ model, kind }, tokens);
  }
};

const endings = { RunCompleted: 'completed', RunFailed: 'failed', RunCancelled: 'cancelled' };

const countDecision = (
  meters: Meters,
  run: ObservedRun,
  { events, models }: { readonly events: readonly JournalEvent[]; readonly models: Names },
): void => {
  const { workflow } = run;
  meters.decisions.inc({ fact: events[0]!.type });
  for (const { type, data } of events) {
    switch (type) {
      case 'RunStarted':
        meters.started.inc({ workflow });
        break;
      case 'ModelReplied':
        countReply(meters, models.of(data.model), data);
        break;
      case 'RunCompleted':
      case 'RunFailed':
      case 'RunCancelled':
        meters.ended.inc({ workflow, status: endings[type] });
        break;
      default:
    }
  }
};

/** Telemetry that counts into a registry. */
export const countingTelemetry = (registry: Registry): Telemetry => {
  const meters = metersOf(registry);
  const workflows = new Names();
  const steps = new Names();
  const models = new Names();
  const answering = new Names();
  const known = (run: ObservedRun): ObservedRun => ({
    ...run,
    workflow: workflows.of(run.workflow),
  });
  return {
    traces: false,
    decided: (run, events) => countDecision(meters, known(run), { events, models: answering }),
    appending: () => {
      const end = meters.appends.startTimer();
      return timed((outcome) => end({ outcome: appendOutcomeOf(outcome) }));
    },
    step: ({ run, name }) => {
      const labels = { workflow: workflows.of(run.workflow), step: steps.of(name) };
      const end = meters.steps.startTimer(labels);
      return timed((outcome) => end({ outcome: outcomeOf(outcome) }));
    },
    modelCall: ({ model }) => {
      const end = meters.calls.startTimer({ model: models.of(model) });
      return timed((outcome) => end({ outcome: outcomeOf(outcome) }));
    },
  };
};
