/** `ecl list`: the runs of the store, newest first. */
import type { Command } from 'commander';
import { EclError } from '../../core/errors.ts';
import { runStatuses } from '../../core/run-statuses.ts';
import type { RunListQuery, RunSummary } from '../../ports/run-directory.ts';
import type { StatusCounts } from '../../ports/status-queries.ts';
import type { Act, Context } from '../context.ts';
import type { OpenedRuns } from '../runs.ts';

interface Options {
  readonly status?: string;
  readonly workflow?: string;
  readonly tenant?: string;
  readonly parent?: string;
  readonly children?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly tag?: string;
  readonly search?: string;
  readonly counts?: boolean;
  readonly watch?: boolean;
  readonly limit: string;
  readonly cursor?: string;
}

const limitMax = 1_000;

const examples = `
Examples:
  ecl list
  ecl list --status waiting
  ecl list --search "the sea" --since 2026-01-31
  ecl list --counts --watch
  ecl list --workflow document-review --limit 10 --json`;

export const declareList = (program: Command, act: Act): void => {
  program
    .command('list')
    .summary('list runs, newest first')
    .description(
      'Lists the runs of the store, newest first. Child runs are left out unless asked for.',
    )
    .option('--status <status>', runStatuses.join(', '))
    .option('--workflow <workflow>', 'only runs of this workflow')
    .option('--tenant <tenant>', 'only runs of this tenant')
    .option('--parent <run>', 'only child runs of this run')
    .option('--children', 'child runs too')
    .option('--since <time>', 'started then or later: 2026-01-31 or 2026-01-31T12:00:00Z')
    .option('--until <time>', 'started before then')
    .option('--tag <tag>', 'only runs whose state has this tag')
    .option('--search <text>', 'only runs with this text at the beginning of input or output')
    .option('--counts', 'how many runs there are of each status, too')
    .option('--watch', 'list them anew, every second')
    .option('--limit <n>', `at most this many, up to ${limitMax}`, '50')
    .option('--cursor <cursor>', 'go on after an earlier page')
    .addHelpText('after', examples)
    .action(act<Options>(list));
};

const usage = (reason: string): EclError => new EclError('usage.invalid', { reason });

const readLimit = (text: string): number => {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= limitMax) return limit;
  throw usage(`--limit takes a whole number from 1 to ${limitMax}, not "${text}"`);
};

const readStatus = (text: string): RunSummary['status'] => {
  const status = runStatuses.find((each) => each === text);
  if (status !== undefined) return status;
  throw usage(`--status takes one of ${runStatuses.join(', ')}, not "${text}"`);
};

/** Conditions that are taken as they are given. */
const taken = [
  'workflow',
  'tenant',
  'parent',
  'children',
  'since',
  'until',
  'tag',
  'search',
  'counts',
  'cursor',
] as const;

const queryOf = (options: Options): RunListQuery => ({
  limit: readLimit(options.limit),
  ...(options.status === undefined ? {} : { status: readStatus(options.status) }),
  ...Object.fromEntries(
    taken.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  ),
});

const watchMs = 1_000;

const list = async (context: Context, options: Options): Promise<number> => {
  const query = queryOf(options);
  const { withRuns } = await import('../open-runs.ts');
  const { terminal } = context;
  return withRuns(context, { access: 'read' }, async (opened) => {
    await show(context, opened, query);
    while (options.watch === true && !terminal.isClosed) {
      await new Promise((resolve) => setTimeout(resolve, watchMs));
      terminal.anew();
      await show(context, opened, query);
    }
    return 0;
  });
};

const countsLine = async (counts: StatusCounts): Promise<string> => {
  const { count } = await import('../format.ts');
  const { statusText } = await import('../run-block.ts');
  const parts = runStatuses
    .filter((status) => counts[status] !== undefined)
    .map((status) => `${count(counts[status]!)} ${statusText(status)}`);
  return parts.length === 0 ? '0 runs' : parts.join(', ');
};

const show = async (context: Context, opened: OpenedRuns, query: RunListQuery): Promise<void> => {
  const { ago, stateText } = await import('../format.ts');
  const { table } = await import('../table.ts');
  const { statusText } = await import('../run-block.ts');
  const { terminal } = context;
  const page = await opened.list(query);
  terminal.document(page);
  if (terminal.json) return;
  if (page.counts !== undefined) terminal.print(await countsLine(page.counts));
  if (page.items.length === 0) {
    const isAll = Object.keys(query).every((name) => name === 'limit' || name === 'counts');
    const start = 'No runs. Start one: ecl run critique-revise topic="the sea"';
    terminal.print(isAll ? start : 'No such runs.');
    return;
  }
  const rows = page.items.map((item) => [
    item.id,
    statusText(item.status),
    stateText(item.state),
    ago(item.updatedAt, Date.now()),
    item.error ?? item.waitingFor.join(', '),
  ]);
  const header = ['RUN', 'STATUS', 'STATE', 'LAST EVENT', 'WAITS FOR / ERROR'];
  for (const line of table(header, rows, terminal.width)) terminal.print(line);
  if (page.nextCursor !== undefined) {
    terminal.print(`More: ${context.commandLine('list', '--cursor', page.nextCursor)}`);
  }
};
