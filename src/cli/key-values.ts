/**
 * Reads `key=value` arguments by the schema of the input: numbers and booleans are converted, a repeated key or a single
 * value fills an array, JSON is taken where an object is wanted. The schema itself then checks the whole.
 *
 * 1. What cannot be converted stays the text that was given, so that the schema names it by its path.
 * 2. A key that the schema does not have is an error here: the schema would drop it, and with it what was meant.
 */
import type { z } from 'zod';
import { EclError } from '../core/errors.ts';
import { nearestNames } from '../core/nearest.ts';
import { elementOf, fieldsOf, isOpen, kindOf, optionsOf, type Field } from './schema-fields.ts';

const parsedJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};

/** The first alternative that takes the text, converted for it. */
const convertToOption = (schema: z.ZodType, text: string): unknown => {
  for (const option of optionsOf(schema)) {
    const value = convert(option, text);
    if (option.safeParse(value).success) return value;
  }
  return schema.safeParse(text).success ? text : parsedJson(text);
};

const convert = (schema: z.ZodType, text: string): unknown => {
  switch (kindOf(schema)) {
    case 'number':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
    case 'boolean':
      return text === 'true' || (text === 'false' ? false : text);
    case 'array':
      return text.startsWith('[') ? parsedJson(text) : convertAll(schema, [text]);
    case 'object':
      return parsedJson(text);
    case 'choice':
      return schema.safeParse(text).success ? text : parsedJson(text);
    case 'other':
      return convertToOption(schema, text);
    default:
      return text;
  }
};

const convertAll = (schema: z.ZodType, texts: readonly string[]): unknown[] => {
  const element = elementOf(schema);
  return texts.map((text) => (element === undefined ? text : convert(element, text)));
};

const usage = (reason: string, details: object = {}): EclError =>
  new EclError('usage.invalid', { reason, ...details });

const split = (argument: string): [string, string] => {
  const at = argument.indexOf('=');
  if (at < 1)
    throw usage(`"${argument}" is not key=value; give an input as key=value or --input JSON`);
  return [argument.slice(0, at), argument.slice(at + 1)];
};

const unknownKey = (key: string, fields: readonly Field[]): EclError => {
  const names = fields.map(({ name }) => name);
  const [nearest] = nearestNames(key, names);
  const hint =
    nearest === undefined ? `it takes ${names.join(', ')}` : `did you mean "${nearest}"?`;
  return usage(`The workflow takes no "${key}"; ${hint}`, { key, keys: names });
};

const repeatedKey = (key: string, times: number): EclError => {
  const often = times === 2 ? 'twice' : `${times} times`;
  return usage(`"${key}" stands there ${often} and takes one value`, { key });
};

/**
 * @throws EclError `usage.invalid` for an argument that is no pair, names no field, or repeats one that takes one value
 */
export const readKeyValues = (
  schema: z.ZodType | undefined,
  args: readonly string[],
): Record<string, unknown> => {
  const given = new Map<string, string[]>();
  for (const argument of args) {
    const [key, value] = split(argument);
    given.set(key, [...(given.get(key) ?? []), value]);
  }
  const fields = fieldsOf(schema);
  const entries = Array.from(given, ([key, texts]): [string, unknown] => {
    const field = fields?.find(({ name }) => name === key);
    if (field === undefined) {
      if (fields !== undefined && !isOpen(schema!)) throw unknownKey(key, fields);
      return [key, texts.length === 1 ? texts[0] : texts];
    }
    if (texts.length === 1) return [key, convert(field.schema, texts[0]!)];
    if (field.kind === 'array') return [key, convertAll(field.schema, texts)];
    // Of what may be anything the schema says whether it takes a list.
    if (field.kind !== 'other') throw repeatedKey(key, texts.length);
    return [key, texts];
  });
  return Object.fromEntries(entries);
};
