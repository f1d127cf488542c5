/** `ecl workflows`: what can be run, with its input. */
import type { Command } from 'commander';
import type { z } from 'zod';
import type { FoundWorkflow } from '../../composition/workflow-library.ts';
import type { Act, Context } from '../context.ts';
import { oneLine } from '../sanitize.ts';
import { fieldsOf, typeText, type Field } from '../schema-fields.ts';
import { styled } from '../terminal.ts';

const examples = `
Examples:
  ecl workflows
  ecl workflows --json

Built-in workflows, and those of \`machines:\` in ecl.yaml.`;

export const declareWorkflows = (program: Command, act: Act): void => {
  program
    .command('workflows')
    .summary('list workflows and their inputs')
    .description('Lists the built-in and the configured workflows, with their inputs.')
    .addHelpText('after', examples)
    .action(act(workflows));
};

const fieldLine = ({ name, schema, isOptional, description }: Field): string => {
  const what = description === undefined ? '' : `  ${styled('dim', oneLine(description))}`;
  return `    ${name}${isOptional ? '?' : ''}: ${typeText(schema)}${what}`;
};

const workflowLines = ({ workflow, origin }: FoundWorkflow): string[] => {
  const { id, version, description, input } = workflow;
  const fields = fieldsOf(input);
  const about =
    fields === undefined
      ? [`    ${input === undefined ? 'any input, unchecked' : typeText(input)}`]
      : fields.map(fieldLine);
  return [
    `${styled('bold', id)} ${version}  ${styled('dim', origin)}`,
    ...(description === undefined ? [] : [`  ${oneLine(description)}`]),
    ...about,
  ];
};

const jsonSchema = async (schema: z.ZodType | undefined): Promise<unknown> => {
  if (schema === undefined) return null;
  const { z } = await import('zod');
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
};

const documentOf = async ({ workflow, origin }: FoundWorkflow): Promise<object> => ({
  id: workflow.id,
  version: workflow.version,
  description: workflow.description ?? null,
  origin,
  input: await jsonSchema(workflow.input),
});

const workflows = async (context: Context): Promise<number> => {
  const { openLibrary } = await import('../open.ts');
  const { terminal } = context;
  const { library } = await openLibrary(context);
  const found = await library.all();
  if (terminal.json) {
    const items = await Promise.all(found.map(documentOf));
    terminal.document({ items, failed: library.failures });
    return 0;
  }
  for (const each of found) for (const line of workflowLines(each)) terminal.print(line);
  for (const { error } of library.failures) terminal.warn(oneLine(error.message));
  return 0;
};
