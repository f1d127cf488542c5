import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runSummaries } from '../../projections/index.ts';
import { noBooks } from '../../projections/run-books.ts';
import {
  dueAtOf,
  errorOf,
  isBusy,
  isOwing,
  statusOf,
  waitingForOf,
  type Summary,
} from '../../projections/run-summary.ts';
import { isBusy as isStateBusy } from '../../src/core/effects.ts';
import { runStatus, waitingFor } from '../../src/core/run-status.ts';
import type { RunState } from '../../src/core/run-state.ts';
import type { RecordedEvent } from '../../src/ports/event-store.ts';
import { nextDueAt } from '../../src/runtime/phases/passivate.ts';
import { projectedEvent } from '../../src/runtime/projected-event.ts';
import type { FoldSnapshot } from '../../src/runtime/projection.ts';
import { RandomRun, type Choice } from './random-run.ts';

const choices = fc.array(fc.record({ kind: fc.nat(11), pick: fc.nat(100_000) }), {
  minLength: 5,
  maxLength: 60,
});

const fold = (snapshot: FoldSnapshot<unknown>, events: readonly RecordedEvent[]) =>
  events.reduce((next, event) => runSummaries.next(next, projectedEvent(event)!), snapshot);

/** As it comes back from a read store. */
const kept = (snapshot: FoldSnapshot<unknown>): FoldSnapshot<unknown> =>
  runSummaries.fromBody(runSummaries.toRow('office.k', snapshot).body);

const fromRow = (run: Summary) => ({
  status: statusOf(run),
  isBusy: isBusy(run),
  dueAt: dueAtOf(run),
  isOwing: isOwing(run),
  waitingFor: waitingForOf(run),
  error: errorOf(run),
  state: run.state,
  revision: run.revision,
  updatedAt: run.updatedAt,
  endedAt: run.end?.at,
  usage: [run.usage.modelCalls, run.usage.inputTokens, run.usage.usd, run.usage.unpriced],
  open: [
    Object.keys(run.books.steps).toSorted(),
    [...Object.keys(run.books.timers), ...Object.keys(run.books.relays)].toSorted(),
    [...run.books.children, ...run.books.leaving].toSorted(),
    run.books.signals.toSorted(),
  ],
});

const fromState = (state: RunState): ReturnType<typeof fromRow> => {
  const { pause, quarantine, usage } = state;
  const dueAt = nextDueAt(state);
  return {
    status: runStatus(state),
    isBusy: isStateBusy(state),
    dueAt,
    isOwing: quarantine === undefined && (isStateBusy(state) || dueAt !== undefined),
    waitingFor: waitingFor(state).flatMap(({ event }) => (event === 'timer' ? [] : [event])),
    error: state.error?.message ?? quarantine?.reason ?? pause?.error?.message ?? pause?.reason,
    state: state.snapshot.value as string,
    revision: state.revision,
    updatedAt: state.updatedAt,
    endedAt: state.endedAt,
    usage: [usage.calls, usage.inputTokens, usage.usd, usage.unpriced],
    open: [
      [...state.steps.keys()].toSorted(),
      [...state.timers.keys()].toSorted(),
      [...state.children.keys()].toSorted(),
      [...state.outbox.keys()].toSorted(),
    ],
  };
};

/** A run whose row is compared with it after each decision. */
class Compared {
  readonly run = new RandomRun();
  #snapshot = fold(runSummaries.initial, this.run.events);

  get row(): Summary {
    return this.#snapshot.context as Summary;
  }

  seen(events: readonly RecordedEvent[]): void {
    this.#snapshot = kept(fold(this.#snapshot, events));
    expect(fromRow(this.row)).toEqual(fromState(this.run.state));
  }

  signal(type: string): void {
    const id = `s${this.run.events.length}`;
    this.seen(this.run.take({ type: 'SignalReceived', data: { id, event: { type } } }));
  }
}

