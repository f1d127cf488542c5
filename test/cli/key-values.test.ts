import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { file } from '../../src/authoring/file.ts';
import { readKeyValues } from '../../src/cli/key-values.ts';
import { fieldsOf, typeText } from '../../src/cli/schema-fields.ts';

const Input = z.object({
  text: z.string(),
  size: z.number().optional(),
  whole: z.int().default(1),
  loud: z.boolean().optional(),
  tags: z.array(z.string()).default([]),
  sizes: z.array(z.number()).optional(),
  files: z.array(file()).optional(),
  kind: z.enum(['a', 'b']).optional(),
  either: z.union([z.number(), z.boolean(), z.string()]).optional(),
  nested: z.object({ a: z.number() }).optional(),
  maybe: z.string().nullable().optional(),
  free: z.unknown().optional(),
});

const read = (...pairs: string[]): Record<string, unknown> => readKeyValues(Input, pairs);

describe('key=value', () => {
  test('numbers and booleans are converted, texts stay texts', () => {
    expect(read('text=42', 'size=1.5', 'whole=3', 'loud=true')).toEqual({
      text: '42',
      size: 1.5,
      whole: 3,
      loud: true,
    });
  });

  test('a single value fills an array, a repeated key all of it, and JSON is taken whole', () => {
    expect(read('tags=a')).toEqual({ tags: ['a'] });
    expect(read('sizes=1', 'sizes=2')).toEqual({ sizes: [1, 2] });
    expect(read('tags=["x","y"]')).toEqual({ tags: ['x', 'y'] });
  });

  test('an object is read as JSON, a file stays its path', () => {
    expect(read('nested={"a":1}', 'files=a.md')).toEqual({ nested: { a: 1 }, files: ['a.md'] });
  });

  test('of alternatives the first that fits is taken', () => {
    expect(read('either=7')).toEqual({ either: 7 });
    expect(read('either=false')).toEqual({ either: false });
    expect(read('either=seven')).toEqual({ either: 'seven' });
  });

  test('a value may hold = and be empty', () => {
    expect(read('text=a=b', 'maybe=')).toEqual({ text: 'a=b', maybe: '' });
  });

  test('what cannot be converted stays as it was given, for the schema to name', () => {
    expect(read('size=big', 'loud=yes', 'nested={', 'kind=c')).toEqual({
      size: 'big',
      loud: 'yes',
      nested: '{',
      kind: 'c',
    });
  });

  test('a repeated key that takes one value is refused for that; what may be a list becomes one', () => {
    expect(() => read('text=a', 'text=b')).toThrow('"text" stands there twice and takes one value');
    expect(() => read('size=1', 'size=2', 'size=3')).toThrow('"size" stands there 3 times');
    expect(read('free=a', 'free=b')).toEqual({ free: ['a', 'b'] });
  });

  test('without a schema everything is text, and a repeated key a list', () => {
    expect(readKeyValues(undefined, ['a=1', 'b=x', 'b=y'])).toEqual({ a: '1', b: ['x', 'y'] });
  });

  test('a key that an open object does not name is kept, and one of a closed object is refused', () => {
    expect(readKeyValues(z.looseObject({}), ['a=1'])).toEqual({ a: '1' });
    expect(() => read('txet=1')).toThrow(/did you mean "text"\?/);
    expect(() => read('=x')).toThrow(/key=value/);
  });
});

test('fields are shown with their types', () => {
  const fields = fieldsOf(Input)!.map(({ name, schema, isOptional }) => [
    name,
    typeText(schema),
    isOptional,
  ]);
  expect(Object.fromEntries(fields.map(([name, type]) => [name, type]))).toMatchObject({
    text: 'string',
    tags: 'string[]',
    files: 'file[]',
    kind: 'a | b',
    nested: 'object',
    free: 'JSON',
  });
  expect(fields.filter(([, , isOptional]) => isOptional === false)).toEqual([
    ['text', 'string', false],
  ]);
});
