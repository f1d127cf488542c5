/** What tests of the projector share: a store with a journal or two, a small projection, eyes on the log and the rows. */
import { createStore } from '@xstate/store';
import { defineProjection, projectedEvents, type Projection } from 'ecl';
import pino from 'pino';
import { afterEach } from 'vitest';
import { z } from 'zod';
import { createMemoryEventStore } from '../../src/adapters/memory/event-store.ts';
import { createMemoryReadStore } from '../../src/adapters/memory/read-store.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { journalStream } from '../../src/core/ids.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import type { ReadStore, Row } from '../../src/ports/read-store.ts';
import { Projector } from '../../src/runtime/projector.ts';

/** Counts the signals of each run, and keeps the last one. */
export const signalCounts = (version = 1, step = 1) =>
  defineProjection({
    name: 'signal-counts',
    version,
    types: ['SignalReceived'],
    key: ({ run }) => (run.includes('ignored') ? undefined : run),
    context: z.object({ count: z.number(), last: z.string() }),
    store: createStore({
      schemas: { events: projectedEvents },
      context: { count: 0, last: '' },
      on: {
        SignalReceived: ({ count }, { data }) => {
          if (data.id === 'refused') throw new Error('the projection does not like it');
          return { count: count + step, last: data.id };
        },
      },
    }),
    columns: { count: 'integer' },
    row: ({ count }) => ({ count }),
    queries: (rows) => ({
      of: (run: string) => rows.get(run)?.context.count,
      last: (run: string) => rows.get(run)?.context.last,
      all: () => rows.query().map(({ key, columns }) => [key, columns.count] as const),
      size: () => rows.count(),
    }),
  });

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [name: string]: unknown;
}

export const silentLogger = () => {
  const lines: LogLine[] = [];
  const logger = pino(
    { level: 'debug' },
    { write: (line: string) => lines.push(JSON.parse(line) as LogLine) },
  );
  return { lines, logger };
};

let ids = 0;
const uuid = (): string => `00000000-0000-4000-8000-${String((ids += 1)).padStart(12, '0')}`;

export interface Stored {
  readonly type?: string;
  readonly data?: unknown;
  /** In place of `data`. */
  readonly text?: string;
  readonly metadata?: Record<string, unknown>;
}

/** Appends to a run's journal; a signal where nothing else is said. */
export const append = async (
  store: EventStore,
  run: string,
  ...events: (Stored | string)[]
): Promise<bigint> => {
  const { position } = await store.append({
    stream: journalStream(run),
    expectedRevision: 'any',
    events: events.map((event) => {
      const { type, data, text, metadata } = typeof event === 'string' ? signal(event) : event;
      return {
        id: uuid(),
        type: type ?? 'SignalReceived',
        data: text ?? JSON.stringify(data),
        metadata: { at: '2026-01-01T00:00:00.000Z', schema: 1, ...metadata },
      };
    }),
  });
  return position;
};

const signal = (id: string): Stored => ({ data: { id, event: { type: 'go' } } });

const opened: Projector[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((projector) => projector.close()));
});

/** A projector that is closed after the test. */
export const project = (options: {
  readonly store?: EventStore;
  readonly reads?: ReadStore;
  readonly projections: readonly Projection<unknown>[];
  readonly onDemand?: readonly Projection<unknown>[];
}) => {
  const store = options.store ?? createMemoryEventStore();
  const reads = options.reads ?? createMemoryReadStore();
  const { lines, logger } = silentLogger();
  const { projections, onDemand = [] } = options;
  const clock = createSystemClock();
  const projector = new Projector({ store, reads, projections, onDemand, clock, logger });
  opened.push(projector);
  return { projector, store, reads, lines, logger };
};

/** A read store whose commits and look-ups are counted, or refused. */
export const watched = (reads: ReadStore) => {
  const commits: Row[][] = [];
  const lookUps: string[][] = [];
  const before: { commit?: () => void } = {};
  const watchedReads: ReadStore = {
    open: (definition) => {
      const model = reads.open(definition);
      return {
        checkpoint: () => model.checkpoint(),
        get: (key) => model.get(key),
        bodies: (keys) => {
          lookUps.push([...keys]);
          return model.bodies(keys);
        },
        query: (query) => model.query(query),
        count: (where) => model.count(where),
        totals: (query) => model.totals(query),
        reset: () => model.reset(),
        commit: (change) => {
          before.commit?.();
          commits.push([...change.rows]);
          return model.commit(change);
        },
      };
    },
    older: (definition) => reads.older(definition),
    close: () => reads.close(),
  };
  return { reads: watchedReads, commits, lookUps, before };
};
