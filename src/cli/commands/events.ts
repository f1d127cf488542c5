/** `ecl events`: what is recorded, in order; with `--follow` what comes too. */
import type { Command } from 'commander';
import { runIdOfStream } from '../../core/ids.ts';
import type { JournalEventType } from '../../core/journal-events.ts';
import type { EventQuery, PublicEvent } from '../../runtime/event-feed.ts';
import type { Act, Context } from '../context.ts';
import { instant } from '../format.ts';
import { oneLine, safeJson } from '../sanitize.ts';
import { styled } from '../terminal.ts';

interface Options {
  readonly follow?: boolean;
  readonly from?: string;
  readonly type?: readonly string[];
  readonly workflow?: string;
  readonly tenant?: string;
}

const examples = `
Examples:
  ecl events critique-revise.sea-1
  ecl events --follow
  ecl events --type RunCompleted --type RunFailed --json
  ecl events --from 1042 --json`;

export const declareEvents = (program: Command, act: Act): void => {
  program
    .command('events')
    .summary('print recorded events, one a line')
    .description(
      'Prints the journal of a run, or of all runs, one event a line; JSON lines with --json.',
    )
    .argument('[run]', 'id of a run; without it all runs')
    .option('--follow', 'go on with what comes; for one run until it is over')
    .option('--from <position>', 'only what comes after this position')
    .option('--type <type>', 'only events of this type; may be repeated', collect)
    .option('--workflow <workflow>', 'only runs of this workflow')
    .option('--tenant <tenant>', 'only runs of this tenant')
    .addHelpText('after', examples)
    .action(act<Options>(events));
};

const collect = (type: string, before: readonly string[] = []): string[] => [...before, type];

const endings: readonly JournalEventType[] = ['RunCompleted', 'RunFailed', 'RunCancelled'];
const isEnding = ({ type }: PublicEvent): boolean => endings.some((each) => each === type);

const textOf = (event: PublicEvent, width: number): string => {
  const run = runIdOfStream(event.stream) ?? event.stream;
  const at = instant(event.metadata.at ?? '');
  const head = `${event.position.padStart(6)}  ${at}  ${run}  ${String(event.revision).padStart(4)}  `;
  const type = styled('cyan', event.type);
  const room = Math.min(Math.max(width - head.length - event.type.length - 1, 20), 200);
  return `${head}${type} ${styled('dim', oneLine(safeJson(event.data), room))}`;
};

const queryOf = (run: string | undefined, options: Options): EventQuery => {
  const { from, type, workflow, tenant } = options;
  // The end of a run ends following it, whether or not it is shown.
  const types = run === undefined ? type : type && [...type, ...endings];
  return {
    ...(run === undefined ? {} : { run }),
    ...(from === undefined ? {} : { from }),
    ...(types === undefined ? {} : { types: types as readonly JournalEventType[] }),
    ...(workflow === undefined ? {} : { workflow }),
    ...(tenant === undefined ? {} : { tenant }),
  };
};

const events = async (
  context: Context,
  options: Options,
  ...[run]: readonly (string | readonly string[] | undefined)[]
): Promise<number> => {
  const { withRuns } = await import('../open-runs.ts');
  const { terminal } = context;
  const show = (event: PublicEvent): void => {
    if (options.type?.includes(event.type) === false) return;
    terminal.jsonLine(event);
    terminal.print(textOf(event, terminal.width));
  };
  return withRuns(context, { access: 'read' }, async ({ runs }) => {
    const id = run === undefined ? undefined : String(run);
    const query = queryOf(id, options);
    if (id !== undefined) await runs.revisionOf(id);
    let last: string | undefined;
    let isOver = false;
    for await (const event of runs.events(query)) {
      if (terminal.isClosed) return 0;
      show(event);
      last = event.position;
      isOver = isEnding(event);
    }
    if (options.follow !== true || (id !== undefined && isOver)) return 0;
    const from = last ?? options.from ?? 'start';
    for await (const event of runs.events({ ...query, from, live: true })) {
      if (terminal.isClosed) return 0;
      show(event);
      if (id !== undefined && isEnding(event)) return 0;
    }
    return 0;
  });
};
