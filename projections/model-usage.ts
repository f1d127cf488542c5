/**
 * What models cost: calls, tokens, money, time and failures.
 *
 * 1. Each call stands in two rows: one of its run, step, model and day, and one of its tenant, workflow, step, model and day.
 *    So totals over many runs are read from few rows.
 * 2. Money is added up in whole billionths of a dollar, so a sum does not depend on the order of its parts.
 * 3. A call of a child run counts for the workflow of its root: whoever started it pays for all below it.
 */
import { createStore } from '@xstate/store';
import {
  defineProjection,
  isPayloadReference,
  projectedEvents,
  type ColumnValues,
  type ProjectedEvent,
} from 'ecl';
import { z } from 'zod';
import { columns, indexes, ofAllRuns, usageQueries } from './usage-queries.ts';

const Usage = z.object({
  calls: z.number(),
  /** Calls that were not answered. */
  errors: z.number(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  cacheReadTokens: z.number(),
  cacheWriteTokens: z.number(),
  /** Billionths of a dollar, of calls whose cost is known. */
  nanoUsd: z.number(),
  unpriced: z.number(),
  latencyMs: z.number(),
  latencyMsMax: z.number(),
});
type Usage = z.infer<typeof Usage>;

const nanoPerUsd = 1e9;

const blank: Usage = {
  calls: 0,
  errors: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  nanoUsd: 0,
  unpriced: 0,
  latencyMs: 0,
  latencyMsMax: 0,
};

const failed = (usage: Usage): Usage => ({ ...usage, errors: usage.errors + 1 });

const store = createStore({
  schemas: { events: projectedEvents },
  context: blank,
  on: {
    ModelReplied: (before, { data: { usage, cost, latencyMs } }): Usage => ({
      calls: before.calls + 1,
      errors: before.errors,
      inputTokens: before.inputTokens + (usage?.inputTokens ?? 0),
      outputTokens: before.outputTokens + (usage?.outputTokens ?? 0),
      cacheReadTokens: before.cacheReadTokens + (usage?.cacheReadTokens ?? 0),
      cacheWriteTokens: before.cacheWriteTokens + (usage?.cacheWriteTokens ?? 0),
      nanoUsd: before.nanoUsd + ('usd' in cost ? Math.round(cost.usd * nanoPerUsd) : 0),
      unpriced: before.unpriced + ('usd' in cost ? 0 : 1),
      latencyMs: before.latencyMs + latencyMs,
      latencyMsMax: Math.max(before.latencyMsMax, latencyMs),
    }),
    StepAttemptFailed: failed,
    StepFailed: failed,
    RunPaused: failed,
  },
});

/** Codes of failures that no call stands behind. */
const withoutCall = new Set(['model.none', 'model.aborted', 'model.unknown-kind']);

/** The name that a model answers by: without its vendor, and without the address that it is found at. */
const modelName = (id: string): string =>
  id.replace(/^openai-compatible:[^#]*#/, '').replace(/^anthropic:/, '');

/** The step that a call belongs to: its invocations are numbered behind a `#`. */
const stepOf = (invocation: string | undefined): string =>
  invocation === undefined ? '' : invocation.replace(/#\d+$/, '');

/** The model and the step of a call, answered or not; undefined for an event that is about no call. */
const callOf = (event: ProjectedEvent): { model: string; step: string } | undefined => {
  if (event.type === 'ModelReplied') {
    return { model: event.data.model, step: stepOf(event.data.invocation) };
  }
  const { error, invocation } = event.data as ProjectedEvent<'RunPaused'>['data'];
  if (error === undefined || isPayloadReference(error)) return undefined;
  if (!error.code.startsWith('model.') || withoutCall.has(error.code)) return undefined;
  const model = error.details?.['model'];
  return {
    model: typeof model === 'string' ? modelName(model) : 'unknown',
    step: stepOf(invocation),
  };
};

/** Tenant and workflow of the root, as its id says them. */
const rootOf = (run: string): { root: string; tenant: string; workflow: string } => {
  const [root] = run.split('~') as [string];
  const parts = root.split('.');
  const [tenant, workflow] =
    parts.length === 2 ? ['default', parts[0]!] : (parts as [string, string]);
  return { root, tenant, workflow };
};

const keysOf = (event: ProjectedEvent): readonly string[] | undefined => {
  const call = callOf(event);
  if (call === undefined) return undefined;
  const { tenant, workflow } = rootOf(event.run);
  const rest = `${call.step}\n${call.model}\n${event.at.slice(0, 10)}`;
  return [`${event.run}\n${rest}`, `\n${tenant}\n${workflow}\n${rest}`];
};

const placeOf = (key: string): Omit<ColumnValues<typeof columns>, keyof Usage> => {
  const parts = key.split('\n');
  const [step, model, day] = parts.slice(-3) as [string, string, string];
  const [run = '', ...of] = parts;
  if (run === '') {
    const [tenant = '', workflow = ''] = of;
    return { run: null, root: ofAllRuns, tenant, workflow, step, model, day };
  }
  const { root, tenant, workflow } = rootOf(run);
  return { run, root, tenant, workflow, step, model, day };
};

/** Field by field: a row for each call is written, and a spread of this many takes longer than all the rest of it. */
const rowOf = (usage: Usage, key: string): ColumnValues<typeof columns> => {
  const { run, root, tenant, workflow, step, model, day } = placeOf(key);
  return {
    run,
    root,
    tenant,
    workflow,
    step,
    model,
    day,
    calls: usage.calls,
    errors: usage.errors,
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    cacheReadTokens: usage.cacheReadTokens,
    cacheWriteTokens: usage.cacheWriteTokens,
    nanoUsd: usage.nanoUsd,
    unpriced: usage.unpriced,
    latencyMs: usage.latencyMs,
    latencyMsMax: usage.latencyMsMax,
  };
};

export const modelUsage = defineProjection({
  name: 'model-usage',
  version: 1,
  types: ['ModelReplied', 'StepAttemptFailed', 'StepFailed', 'RunPaused'],
  key: keysOf,
  context: Usage,
  store,
  columns,
  indexes,
  fixed: ['run', 'root', 'tenant', 'workflow', 'step', 'model', 'day'],
  row: rowOf,
  queries: usageQueries,
});
