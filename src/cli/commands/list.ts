/** `ecl list`: the runs of the store, newest first. */
import type { Command } from 'commander';
import { EclError } from '../../core/errors.ts';
import type { RunListQuery, RunSummary } from '../../ports/run-directory.ts';
import type { Act, Context } from '../context.ts';

interface Options {
  readonly status?: string;
  readonly workflow?: string;
  readonly tenant?: string;
  readonly parent?: string;
  readonly children?: boolean;
  readonly limit: string;
  readonly cursor?: string;
}

const statuses = [
  'running',
  'waiting',
  'paused',
  'blocked',
  'quarantined',
  'completed',
  'failed',
  'cancelled',
] as const;
const limitMax = 1_000;

const examples = `
Examples:
  ecl list
  ecl list --status waiting
  ecl list --workflow document-review --limit 10 --json`;

export const declareList = (program: Command, act: Act): void => {
  program
    .command('list')
    .summary('list runs, newest first')
    .description(
      'Lists the runs of the store, newest first. Child runs are left out unless asked for.',
    )
    .option('--status <status>', statuses.join(', '))
    .option('--workflow <workflow>', 'only runs of this workflow')
    .option('--tenant <tenant>', 'only runs of this tenant')
    .option('--parent <run>', 'only child runs of this run')
    .option('--children', 'child runs too')
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
  const status = statuses.find((each) => each === text);
  if (status !== undefined) return status;
  throw usage(`--status takes one of ${statuses.join(', ')}, not "${text}"`);
};

const queryOf = (options: Options): RunListQuery => {
  const { workflow, tenant, parent, children, cursor } = options;
  return {
    limit: readLimit(options.limit),
    ...(options.status === undefined ? {} : { status: readStatus(options.status) }),
    ...(workflow === undefined ? {} : { workflow }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(parent === undefined ? {} : { parent }),
    ...(children === undefined ? {} : { children }),
    ...(cursor === undefined ? {} : { cursor }),
  };
};

const list = async (context: Context, options: Options): Promise<number> => {
  const query = queryOf(options);
  const { withRuns } = await import('../open-runs.ts');
  const { ago, stateText } = await import('../format.ts');
  const { table } = await import('../table.ts');
  const { statusText } = await import('../run-block.ts');
  const { terminal } = context;
  return withRuns(context, { access: 'read' }, async (opened) => {
    const page = await opened.list(query);
    terminal.document(page);
    if (page.items.length === 0) {
      terminal.print('No runs. Start one: ecl run critique-revise topic="the sea"');
      return 0;
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
    return 0;
  });
};
