/** `ecl export`: a workflow's machine for other tools. */
import type { Command } from 'commander';
import { EclError } from '../../core/errors.ts';
import { exportFormats, type ExportFormat } from '../../core/export-formats.ts';
import { nearestNames } from '../../core/nearest.ts';
import type { Act, Context } from '../context.ts';

interface Options {
  readonly format: string;
}

const examples = `
Examples:
  ecl export critique-revise --format svg > critique-revise.svg
  ecl export ./my-flow.ts --format stately > machine.ts

Formats:
  stately   a module that only imports xstate, for the Stately editor: a literal, with stubs for what it names
  json      the machine's config, functions by their names
  mermaid   a state diagram (stateDiagram-v2)
  svg       a drawing to open or put into a document, light or dark like what shows it`;

export const declareExport = (program: Command, act: Act): void => {
  program
    .command('export')
    .summary('write a workflow for the Stately editor, as JSON or as a drawing')
    .description("Writes a workflow's machine for other tools.")
    .argument('<workflow>', 'name of a workflow, or a file')
    .requiredOption('--format <format>', exportFormats.join(', '))
    .addHelpText('after', examples)
    .action(act<Options>(writeExport));
};

const readFormat = (text: string): ExportFormat => {
  const format = exportFormats.find((each) => each === text);
  if (format !== undefined) return format;
  const [nearest] = nearestNames(text, exportFormats);
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  const reason = `--format takes ${exportFormats.join(', ')}, not "${text}"${hint}`;
  throw new EclError('usage.invalid', { reason });
};

const writeExport = async (
  context: Context,
  options: Options,
  ...[target]: readonly (string | readonly string[] | undefined)[]
): Promise<number> => {
  const format = readFormat(options.format);
  const { openLibrary } = await import('../open.ts');
  const { safeJson } = await import('../sanitize.ts');
  const { exportWorkflow } = await import('../../composition/exporting.ts');
  const { terminal } = context;
  const { library } = await openLibrary(context);
  const { workflow } = await library.find(String(target));
  const content = await exportWorkflow(format, workflow);
  if (terminal.json) {
    terminal.document({ workflow: workflow.id, version: workflow.version, format, content });
  } else {
    terminal.raw(typeof content === 'string' ? content : `${safeJson(content, 2)}\n`);
  }
  return 0;
};
