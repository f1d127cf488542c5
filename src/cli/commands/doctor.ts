/** `ecl doctor`: what ECL runs on and with, and what is wrong with it. */
import type { Command } from 'commander';
import { isEclError, type EclError } from '../../core/errors.ts';
import type { ReadModels } from '../../ports/read-models.ts';
import type { Act, Context } from '../context.ts';
import type { Diagnosis } from '../diagnose.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';

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

const isOfStore = ({ kind, code }: EclError): boolean =>
  kind === 'unavailable' || code.startsWith('store.');

const doctor = async (context: Context, { rebuild }: Options): Promise<number> => {
  const { openLibrary, withEcl } = await import('../open.ts');
  const { diagnose, diagnosisLines } = await import('../diagnose.ts');
  const { terminal } = context;
  const access = rebuild === true ? 'write' : 'read';
  const show = (diagnosis: Diagnosis): number => {
    terminal.document(diagnosis);
    for (const line of diagnosisLines(diagnosis)) terminal.print(line);
    return diagnosis.ok ? exitCodes.done : exitCodes.failed;
  };
  try {
    return await withEcl(context, { access, leaveWork: true }, async (opened) => {
      if (rebuild === true) await rebuildAll(terminal, opened.ecl.readModels);
      return show(await diagnose(opened));
    });
  } catch (error) {
    // The one who asks what is wrong gets an answer also when it is the store.
    if (rebuild === true || !isEclError(error) || !isOfStore(error)) throw error;
    return show(await diagnose({ ...(await openLibrary(context)), error }));
  }
};

const rebuildAll = async (terminal: Terminal, readModels: ReadModels): Promise<void> => {
  for (const name of readModels.names) {
    await readModels.rebuild(name, ({ position, end }) => {
      terminal.transient(`  ${name}: ${position} of ${end}`);
    });
    terminal.progress(`rebuilt ${name}`);
  }
};
