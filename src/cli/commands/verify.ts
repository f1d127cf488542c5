/** `ecl verify`: replays journals and checks their hash chains; writes nothing. */
import type { Command } from 'commander';
import type { RunVerification, Verification, VerifyFault } from '../../runtime/verify.ts';
import type { Act, Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { count } from '../format.ts';
import { oneLine, safeJson } from '../sanitize.ts';
import { styled, type Terminal } from '../terminal.ts';

interface Options {
  readonly head?: readonly string[];
}

const examples = `
Examples:
  ecl verify
  ecl verify critique-revise.sea-1
  ecl verify > heads.txt           keep the heads elsewhere, then later:
  ecl verify --head critique-revise.sea-1@14:9f86d0…

A chain shows that nothing was changed or left out. That nothing was cut off at the end shows only a head that was
kept elsewhere.`;

export const declareVerify = (program: Command, act: Act): void => {
  program
    .command('verify')
    .summary('prove runs from their journals')
    .description(
      'Replays the journal of a run, or of all, and checks the hash chain. Writes nothing.',
    )
    .argument('[run]', 'id of a run; without it all runs')
    .option(
      '--head <run@revision:hash>',
      'a head that was kept elsewhere; may be repeated',
      collect,
    )
    .addHelpText('after', examples)
    .action(act<Options>(verify));
};

const collect = (head: string, before: readonly string[] = []): string[] => [...before, head];

const faultLines = (fault: VerifyFault): string[] => [
  `  ${styled('red', 'fault')} ${fault.stream} revision ${fault.revision} (${fault.type}): ${oneLine(fault.reason)}`,
  ...(fault.expected === undefined
    ? []
    : [`    the machine draws ${oneLine(safeJson(fault.expected), 500)}`]),
  ...(fault.got === undefined
    ? []
    : [`    recorded is       ${oneLine(safeJson(fault.got), 500)}`]),
];

const runLines = (run: RunVerification): string[] => {
  if (run.fault !== undefined) return [run.head, ...faultLines(run.fault)];
  if (run.result === 'proven') return [run.head];
  return [run.head, `  ${styled('yellow', 'chain only')}: ${oneLine(run.reason ?? '')}`];
};

const summary = ({ runs, heads, ok }: Verification): string => {
  const number = (result: RunVerification['result']): number =>
    runs.filter((run) => run.result === result).length;
  const parts = [
    `${count(number('proven'))} proven`,
    ...(number('chain-only') > 0 ? [`${count(number('chain-only'))} by their chain only`] : []),
    ...(number('fault') > 0 ? [`${count(number('fault'))} with a fault`] : []),
    ...(heads.length > 0
      ? [`${heads.filter((head) => head.ok).length} of ${heads.length} heads hold`]
      : []),
  ];
  return `${styled(ok ? 'green' : 'red', ok ? 'ok' : 'not ok')}: ${parts.join(', ')}`;
};

const progressOf =
  (terminal: Terminal) =>
  (_: RunVerification, done: number, total: number): void => {
    if (total > 1) terminal.transient(`  ${count(done)} of ${count(total)} runs`);
  };

const verify = async (
  context: Context,
  { head: heads = [] }: Options,
  ...[run]: readonly (string | readonly string[] | undefined)[]
): Promise<number> => {
  const { withEcl } = await import('../open.ts');
  const { terminal } = context;
  return withEcl(context, { access: 'read' }, async ({ ecl }) => {
    // A head alone names the run to look at.
    const only = run ?? (heads.length === 1 ? heads[0]?.split('@', 1)[0] : undefined);
    const target = only === undefined ? undefined : String(only);
    const result = await ecl.verify(target, { heads, onRun: progressOf(terminal) });
    terminal.document(result);
    for (const each of result.runs) for (const line of runLines(each)) terminal.print(line);
    for (const fault of result.faults) for (const line of faultLines(fault)) terminal.print(line);
    for (const { head, ok, reason } of result.heads) {
      if (!ok) terminal.print(`  ${styled('red', 'head')} ${head}: ${reason ?? ''}`);
    }
    terminal.progress(summary(result));
    return result.ok ? exitCodes.done : exitCodes.failed;
  });
};
