/** `ecl resume`: goes on with a run that was paused, quarantined or left, or answers for exhausted rounds. */
import type { Command } from 'commander';
import { EclError } from '../../core/errors.ts';
import type { RunDocument } from '../../runtime/run-document.ts';
import type { ResumeOptions } from '../../runtime/run-handle.ts';
import type { Act, Context } from '../context.ts';
import type { RunControl } from '../runs.ts';

interface Options {
  readonly accept?: boolean;
  readonly moreRounds?: string;
  readonly output?: string;
  readonly reason?: string;
  readonly detach?: boolean;
}

const examples = `
Examples:
  ecl resume critique-revise.sea-1                     go on after the cause of a pause is mended
  ecl resume critique-revise.sea-1 --accept            take the last draft as it is
  ecl resume critique-revise.sea-1 --more-rounds 2     allow two more rounds
  ecl resume critique-revise.sea-1 --output '{"text":"…"}'`;

export const declareResume = (program: Command, act: Act): void => {
  program
    .command('resume')
    .summary('go on with a run')
    .description(
      'Goes on with a run that is paused, quarantined or was left running, or answers for rounds that are exhausted.',
    )
    .argument('<run>', 'id of a run')
    .option('--accept', 'take the last draft as it is')
    .option('--more-rounds <n>', 'allow this many further rounds')
    .option('--output <json>', 'take this in place of the last draft')
    .option('--reason <reason>', 'stands in the journal')
    .option('--detach', 'store the answer and leave the work to another command')
    .addHelpText('after', examples)
    .action(act<Options>(resume));
};

const usage = (reason: string): EclError => new EclError('usage.invalid', { reason });

const answerOf = async (options: Options): Promise<ResumeOptions> => {
  const { accept, moreRounds, output, reason } = options;
  if ([accept, moreRounds, output].filter((each) => each !== undefined).length > 1) {
    throw usage('Give one of --accept, --more-rounds and --output');
  }
  const why = reason === undefined ? {} : { reason };
  if (accept === true) return { accept, ...why };
  if (moreRounds !== undefined) {
    const rounds = Number(moreRounds);
    if (!Number.isInteger(rounds) || rounds < 1) {
      throw usage(`--more-rounds takes a whole number from 1, not "${moreRounds}"`);
    }
    return { moreRounds: rounds, ...why };
  }
  if (output === undefined) return why;
  const { parseJson } = await import('../read-input.ts');
  return { output: parseJson(output, '--output'), ...why };
};

const resume = async (
  context: Context,
  options: Options,
  ...[run]: readonly (string | readonly string[] | undefined)[]
): Promise<number> => {
  const answer = await answerOf(options);
  const { command } = await import('../command-run.ts');
  const isAnswer = 'accept' in answer || 'moreRounds' in answer || 'output' in answer;
  const send = async (handle: RunControl): Promise<RunDocument> => {
    const now = await handle.document();
    // A run that another process left is not paused: holding it is all that it takes to go on.
    if (!isAnswer && now.status === 'running') return now;
    return handle.resume(answer);
  };
  return command(context, String(run), { detach: options.detach === true, send });
};
