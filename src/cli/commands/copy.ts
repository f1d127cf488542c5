/** `ecl copy`: all journals of the configured store into another one. */
import type { Command } from 'commander';
import type { CopiedStores } from '../../composition/copying.ts';
import { EclError } from '../../core/errors.ts';
import type { Act, Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { count } from '../format.ts';
import { oneLine } from '../sanitize.ts';
import { styled, type Terminal } from '../terminal.ts';

interface Options {
  readonly to: string;
}

const examples = `
Examples:
  ecl copy --to sqlite:/backup/ecl
  ecl copy --to "kurrentdb://localhost:2113?tls=false"
  ecl --store "kurrentdb://db:2113" copy --to sqlite:archive

The journals and the artifacts that they name are copied; read models are made anew by whoever opens the copy. It may be
stopped and started again. Exit code 1 says that a journal could not be copied; the others were.`;

export const declareCopy = (program: Command, act: Act): void => {
  program
    .command('copy')
    .summary('copy all runs into another store')
    .description(
      'Copies the journals of all runs into another store, checked by their hash chains.',
    )
    .requiredOption('--to <store>', 'sqlite:<folder> or kurrentdb://…')
    .addHelpText('after', examples)
    .action(act<Options>(copy));
};

const linesOf = ({ to, runs, events, artifacts, faults, writer }: CopiedStores): string[] => [
  ...faults.map(
    ({ stream, revision, reason }) =>
      `${styled('red', 'fault')} ${stream} revision ${revision}: ${oneLine(reason)}`,
  ),
  `${styled(faults.length === 0 ? 'green' : 'red', faults.length === 0 ? 'ok' : 'not ok')}: ` +
    `${count(runs)} runs in ${to}; ${count(events.copied)} events copied, ${count(events.present)} were there; ` +
    `${count(artifacts.copied)} artifacts copied, ${count(artifacts.present)} were there`,
  ...(writer === undefined
    ? []
    : [`Process ${writer} writes to the source: copy again once it has stopped.`]),
];

const copy = async ({ terminal, flags }: Context, { to }: Options): Promise<number> => {
  const { defaultStore, loadConfiguration } = await import('../../config.ts');
  const { copyStores } = await import('../../composition/copying.ts');
  const { values } = await loadConfiguration(flags);
  const from = values.store ?? defaultStore;
  if (from === to) {
    throw new EclError('usage.invalid', { reason: 'A store is not copied into itself' });
  }
  const copied = await copyStores({
    from,
    to,
    dataFolder: values.dataFolder ?? '.ecl',
    onProgress: progressOf(terminal),
  });
  terminal.transient('');
  terminal.document(copied);
  for (const line of linesOf(copied)) terminal.print(line);
  return copied.ok ? exitCodes.done : exitCodes.failed;
};

const progressOf =
  (terminal: Terminal) =>
  (events: number): void => {
    terminal.transient(`  ${count(events)} events`);
  };