const drive = (steps: readonly Choice[], seen: (run: RandomRun, row: Summary) => void): void => {
  const run = new RandomRun();
  let snapshot = fold(runSummaries.initial, run.events);
  seen(run, snapshot.context as Summary);
  for (const choice of steps) {
    snapshot = fold(choice.pick % 2 === 0 ? kept(snapshot) : snapshot, run.next(choice));
    seen(run, snapshot.context as Summary);
  }
};

describe('the summary of a run', () => {
  test('says what the run itself says, after every decision of any journal', () => {
    const statuses = new Set<string>();
    fc.assert(
      fc.property(choices, (steps) => {
        drive(steps, (run, row) => {
          statuses.add(statusOf(row));
          expect(fromRow(row)).toEqual(fromState(run.state));
        });
      }),
      { numRuns: 1_500 },
    );
    expect([...statuses].toSorted()).toEqual(
      [
        'cancelled',
        'completed',
        'failed',
        'paused',
        'quarantined',
        'running',
        'waiting',
      ].toSorted(),
    );
  });

  test('keeps what a quarantine holds back until a resume takes all of it', () => {
    const compared = new Compared();
    const { run } = compared;
    compared.signal('work');
    const [timer] = run.state.timers.keys();
    compared.seen(run.takeInTrap({ type: 'TimerFired', data: { id: timer! } }));
    const [invocation] = run.state.steps.keys();
    const data = { invocation: invocation!, attempt: 1 };
    compared.seen(run.take({ type: 'StepSucceeded', data }));
    expect(compared.row.books).toMatchObject({
      steps: { [invocation!]: null },
      timers: { [timer!]: expect.any(Number) as number },
    });
    compared.seen(run.takeInTrap({ type: 'RunResumed', data: {} }));
    expect(statusOf(compared.row)).toBe('quarantined');
    compared.seen(run.take({ type: 'RunResumed', data: {} }));
    expect([statusOf(compared.row), compared.row.state]).toEqual(['waiting', 'idle']);
    expect(compared.row.books).toEqual(noBooks);
  });

  test('hears of the end of a child that was left, also in a quarantine', () => {
    const compared = new Compared();
    const { run } = compared;
    compared.signal('adopt');
    const [child] = run.state.children.keys();
    compared.signal('leave');
    const data = { revision: run.state.revision, reason: 'it diverges', pending: false };
    compared.seen(run.take({ type: 'RunQuarantined', data }));
    expect(isBusy(compared.row)).toBe(true);
    compared.seen(run.take({ type: 'ChildCompleted', data: { run: child! } }));
    expect([compared.row.books.children, compared.row.books.leaving]).toEqual([[], []]);
  });

  test('counts a child once whose end is told twice in a quarantine that a resume does not lift', () => {
    const compared = new Compared();
    const { run } = compared;
    compared.signal('adopt');
    const [child] = run.state.children.keys();
    const data = { revision: run.state.revision, reason: 'it diverges', pending: false };
    compared.seen(run.take({ type: 'RunQuarantined', data }));
    compared.seen(run.take({ type: 'ChildCompleted', data: { run: child! } }));
    compared.seen(run.take({ type: 'ChildCompleted', data: { run: child! } }));
    compared.seen(run.takeInTrap({ type: 'RunResumed', data: {} }));
    expect(compared.row.books.children).toEqual([child]);
  });

  test('has the beginning of the input and the output to search in, and where it came from', () => {
    const compared = new Compared();
    compared.signal('wait');
    compared.signal('approved');
    const { key, columns } = runSummaries.toRow('office.k', { context: compared.row });
    expect([key, columns]).toEqual([
      'office.k',
      {
        status: 'completed',
        workflow: 'office',
        tenant: 'default',
        parent: null,
        startedAt: Date.UTC(2026, 0, 1),
        owing: null,
        busy: 0,
        dueAt: null,
        waitingSince: null,
        tags: '',
        search: 'the sea 12 ',
      },
    ]);
  });
});
