/** Shows a run anew whenever something happened to it, until it is over; each batch of events is one new picture. */
import type { Runs } from './runs.ts';
import type { Terminal } from './terminal.ts';

const lookMs = 250;

/** @param show shows the run, and says whether it is over */
export const watchRun = async (
  terminal: Terminal,
  { runs, run }: { readonly runs: Runs; readonly run: string },
  show: () => Promise<boolean>,
): Promise<void> => {
  let seen = await runs.revisionOf(run);
  let isOver = await show();
  while (!isOver && !terminal.isClosed) {
    await new Promise((resolve) => setTimeout(resolve, lookMs));
    const last = await runs.revisionOf(run);
    if (last === seen) continue;
    seen = last;
    terminal.anew();
    isOver = await show();
  }
};
