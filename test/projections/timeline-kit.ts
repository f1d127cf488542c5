/** Journals for tests of timelines: events one after the other, a second apart, folded by the real fold. */
import pino from 'pino';
import { runTimeline } from '../../projections/index.ts';
import { createMemoryReadStore } from '../../src/adapters/memory/read-store.ts';
import type { JournalData, JournalEventType } from '../../src/core/journal-events.ts';
import type { TimelineEntry } from '../../src/ports/status-queries.ts';
import type { ProjectedEvent } from '../../src/runtime/projected-event.ts';
import { ProjectionFold } from '../../src/runtime/projection-fold.ts';

export const startedAt = Date.parse('2026-01-01T00:00:00.000Z');

/** The instant of an event, in seconds after the start. */
export const at = (second: number): string => new Date(startedAt + second * 1_000).toISOString();

export interface Written {
  readonly type: JournalEventType;
  readonly data: unknown;
  readonly writer?: string;
}

export const event = <Type extends JournalEventType>(
  type: Type,
  data: JournalData<Type>,
  writer = 'p1',
): Written => ({ type, data, writer });

export const started = event('RunStarted', {
  workflow: 'flow',
  version: '1.0.0',
  structure: 'f00',
  tenant: 'default',
  inputHash: '',
  depth: 0,
});

export const inState = (to: string, accepts: string[] = []): Written =>
  event('StateChanged', { from: null, to, tags: [], contextHash: '', accepts });

export const scheduled = (invocation: string, round?: number): Written =>
  event('StepScheduled', {
    invocation,
    name: invocation.split('#')[0]!,
    actor: 'a',
    input: round === undefined ? { topic: 'x' } : { $round: { round }, input: { topic: 'x' } },
  });

export const succeeded = (invocation: string, output: unknown = {}, attempt = 1): Written =>
  event('StepSucceeded', { invocation, attempt, output });

/** Event n is of revision n and of second n. */
export const projected = (run: string, written: readonly Written[]): ProjectedEvent[] =>
  written.map(
    ({ type, data, writer = 'p1' }, revision) =>
      ({
        type,
        data,
        run,
        revision,
        position: BigInt(revision + 1),
        at: at(revision),
        writer,
      }) as ProjectedEvent,
  );

export const foldAll = (events: readonly ProjectedEvent[]) => {
  const reads = createMemoryReadStore();
  const fold = new ProjectionFold(runTimeline, reads, pino({ level: 'silent' }));
  fold.restart();
  for (const each of events) fold.take(each);
  fold.commit();
  return { queries: runTimeline.queries(fold.rows), rows: fold.rows };
};

/** The whole timeline of a run. */
export const timelineOf = (...written: readonly Written[]): readonly TimelineEntry[] =>
  foldAll(projected('flow.a', written)).queries.timeline('flow.a', { limit: 1_000 }).items;

/** The entries of a kind, with what the test is about. */
export const pick = (
  entries: readonly TimelineEntry[],
  kind: TimelineEntry['kind'],
  ...names: readonly (keyof TimelineEntry)[]
): unknown[] =>
  entries.filter((entry) => entry.kind === kind).map((entry) => names.map((name) => entry[name]));
