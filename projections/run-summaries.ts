/**
 * The fold behind lists, counts and recovery: one summary a run.
 *
 * 1. At any event the status, `busy` and the due time are those that the run itself has there.
 * 2. A fact that the machine does not take changes no books: the quarantine after it puts back what it took out, and
 *    what comes in a quarantine is only noted. A resume takes all of it.
 * 3. Inputs and outputs are kept as excerpts only; those that lie outside the journal are left out, never fetched.
 * 4. Where each run comes by, a new key stands before what is spread: added behind a spread it costs ten times as much
 *    on Node 20, and what it points to is collected late.
 */
import { createStore } from '@xstate/store';
import {
  defineProjection,
  isPayloadReference,
  projectedEvents,
  type ErrorDocument,
  type PayloadReference,
} from 'ecl';
import { putBack, takeAll, takeFrom, takeOut, together, type Moved } from './run-books.ts';
import { columns, fixed, indexes, rowOf, runQueries } from './run-queries.ts';
import { blank, excerptOf, Summary, type Counts } from './run-summary.ts';

interface Place {
  readonly at: string;
  readonly revision: number;
}

interface OfStep extends Place {
  readonly data: { readonly invocation: string };
}

/** What every event changes, and what this one changes beside. */
const seen = (run: Summary, { at, revision }: Place, changes?: Partial<Summary>): Summary => {
  // Named one by one: a spread of this size costs several times as much on Node 20, at every event of every run.
  const next: Summary = {
    identity: run.identity,
    updatedAt: at,
    revision,
    state: run.state,
    stateSince: run.stateSince,
    tags: run.tags,
    accepts: run.accepts,
    paused: run.paused,
    quarantined: run.quarantined,
    end: run.end,
    books: run.books,
    taken: undefined,
    pending: run.pending,
    counts: run.counts,
    usage: run.usage,
  };
  return changes === undefined ? next : Object.assign(next, changes);
};

const textOf = (error: ErrorDocument | PayloadReference): string =>
  isPayloadReference(error) ? 'the error is too long to show here' : error.message;

const reasonOf = (reason: string | PayloadReference): string =>
  isPayloadReference(reason) ? 'the reason is too long to show here' : reason;

const excerptIn = (value: unknown): string => (isPayloadReference(value) ? '' : excerptOf(value));

const counted = (counts: Counts, name: keyof Counts): Counts => ({
  ...counts,
  [name]: counts[name] + 1,
});

/** A fact for the machine: one that is quarantined does not take it, so the books stay as they are. */
const taken = (run: Summary, moved: Moved): Partial<Summary> =>
  run.quarantined === undefined || run.end !== undefined
    ? moved
    : { pending: together(run.pending, moved.taken) };

const stepEnded = (run: Summary, event: OfStep): Summary =>
  seen(run, event, {
    counts: counted(run.counts, 'attempts'),
    ...taken(run, takeFrom(run.books, 'steps', event.data.invocation)),
  });

const childEnded = (run: Summary, event: Place & { data: { run: string } }): Summary => {
  const { run: child } = event.data;
  // The machine hears nothing of a child that it has left.
  const left = takeOut(run.books, 'leaving', child);
  if (left.taken !== undefined) return seen(run, event, left);
  return seen(run, event, taken(run, takeOut(run.books, 'children', child)));
};

/** An end takes steps and timers with it; children and signals are still to be looked after. */
const ended = (run: Summary, event: Place, end: Omit<NonNullable<Summary['end']>, 'at'>): Summary =>
  seen(run, event, {
    end: { at: event.at, ...end },
    paused: undefined,
    quarantined: undefined,
    pending: undefined,
    accepts: [],
    books: { ...run.books, steps: {}, timers: {}, relays: {} },
  });

