/** `ecl cancel`: ends a run for good. */
import type { Command } from 'commander';
import type { Act, Context } from '../context.ts';
import type { RunControl } from '../runs.ts';

interface Options {
  readonly reason?: string;
  readonly detach?: boolean;
}

const examples = `
Examples:
  ecl cancel critique-revise.sea-1
  ecl cancel critique-revise.sea-1 --reason "the topic is settled"`;

export const declareCancel = (program: Command, act: Act): void => {
  program
    .command('cancel')
    .summary('end a run for good')
    .description('Ends a run and its child runs for good; what is recorded stays.')
    .argument('<run>', 'id of a run')
    .option('--reason <reason>', 'stands in the journal')
    .option('--detach', 'store the request and leave the work to another command')
    .addHelpText('after', examples)
    .action(act<Options>(cancel));
};

const cancel = async (
  context: Context,
  { reason, detach }: Options,
  ...[run]: readonly (string | readonly string[] | undefined)[]
): Promise<number> => {
  const { command } = await import('../command-run.ts');
  return command(context, String(run), {
    detach: detach === true,
    endsWell: true,
    send: (handle: RunControl) => handle.cancel(reason),
  });
};
