/** The checks between steps: input on the way in, output on the way out. */
import type { z } from 'zod';
import { EclError, type ErrorCode } from './errors.ts';
import { assertJson } from './json-value.ts';
import type { StepDefinition } from './step-definition.ts';

export const describeIssues = (issues: readonly z.core.$ZodIssue[]): string =>
  issues
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ');

const parse = (
  definition: StepDefinition,
  value: unknown,
  options: { schema: z.ZodType | undefined; code: ErrorCode },
): unknown => {
  if (options.schema === undefined) return value;
  const parsed = options.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = describeIssues(parsed.error.issues);
  throw new EclError(options.code, { step: definition.name, issues });
};

/** @throws EclError `step.input-invalid` */
export const parseStepInput = (definition: StepDefinition, value: unknown): unknown =>
  parse(definition, value, { schema: definition.input, code: 'step.input-invalid' });

/** @throws EclError `step.output-invalid`, `input.not-json` */
export const parseStepOutput = (definition: StepDefinition, value: unknown): unknown => {
  const output = parse(definition, value, {
    schema: definition.output,
    code: 'step.output-invalid',
  });
  assertJson(output, `the output of step ${definition.name}`);
  return output;
};
