/**
 * The fold behind lists, counts and recovery: one summary a run.
 *
 * 1. At any event the status, `busy` and the due time are those that the run itself has there.
 * 2. A fact that the machine could not take changes no books: the quarantine after it puts back what it took out, and
 *    a resume takes it again.
 * 3. Inputs and outputs are kept as excerpts only; those that lie outside the journal are left out, never fetched.
 */
import { createStore } from '@xstate/store';
import {
  defineProjection,
  isPayloadReference,
  projectedEvents,
  type ErrorDocument,
  type PayloadReference,
} from 'ecl';
import { columns, indexes, rowOf, runQueries } from './run-queries.ts';
import { blank, excerptOf, Summary, type Counts, type Taken } from './run-summary.ts';

interface Place {
  readonly at: string;
  readonly revision: number;
}

/** What every event changes. */
const seen = (run: Summary, { at, revision }: Place): Summary => ({
  ...run,
  updatedAt: at,
  revision,
  taken: undefined,
});

const textOf = (error: ErrorDocument | PayloadReference): string =>
  isPayloadReference(error) ? 'the error is too long to show here' : error.message;

const reasonOf = (reason: string | PayloadReference): string =>
  isPayloadReference(reason) ? 'the reason is too long to show here' : reason;

const without = <Value>(entries: Record<string, Value>, id: string): Record<string, Value> => {
  const { [id]: _, ...others } = entries;
  return others;
};

const counted = (counts: Counts, name: keyof Counts): Counts => ({
  ...counts,
  [name]: counts[name] + 1,
});

/** Takes entries out of the books, as far as they are there, and remembers them. */
const take = (run: Summary, out: Taken): Summary => {
  let { books } = run;
  const taken: { -readonly [Name in keyof Taken]: Taken[Name] } = {};
  for (const id in out.steps) {
    if (!Object.hasOwn(books.steps, id)) continue;
    taken.steps = { ...taken.steps, [id]: books.steps[id]! };
    books = { ...books, steps: without(books.steps, id) };
  }
  for (const id in out.timers) {
    if (!Object.hasOwn(books.timers, id)) continue;
    taken.timers = { ...taken.timers, [id]: books.timers[id]! };
    books = { ...books, timers: without(books.timers, id) };
  }
  for (const name of ['children', 'signals'] as const) {
    const gone = out[name]?.filter((id) => books[name].includes(id)) ?? [];
    if (gone.length === 0) continue;
    taken[name] = gone;
    books = { ...books, [name]: books[name].filter((id) => !gone.includes(id)) };
  }
  return { ...run, books, taken };
};

/** Undoes `take`. */
const putBack = (run: Summary, taken: Taken | undefined): Summary => {
  if (taken === undefined) return run;
  const { books } = run;
  return {
    ...run,
    books: {
      steps: { ...books.steps, ...taken.steps },
      timers: { ...books.timers, ...taken.timers },
      children: [...books.children, ...(taken.children ?? [])],
      signals: [...books.signals, ...(taken.signals ?? [])],
    },
    paused: taken.paused ?? run.paused,
  };
};

const settled = (run: Summary, event: Place & { data: { invocation: string } }): Summary =>
  take(seen(run, event), { steps: { [event.data.invocation]: null } });

const attempted = (run: Summary, event: Place & { data: { invocation: string } }): Summary => ({
  ...settled(run, event),
  counts: counted(run.counts, 'attempts'),
});

const ended = (run: Summary, event: Place, ending: Summary['ending']): Summary => ({
  ...seen(run, event),
  ending,
  endedAt: event.at,
  paused: undefined,
  quarantined: undefined,
  pending: undefined,
  accepts: [],
  books: { ...run.books, steps: {}, timers: {} },
});

