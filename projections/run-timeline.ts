/**
 * The fold behind timelines: of every event of a run a mark, 64 marks a row.
 *
 * 1. A row holds the marks of 64 revisions, so a row is written as often for a run of a thousand steps as for a short one,
 *    and no event looks at more than its own row.
 * 2. What belongs together (a step with its attempts, calls and end; a timer with its firing) is paired when it is read.
 */
import { createStore } from '@xstate/store';
import { defineProjection, projectedEvents, type ProjectedEvent } from 'ecl';
import { z } from 'zod';
import { marksWith, StoredMark } from './run-marks.ts';
import { columns, marksPerRow, rowOf, timelineQueries } from './timeline-queries.ts';

const Marks = z.object({
  marks: z.array(StoredMark),
  /** The revision after the last one. */
  next: z.number().optional(),
});
type Marks = z.infer<typeof Marks>;

const add = ({ marks, next }: Marks, event: ProjectedEvent): Marks => ({
  marks: marksWith(event, marks, next),
  next: event.revision + 1,
});

const types = Object.keys(projectedEvents) as ProjectedEvent['type'][];

const noMarks: Marks = { marks: [], next: undefined };

const store = createStore({
  schemas: { events: projectedEvents },
  context: noMarks,
  on: Object.fromEntries(types.map((type) => [type, add])),
});

export const runTimeline = defineProjection({
  name: 'run-timeline',
  version: 1,
  key: rowOf,
  first: ({ revision }) => revision % marksPerRow === 0,
  context: Marks,
  store,
  columns,
  row: ({ marks }) => ({ marks: marks.length }),
  queries: timelineQueries,
});