const store = createStore({
  schemas: { context: Summary, events: projectedEvents },
  context: blank,
  on: {
    RunStarted: (run, event) => {
      const { data, at } = event;
      return seen(run, event, {
        identity: {
          tenant: data.tenant,
          workflow: data.workflow,
          version: data.version,
          structure: data.structure,
          module: data.module,
          parent: data.parent?.run,
          depth: data.depth,
          startedAt: at,
          input: excerptIn(data.input),
        },
      });
    },
    StateChanged: (run, event) => {
      const { to, tags, accepts = [] } = event.data;
      return seen(run, event, {
        state: isPayloadReference(to) ? null : to,
        stateSince: event.at,
        tags: isPayloadReference(tags) ? [] : tags,
        accepts: isPayloadReference(accepts) ? ['*'] : accepts,
      });
    },
    SignalReceived: (run, event) => seen(run, event, { counts: counted(run.counts, 'signals') }),

    StepScheduled: (run, event) =>
      seen(run, event, {
        books: { ...run.books, steps: { [event.data.invocation]: null, ...run.books.steps } },
        counts: counted(run.counts, 'steps'),
      }),
    StepAttemptStarted: (run, event) => seen(run, event),
    StepAttemptFailed: (run, event) => {
      const { books } = run;
      const { invocation, retryAt } = event.data;
      const isOpen = Object.hasOwn(books.steps, invocation);
      return seen(run, event, {
        books: isOpen ? { ...books, steps: { ...books.steps, [invocation]: retryAt } } : books,
        counts: counted(run.counts, 'attempts'),
      });
    },
    StepSucceeded: stepEnded,
    StepFailed: stepEnded,
    StepInterrupted: stepEnded,
    StepCancelled: (run, event) =>
      seen(run, event, takeFrom(run.books, 'steps', event.data.invocation)),
    ModelReplied: (run, event) => {
      const { usage, cost } = event.data;
      const before = run.usage;
      return seen(run, event, {
        usage: {
          modelCalls: before.modelCalls + 1,
          inputTokens: before.inputTokens + (usage?.inputTokens ?? 0),
          outputTokens: before.outputTokens + (usage?.outputTokens ?? 0),
          usd: before.usd + ('usd' in cost ? cost.usd : 0),
          unpriced: before.unpriced + ('usd' in cost ? 0 : 1),
        },
      });
    },
    ValueRecorded: (run, event) => seen(run, event),
    ArtifactStored: (run, event) => seen(run, event),

    TimerSet: (run, event) => {
      const { id, dueAt, to } = event.data;
      const { books } = takeFrom(run.books, to === undefined ? 'relays' : 'timers', id);
      const name = to === undefined ? 'timers' : 'relays';
      return seen(run, event, { books: { ...books, [name]: { ...books[name], [id]: dueAt } } });
    },
    TimerFired: (run, event) => {
      const relay = takeFrom(run.books, 'relays', event.data.id);
      if (relay.taken !== undefined) return seen(run, event, relay);
      return seen(run, event, taken(run, takeFrom(run.books, 'timers', event.data.id)));
    },
    TimerCancelled: (run, event) => {
      const { books } = takeFrom(run.books, 'relays', event.data.id);
      return seen(run, event, takeFrom(books, 'timers', event.data.id));
    },

    ChildSpawned: (run, event) =>
      seen(run, event, {
        books: { ...run.books, children: [...run.books.children, event.data.run] },
        counts: counted(run.counts, 'children'),
      }),
    ChildCancelled: (run, event) => {
      const { books, taken: left } = takeOut(run.books, 'children', event.data.run);
      if (left === undefined) return seen(run, event);
      return seen(run, event, {
        books: { ...books, leaving: [...books.leaving, event.data.run] },
      });
    },
    ChildCompleted: childEnded,
    ChildFailed: childEnded,

    SignalSent: (run, event) =>
      seen(run, event, {
        books: { ...run.books, signals: [...run.books.signals, event.data.id] },
      }),
    SignalDelivered: (run, event) => seen(run, event, takeOut(run.books, 'signals', event.data.id)),
    EventEmitted: (run, event) => seen(run, event),

    CancelRequested: (run, event) => seen(run, event),
    RunPaused: (run, event) => {
      const { error, reason } = event.data;
      return seen(run, event, { paused: error === undefined ? reasonOf(reason) : textOf(error) });
    },
    RunResumed: (run, event) =>
      seen(run, event, {
        books: run.pending === undefined ? run.books : takeAll(run.books, run.pending),
        taken: { ...run.pending, paused: run.paused },
        pending: undefined,
        paused: undefined,
        quarantined: undefined,
      }),
    RunQuarantined: (run, event) => {
      const { pending, reason } = event.data;
      const quarantined = reasonOf(reason);
      if (!pending) return seen(run, event, { quarantined });
      const untaken = run.taken ?? {};
      return seen(run, event, {
        quarantined,
        books: putBack(run.books, untaken),
        paused: untaken.paused ?? run.paused,
        pending: together(run.pending, untaken),
      });
    },

    RunCompleted: (run, event) =>
      ended(run, event, { status: 'completed', output: excerptIn(event.data.output) }),
    RunFailed: (run, event) =>
      ended(run, event, { status: 'failed', error: textOf(event.data.error) }),
    RunCancelled: (run, event) =>
      ended(run, event, { status: 'cancelled', error: reasonOf(event.data.reason) }),
  },
});

export const runSummaries = defineProjection({
  name: 'run-summaries',
  version: 2,
  key: ({ run }) => run,
  first: 'RunStarted',
  context: Summary,
  store,
  columns,
  indexes,
  fixed,
  row: rowOf,
  queries: runQueries,
});