const store = createStore({
  schemas: { context: Summary, events: projectedEvents },
  context: blank,
  on: {
    RunStarted: (run, event) => ({
      ...seen(run, event),
      tenant: event.data.tenant,
      workflow: event.data.workflow,
      version: event.data.version,
      structure: event.data.structure,
      module: event.data.module,
      parent: event.data.parent?.run,
      depth: event.data.depth,
      startedAt: event.at,
      input: isPayloadReference(event.data.input) ? '' : excerptOf(event.data.input),
    }),
    StateChanged: (run, event) => {
      const { to, accepts = [] } = event.data;
      return {
        ...seen(run, event),
        state: isPayloadReference(to) ? null : to,
        accepts: isPayloadReference(accepts) ? ['*'] : accepts,
      };
    },
    SignalReceived: (run, event) => ({
      ...seen(run, event),
      counts: counted(run.counts, 'signals'),
    }),

    StepScheduled: (run, event) => ({
      ...seen(run, event),
      books: { ...run.books, steps: { ...run.books.steps, [event.data.invocation]: null } },
      counts: counted(run.counts, 'steps'),
    }),
    StepAttemptStarted: seen,
    StepAttemptFailed: (run, event) => {
      const { invocation, retryAt } = event.data;
      const { books } = run;
      const isOpen = Object.hasOwn(books.steps, invocation);
      return {
        ...seen(run, event),
        books: isOpen ? { ...books, steps: { ...books.steps, [invocation]: retryAt } } : books,
        counts: counted(run.counts, 'attempts'),
      };
    },
    StepSucceeded: attempted,
    StepFailed: attempted,
    StepInterrupted: attempted,
    StepCancelled: settled,
    ModelReplied: (run, event) => {
      const { usage, cost } = event.data;
      const { counts } = run;
      return {
        ...seen(run, event),
        counts: {
          ...counts,
          modelCalls: counts.modelCalls + 1,
          inputTokens: counts.inputTokens + (usage?.inputTokens ?? 0),
          outputTokens: counts.outputTokens + (usage?.outputTokens ?? 0),
          usd: counts.usd + ('usd' in cost ? cost.usd : 0),
          unpriced: counts.unpriced + ('usd' in cost ? 0 : 1),
        },
      };
    },
    ValueRecorded: seen,
    ArtifactStored: seen,

    TimerSet: (run, event) => ({
      ...seen(run, event),
      books: { ...run.books, timers: { ...run.books.timers, [event.data.id]: event.data.dueAt } },
    }),
    TimerFired: (run, event) => take(seen(run, event), { timers: { [event.data.id]: 0 } }),
    TimerCancelled: (run, event) => take(seen(run, event), { timers: { [event.data.id]: 0 } }),

    ChildSpawned: (run, event) => ({
      ...seen(run, event),
      books: { ...run.books, children: [...run.books.children, event.data.run] },
      counts: counted(run.counts, 'children'),
    }),
    ChildCancelled: seen,
    ChildCompleted: (run, event) => take(seen(run, event), { children: [event.data.run] }),
    ChildFailed: (run, event) => take(seen(run, event), { children: [event.data.run] }),

    SignalSent: (run, event) => ({
      ...seen(run, event),
      books: { ...run.books, signals: [...run.books.signals, event.data.id] },
    }),
    SignalDelivered: (run, event) => take(seen(run, event), { signals: [event.data.id] }),
    EventEmitted: seen,

    CancelRequested: seen,
    RunPaused: (run, event) => {
      const { error, reason } = event.data;
      return {
        ...seen(run, event),
        paused: error === undefined ? reasonOf(reason) : textOf(error),
      };
    },
    RunResumed: (run, event) => {
      const again = take(seen(run, event), run.pending ?? {});
      return {
        ...again,
        taken: { ...again.taken, paused: run.paused },
        pending: undefined,
        paused: undefined,
        quarantined: undefined,
      };
    },
    RunQuarantined: (run, event) => {
      const { pending: isPending, reason } = event.data;
      const before = isPending ? putBack(run, run.taken) : run;
      return {
        ...seen(before, event),
        quarantined: reasonOf(reason),
        pending: isPending ? (run.pending ?? run.taken ?? {}) : undefined,
      };
    },

    RunCompleted: (run, event) => ({
      ...ended(run, event, 'completed'),
      output: isPayloadReference(event.data.output) ? '' : excerptOf(event.data.output),
    }),
    RunFailed: (run, event) => ({
      ...ended(run, event, 'failed'),
      error: textOf(event.data.error),
    }),
    RunCancelled: (run, event) => ({
      ...ended(run, event, 'cancelled'),
      error: reasonOf(event.data.reason),
    }),
  },
});

export const runSummaries = defineProjection({
  name: 'run-summaries',
  version: 1,
  key: ({ run }) => run,
  context: Summary,
  store,
  columns,
  indexes,
  row: rowOf,
  queries: runQueries,
});
