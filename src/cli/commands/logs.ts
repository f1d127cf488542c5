/** `ecl logs`: what happened to a run as lines with a level, out of its journal. */
import type { Command } from 'commander';
import { EclError } from '../../core/errors.ts';
import { runIdOfStream } from '../../core/ids.ts';
import type { JournalEventType } from '../../core/journal-events.ts';
import type { PublicEvent } from '../../runtime/event-feed.ts';
import type { Act, Context } from '../context.ts';
import type { Progress } from '../progress.ts';

interface Options {
  readonly follow?: boolean;
  readonly level: string;
}

const examples = `
Examples:
  ecl logs critique-revise.sea-1
  ecl logs critique-revise.sea-1 --level warn
  ecl logs critique-revise.sea-1 --follow --json

These lines are read from the journal, so they are complete after any crash. What a step itself writes with \`log\` is not
recorded: it goes to stderr of the process that executes the step, as far as --log-level lets it.`;

export const declareLogs = (program: Command, act: Act): void => {
  program
    .command('logs')
    .summary('print what happened to a run, with levels')
    .description(
      'Prints what happened to a run, one line each, with a level: warnings are failed attempts, pauses and interruptions, ' +
        'errors are failures and quarantines.',
    )
    .argument('<run>', 'id of a run, as `ecl list` prints it')
    .option('--level <level>', 'the least that is shown: info, warn, error', 'info')
    .option('--follow', 'go on with what comes, until the run is over')
    .addHelpText('after', examples)
    .action(act<Options>(logs));
};

const levels = ['info', 'warn', 'error'] as const;
type Level = (typeof levels)[number];

const levelOf: Partial<Record<JournalEventType, Level>> = {
  StepAttemptFailed: 'warn',
  StepInterrupted: 'warn',
  RunPaused: 'warn',
  CancelRequested: 'warn',
  RunCancelled: 'warn',
  StepFailed: 'error',
  ChildFailed: 'error',
  RunFailed: 'error',
  RunQuarantined: 'error',
};

/** @throws EclError `usage.invalid` */
const readLevel = (text: string): Level => {
  const level = levels.find((each) => each === text);
  if (level !== undefined) return level;
  const reason = `--level takes one of ${levels.join(', ')}, not "${text}"`;
  throw new EclError('usage.invalid', { reason });
};

const endings = new Set(['RunCompleted', 'RunFailed', 'RunCancelled']);

/** Shows an event, when it says anything; progress is told of all of them. */
const createShow = async (
  { terminal }: Context,
  progress: Progress,
  least: Level,
): Promise<(event: PublicEvent) => void> => {
  const { instant } = await import('../format.ts');
  const { styled, unstyled } = await import('../terminal.ts');
  const styles = { info: 'dim', warn: 'yellow', error: 'red' } as const;
  return (event) => {
    const level = levelOf[event.type as JournalEventType] ?? 'info';
    const lines = progress.take(event);
    if (levels.indexOf(level) < levels.indexOf(least)) return;
    const { at = '' } = event.metadata;
    const run = runIdOfStream(event.stream);
    for (const line of lines) {
      const { type, revision } = event;
      const message = unstyled(line).trim().replace(/ {2,}/g, ' ');
      terminal.jsonLine({ at, level, run, revision, type, message });
      terminal.print(`${instant(at)}  ${styled(styles[level], level.padEnd(5))}${line}`);
    }
  };
};

const logs = async (
  context: Context,
  options: Options,
  ...[run]: readonly (string | readonly string[] | undefined)[]
): Promise<number> => {
  const least = readLevel(options.level);
  const { withRuns } = await import('../open-runs.ts');
  const { Progress: Lines } = await import('../progress.ts');
  const { terminal } = context;
  return withRuns(context, { access: 'read' }, async ({ runs }) => {
    const id = String(run);
    await runs.revisionOf(id);
    const show = await createShow(context, new Lines(), least);
    let last: string | undefined;
    let isOver = false;
    for await (const event of runs.events({ run: id })) {
      if (terminal.isClosed) return 0;
      show(event);
      last = event.position;
      isOver = endings.has(event.type);
    }
    if (options.follow !== true || isOver) return 0;
    for await (const event of runs.events({ run: id, from: last ?? 'start', live: true })) {
      if (terminal.isClosed) return 0;
      show(event);
      if (endings.has(event.type)) return 0;
    }
    return 0;
  });
};
