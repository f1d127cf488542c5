/** `ecl trace`: the whole story of a run, in order. */
import type { Command } from 'commander';
import type { Act, Context } from '../context.ts';
import type { OpenedRuns } from '../runs.ts';

interface Options {
  readonly children?: boolean;
  readonly watch?: boolean;
}

const examples = `
Examples:
  ecl trace critique-revise.sea-1
  ecl trace critique-revise.sea-1 --watch
  ecl trace offer.42 --children --json

EVENT is the revision in the journal, CAUSE that of the event that led to it: \`ecl events <run>\` shows them.`;

export const declareTrace = (program: Command, act: Act): void => {
  program
    .command('trace')
    .summary('tell what happened in a run, in order')
    .description(
      'Tells the whole story of a run in order: steps, attempts, model calls, verdicts, signals, timers and waits, each ' +
        'with how long it took and what led to it.',
    )
    .argument('<run>', 'id of a run, as `ecl list` prints it')
    .option('--children', 'with the runs below it')
    .option('--watch', 'tell it anew whenever something happens, until it is over')
    .addHelpText('after', examples)
    .action(act<Options>(trace));
};

const trace = async (
  context: Context,
  options: Options,
  ...[run]: readonly (string | readonly string[] | undefined)[]
): Promise<number> => {
  const { showRun } = await import('../show-run.ts');
  const id = String(run);
  const shown = { id, isWatched: options.watch === true };
  return showRun(context, shown, (opened) => show(context, opened, { id, options }));
};

/** @returns whether the run is over */
const show = async (
  { terminal }: Context,
  { runs }: OpenedRuns,
  { id, options }: { id: string; options: Options },
): Promise<boolean> => {
  const { timelinesOf } = await import('../timelines.ts');
  const { storyLines, storyOf } = await import('../story.ts');
  const timelines = await timelinesOf(runs, id, { children: options.children === true });
  terminal.document({ items: storyOf(timelines) });
  const lines = storyLines(timelines, { width: terminal.width, now: Date.now() });
  for (const line of lines) terminal.print(line);
  const [own] = timelines.get(id)?.filter(({ kind }) => kind === 'run') ?? [];
  return own?.endedAt !== undefined;
};
