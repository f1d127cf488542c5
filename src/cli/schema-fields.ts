/** What an input's schema says of its fields: for reading `key=value`, and for showing what a workflow takes. */
import type { z } from 'zod';

export type FieldKind =
  | 'string'
  | 'number'
  | 'boolean'
  | 'array'
  | 'object'
  | 'file'
  | 'choice'
  | 'other';

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  /** Of an array's elements. */
  readonly element: z.ZodType | undefined;
  readonly schema: z.ZodType;
  readonly isOptional: boolean;
  /** Values of a choice. */
  readonly values: readonly string[];
  readonly description: string | undefined;
}

interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly element?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly catchall?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly entries?: Readonly<Record<string, string | number>>;
  readonly values?: readonly unknown[];
}

const definitionOf = (schema: z.ZodType): Definition =>
  (schema as unknown as { def: Definition }).def;

/** The schema below what only decorates it: optional, default, a pipe, … */
export const bare = (schema: z.ZodType): z.ZodType => {
  const { innerType, in: input } = definitionOf(schema);
  const inner = innerType ?? input;
  return inner === undefined ? schema : bare(inner);
};

const isFile = (schema: z.ZodType): boolean => schema.meta?.()?.['ecl'] === 'file';

const kinds: Readonly<Record<string, FieldKind>> = {
  string: 'string',
  number: 'number',
  int: 'number',
  boolean: 'boolean',
  array: 'array',
  object: 'object',
  record: 'object',
  enum: 'choice',
  literal: 'choice',
};

export const kindOf = (schema: z.ZodType): FieldKind => {
  const inner = bare(schema);
  return isFile(inner) ? 'file' : (kinds[definitionOf(inner).type] ?? 'other');
};

export const elementOf = (schema: z.ZodType): z.ZodType | undefined =>
  definitionOf(bare(schema)).element;

/** The alternatives of a union. */
export const optionsOf = (schema: z.ZodType): readonly z.ZodType[] =>
  definitionOf(bare(schema)).options ?? [];

const valuesOf = (schema: z.ZodType): readonly string[] => {
  const { entries, values } = definitionOf(bare(schema));
  return (entries === undefined ? (values ?? []) : Object.values(entries)).map(String);
};

const descriptionOf = (schema: z.ZodType): string | undefined =>
  schema.description ?? bare(schema).description;

/** The fields of an object, or undefined for a schema that is none. */
export const fieldsOf = (schema: z.ZodType | undefined): readonly Field[] | undefined => {
  if (schema === undefined) return undefined;
  const { shape } = definitionOf(bare(schema));
  if (shape === undefined || isFile(bare(schema))) return undefined;
  return Object.entries(shape).map(([name, field]) => ({
    name,
    kind: kindOf(field),
    element: elementOf(field),
    schema: field,
    isOptional: takesNothing(field),
    values: valuesOf(field),
    description: descriptionOf(field),
  }));
};

const takesNothing = (schema: z.ZodType): boolean => {
  try {
    return schema.safeParse(undefined).success;
  } catch {
    // A check that is asynchronous: it says nothing here.
    return false;
  }
};

/** Whether the object takes names that its shape does not have. */
export const isOpen = (schema: z.ZodType): boolean => {
  const { catchall } = definitionOf(bare(schema));
  return catchall !== undefined && definitionOf(catchall).type !== 'never';
};

/** A field's type as people read it: `string`, `file[]`, `"a" | "b"`. */
export const typeText = (schema: z.ZodType): string => {
  const kind = kindOf(schema);
  if (kind === 'array') {
    const element = elementOf(schema);
    return element === undefined ? 'array' : `${typeText(element)}[]`;
  }
  if (kind === 'choice') return valuesOf(schema).join(' | ');
  return kind === 'other' ? 'JSON' : kind;
};
