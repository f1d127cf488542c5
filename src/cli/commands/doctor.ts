/** `ecl doctor`: what ECL runs on and with, and what is wrong with it. */
import type { Command } from 'commander';
import type { Act, Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

interface Options {
  readonly rebuild?: boolean;
}

const examples = `
Examples:
  ecl doctor
  ecl doctor --json
  ecl doctor --rebuild      fold the read models anew from the journals

Exit code 1 says that something is wrong; it stands under "problems".`;

export const declareDoctor = (program: Command, act: Act): void => {
  program
    .command('doctor')
    .summary('look at the store, the configuration and the model')
    .description(
      'Shows what ECL runs on and with, where each setting comes from, and what is wrong.',
    )
    .option('--rebuild', 'fold the read models anew from the journals')
    .addHelpText('after', examples)
    .action(act<Options>(doctor));
};

const doctor = async (context: Context, { rebuild }: Options): Promise<number> => {
  const { withEcl } = await import('../open.ts');
  const { diagnose, diagnosisLines } = await import('../diagnose.ts');
  const { terminal } = context;
  const access = rebuild === true ? 'write' : 'read';
  return withEcl(context, { access, leaveWork: true }, async (opened) => {
    if (rebuild === true) {
      const { readModels } = opened.ecl;
      for (const name of readModels.names) {
        await readModels.rebuild(name, ({ position, end }) => {
          terminal.transient(`  ${name}: ${position} of ${end}`);
        });
        terminal.progress(`rebuilt ${name}`);
      }
    }
    const diagnosis = await diagnose(opened);
    terminal.document(diagnosis);
    for (const line of diagnosisLines(diagnosis)) terminal.print(line);
    return diagnosis.ok ? exitCodes.done : exitCodes.failed;
  });
};
