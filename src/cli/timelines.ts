/** Timelines of a run and of the runs below it, read whole. */
import type { TimelineEntry } from '../ports/status-queries.ts';
import type { Runs } from './runs.ts';

/** Entries that are read of one run; a person reads no more, and a program pages. */
const entriesMax = 20_000;
const pageEntries = 1_000;
/** Runs below a run that are read with it. */
const runsMax = 200;

const wholeTimeline = async (runs: Runs, run: string): Promise<TimelineEntry[]> => {
  const entries: TimelineEntry[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await runs.timeline(run, {
      limit: pageEntries,
      ...(cursor === undefined ? {} : { cursor }),
    });
    entries.push(...page.items);
    cursor = page.nextCursor;
    if (cursor === undefined || entries.length >= entriesMax) return entries;
  }
};

/** Entries by run: those of the run itself first, then those of the runs below it. */
export type Timelines = ReadonlyMap<string, readonly TimelineEntry[]>;

/** @throws EclError `run.not-found`, `id.invalid` */
export const timelinesOf = async (
  runs: Runs,
  run: string,
  options: { readonly children: boolean },
): Promise<Timelines> => {
  const found = new Map<string, readonly TimelineEntry[]>();
  const waiting = [run];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const entries = await wholeTimeline(runs, next);
    found.set(next, entries);
    if (!options.children || found.size + waiting.length >= runsMax) continue;
    for (const { kind, to } of entries) if (kind === 'child' && to !== undefined) waiting.push(to);
  }
  return found;
};
