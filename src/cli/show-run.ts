/** Shows a run once, or anew whenever something happened to it, until it is over; each batch of events is one new picture. */
import type { Context } from './context.ts';
import { withRuns } from './open-runs.ts';
import type { OpenedRuns, Runs } from './runs.ts';
import type { Terminal } from './terminal.ts';

const lookMs = 250;

export interface ShownRun {
  readonly id: string;
  readonly isWatched: boolean;
}

/** @param show shows the run, and says whether it is over */
export const showRun = (
  context: Context,
  { id, isWatched }: ShownRun,
  show: (opened: OpenedRuns) => Promise<boolean>,
): Promise<number> =>
  withRuns(context, { access: 'read' }, async (opened) => {
    if (isWatched) await watch(context.terminal, { runs: opened.runs, id }, () => show(opened));
    else await show(opened);
    return 0;
  });

const watch = async (
  terminal: Terminal,
  { runs, id }: { readonly runs: Runs; readonly id: string },
  show: () => Promise<boolean>,
): Promise<void> => {
  let seen = await runs.revisionOf(id);
  let isOver = await show();
  while (!isOver && !terminal.isClosed) {
    await new Promise((resolve) => setTimeout(resolve, lookMs));
    const last = await runs.revisionOf(id);
    if (last === seen) continue;
    seen = last;
    terminal.anew();
    isOver = await show();
  }
};
