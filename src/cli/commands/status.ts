/** `ecl status`: one run, as it is now, with what its steps did. */
import type { Command } from 'commander';
import type { Act, Context } from '../context.ts';
import type { OpenedRuns } from '../runs.ts';

interface Options {
  readonly watch?: boolean;
}

const examples = `
Examples:
  ecl status critique-revise.sea-1
  ecl status critique-revise.sea-1 --watch
  ecl status critique-revise.sea-1 --json`;

export const declareStatus = (program: Command, act: Act): void => {
  program
    .command('status')
    .summary('show a run and what its steps did')
    .description(
      'Shows a run as it is now: status, steps, rounds, cost, output, and what it waits for.',
    )
    .argument('<run>', 'id of a run, as `ecl list` prints it')
    .option('--watch', 'show it anew whenever something happens, until it is over')
    .addHelpText('after', examples)
    .action(act<Options>(status));
};

const status = async (
  context: Context,
  options: Options,
  ...[run]: readonly (string | readonly string[] | undefined)[]
): Promise<number> => {
  const { showRun } = await import('../show-run.ts');
  const id = String(run);
  const shown = { id, isWatched: options.watch === true };
  return showRun(context, shown, (opened) => show(context, opened, id));
};

/** @returns whether the run is over */
const show = async (context: Context, opened: OpenedRuns, id: string): Promise<boolean> => {
  const { nextLines, runBlock, runDetails } = await import('../run-block.ts');
  const { stepTree } = await import('../step-tree.ts');
  const { timelinesOf } = await import('../timelines.ts');
  const { terminal } = context;
  const { runs } = opened;
  const handle = await runs.get(id);
  const document = await handle.document();
  terminal.document(document);
  if (!terminal.json) {
    const details = await runDetails(opened, handle, document);
    const timelines = await timelinesOf(runs, id, { children: true });
    const isMoving = document.status === 'running' || document.status === 'waiting';
    const now = isMoving ? Date.now() : Date.parse(document.updatedAt);
    for (const line of runBlock(document, details)) terminal.print(line);
    const steps = stepTree(timelines, id, { width: terminal.width, now });
    if (steps.length > 0) terminal.print();
    for (const line of steps) terminal.print(line);
    terminal.print();
    const next = await nextLines(context, runs, { run: document, details });
    for (const line of next) terminal.print(line);
  }
  return document.endedAt !== undefined;
};
