/**
 * Whether one place of a chain can take what the place before it gives, as far as their schemas tell.
 *
 * It refuses only what can never fit. What may or may not fit is checked when the value is there.
 */
import { z } from 'zod';

type Schema = { readonly [name: string]: unknown };

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null;

const asJsonSchema = (schema: z.ZodType, io: 'input' | 'output'): Schema | undefined => {
  try {
    return z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  } catch {
    // A schema that has no JSON form tells nothing beforehand.
    return undefined;
  }
};

const at = (path: string): string => (path === '' ? '' : ` at ${path}`);
const below = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

const objectMisfit = (gives: Schema, takes: Schema, path: string): string | undefined => {
  const given = isSchema(gives['properties']) ? gives['properties'] : {};
  const taken = isSchema(takes['properties']) ? takes['properties'] : {};
  for (const key of (takes['required'] ?? []) as string[]) {
    if (!(key in given) && gives['additionalProperties'] === false) {
      return `it lacks "${below(path, key)}"`;
    }
  }
  for (const key of (gives['required'] ?? []) as string[]) {
    if (!(key in taken) && takes['additionalProperties'] === false) {
      return `"${below(path, key)}" is not taken`;
    }
  }
  for (const [key, schema] of Object.entries(taken)) {
    const own = given[key];
    const fault =
      isSchema(own) && isSchema(schema) ? schemaMisfit(own, schema, below(path, key)) : undefined;
    if (fault !== undefined) return fault;
  }
  return undefined;
};

const schemaMisfit = (gives: Schema, takes: Schema, path = ''): string | undefined => {
  const [given, taken] = [gives['type'], takes['type']];
  if (typeof given !== 'string' || typeof taken !== 'string') return undefined;
  const isNumber = [given, taken].every((type) => type === 'number' || type === 'integer');
  if (given !== taken && !isNumber) return `it is of type ${given}${at(path)}, not ${taken}`;
  if (given === 'object') return objectMisfit(gives, takes, path);
  const [items, wanted] = [gives['items'], takes['items']];
  return isSchema(items) && isSchema(wanted) ? schemaMisfit(items, wanted, `${path}[]`) : undefined;
};

/** Why a value of the one schema can never be taken by the other, or undefined. */
export const misfitOf = (
  gives: z.ZodType | undefined,
  takes: z.ZodType | undefined,
): string | undefined => {
  if (gives === undefined || takes === undefined) return undefined;
  const output = asJsonSchema(gives, 'output');
  const input = asJsonSchema(takes, 'input');
  return output === undefined || input === undefined ? undefined : schemaMisfit(output, input);
};
