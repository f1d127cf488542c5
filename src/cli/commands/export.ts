/** `ecl export`: a workflow's machine for other tools. */
import type { Command } from 'commander';
import { EclError } from '../../core/errors.ts';
import { nearestNames } from '../../core/nearest.ts';
import type { FoundWorkflow } from '../../workflow-library.ts';
import type { Act, Context } from '../context.ts';

interface Options {
  readonly format: string;
}

const formats = ['stately', 'json', 'mermaid'] as const;
type Format = (typeof formats)[number];

const examples = `
Examples:
  ecl export critique-revise --format mermaid
  ecl export ./my-flow.ts --format stately > machine.ts

Formats:
  stately   a module that only imports xstate, for the Stately editor: a literal, with stubs for what it names
  json      the machine's config, functions by their names
  mermaid   a state diagram (stateDiagram-v2)`;

export const declareExport = (program: Command, act: Act): void => {
  program
    .command('export')
    .summary('write a workflow for the Stately editor, as JSON or as a diagram')
    .description("Writes a workflow's machine for other tools.")
    .argument('<workflow>', 'name of a workflow, or a file')
    .requiredOption('--format <format>', formats.join(', '))
    .addHelpText('after', examples)
    .action(act<Options>(exportWorkflow));
};

const readFormat = (text: string): Format => {
  const format = formats.find((each) => each === text);
  if (format !== undefined) return format;
  const [nearest] = nearestNames(text, formats);
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  const reason = `--format takes ${formats.join(', ')}, not "${text}"${hint}`;
  throw new EclError('usage.invalid', { reason });
};

const contentOf = async (
  format: Format,
  { machine }: FoundWorkflow['workflow'],
): Promise<unknown> => {
  switch (format) {
    case 'json':
      return (await import('../../core/export-config.ts')).exportConfig(machine);
    case 'mermaid':
      return (await import('../../core/export-mermaid.ts')).exportMermaid(machine);
    default:
      return (await import('../../core/export-stately.ts')).exportStately(machine);
  }
};

const exportWorkflow = async (
  context: Context,
  options: Options,
  ...[target]: readonly (string | readonly string[] | undefined)[]
): Promise<number> => {
  const format = readFormat(options.format);
  const { openLibrary } = await import('../open.ts');
  const { safeJson } = await import('../sanitize.ts');
  const { terminal } = context;
  const { library } = await openLibrary(context);
  const { workflow } = await library.find(String(target));
  const content = await contentOf(format, workflow);
  if (terminal.json) {
    terminal.document({ workflow: workflow.id, version: workflow.version, format, content });
  } else {
    terminal.raw(typeof content === 'string' ? content : `${safeJson(content, 2)}\n`);
  }
  return 0;
};
