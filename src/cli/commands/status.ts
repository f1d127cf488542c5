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

const watchMs = 250;

const status = async (
  context: Context,
  options: Options,
  ...[run]: readonly (string | readonly string[] | undefined)[]
): Promise<number> => {
  const { withRuns } = await import('../open-runs.ts');
  return withRuns(context, { access: 'read' }, async (opened) => {
    const id = String(run);
    await show(context, opened, id);
    if (options.watch === true) await watch(context, opened, id);
    return 0;
  });
};

/** Shows the run; the revision says whether it moved since. */
const show = async (context: Context, opened: OpenedRuns, id: string): Promise<boolean> => {
  const { nextLines, runBlock, runDetails, stepLines } = await import('../run-block.ts');
  const { terminal } = context;
  const { runs } = opened;
  const handle = await runs.get(id);
  const document = await handle.document();
  terminal.document(document);
  if (!terminal.json) {
    const details = await runDetails(opened, handle, document);
    const now = document.status === 'running' ? new Date().toISOString() : document.updatedAt;
    for (const line of runBlock(document, details)) terminal.print(line);
    const steps = stepLines(details.history.records, { width: terminal.width, now });
    if (steps.length > 0) terminal.print();
    for (const line of steps) terminal.print(line);
    terminal.print();
    for (const line of await nextLines(context, runs, document)) terminal.print(line);
  }
  return document.endedAt !== undefined;
};

/** Looks for new events; each batch of them is shown as one new state. */
const watch = async (context: Context, opened: OpenedRuns, id: string): Promise<void> => {
  const { runs } = opened;
  const { terminal } = context;
  let seen = await runs.revisionOf(id);
  let isOver = (await (await runs.get(id)).document()).endedAt !== undefined;
  while (!isOver && !terminal.isClosed) {
    await new Promise((resolve) => setTimeout(resolve, watchMs));
    const last = await runs.revisionOf(id);
    if (last === seen) continue;
    seen = last;
    terminal.anew();
    isOver = await show(context, opened, id);
  }
};
