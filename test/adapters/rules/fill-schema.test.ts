/** An answer fits whatever reasonable schema zod makes: checked with zod itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createRulesModel } from '../../../src/adapters/rules/model.ts';
import { samplesOf } from '../../../src/adapters/rules/pattern.ts';
import type { JsonSchema, ModelDocument } from '../../../src/ports/model.ts';
import { callOptions, failureOf } from '../../contracts/model-contract.ts';

const model = createRulesModel();
const lighthouse = {
  name: 'lighthouse.md',
  text: readFileSync(join(import.meta.dirname, 'fixtures/lighthouse.md'), 'utf8'),
};

const fill = async (
  schema: z.ZodType,
  options: { documents?: readonly ModelDocument[]; prompt?: string } = {},
): Promise<unknown> => {
  const jsonSchema = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const reply = await model.complete(
    {
      messages: [{ role: 'user', content: options.prompt ?? 'Extract what matters.' }],
      documents: options.documents ?? [lighthouse],
      output: { name: 'x', schema: jsonSchema },
    },
    callOptions(),
  );
  return JSON.parse(reply.text) as unknown;
};

const expectFits = async (schema: z.ZodType, value: unknown): Promise<void> => {
  const parsed = await schema.safeParseAsync(value);
  expect(parsed.success ? [] : [parsed.error.issues, value]).toEqual([]);
};

const names = fc.constantFrom(
  ...'title summary text points keyphrases quote quotes source sources decision feedback score count year isTrue author kind items name x heading issues severity wordCount when'.split(
    ' ',
  ),
);

const bounds = (most: number) =>
  fc
    .tuple(fc.integer({ min: 0, max: most }), fc.integer({ min: 0, max: most }))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

const text: fc.Arbitrary<z.ZodType> = fc.oneof(
  fc.constant(z.string()),
  bounds(300).map(([min, max]) => z.string().min(min).max(max)),
  fc.integer({ min: 0, max: 2000 }).map((min) => z.string().min(min)),
  fc.integer({ min: 0, max: 60 }).map((length) => z.string().length(length)),
  fc.constantFrom<z.ZodType>(
    z.email(),
    z.url(),
    z.uuid(),
    z.iso.date(),
    z.iso.datetime(),
    z.iso.time(),
    z.iso.duration(),
    z.ipv4(),
    z.ipv6(),
    z.base64(),
    z.nanoid(),
    z.ulid(),
    z.e164(),
    z.emoji(),
    z.hostname(),
    z.string().startsWith('The '),
    z.string().endsWith('.'),
    z.string().startsWith('a').endsWith('z').includes('lm').min(12),
    z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
    z.string().regex(/^[A-Z]{3}-\d{4,}$/),
    z.string().regex(/^(?:yes|no)(?:, \w+)?$/),
    z.string().regex(/^#[0-9a-f]{6}$/i),
    z.string().uppercase(),
    z.string().lowercase(),
    z.string().trim().min(1),
  ),
);

const number: fc.Arbitrary<z.ZodType> = fc.oneof(
  fc.constant(z.number()),
  fc.constant(z.int()),
  bounds(100).map(([min, max]) => z.number().min(min).max(max)),
  bounds(100).map(([min, max]) => z.int().min(min).max(max)),
  bounds(50).map(([min, max]) =>
    z
      .number()
      .gt(min)
      .lt(max + 1),
  ),
  bounds(50).map(([min, max]) =>
    z
      .int()
      .gt(min)
      .lt(max + 2),
  ),
  fc.constantFrom<z.ZodType>(
    z.number().positive(),
    z.number().negative(),
    z.int().nonnegative().multipleOf(5),
    z.number().min(0.1).max(0.9).multipleOf(0.1),
    z.number().min(0).max(1),
    z.int().min(-10).max(-3),
  ),
);

const literal: fc.Arbitrary<z.ZodType> = fc.oneof(
  fc.constant(z.boolean()),
  fc.constant(z.null()),
  fc.uniqueArray(names, { minLength: 1, maxLength: 4 }).map((values) => z.enum(values)),
  fc.oneof(names, fc.integer(), fc.boolean()).map((value) => z.literal(value)),
  fc.constant(z.literal(['a', 7, true])),
);

const { schema: anySchema } = fc.letrec<{ schema: z.ZodType; object: z.ZodType }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'schema' },
    text,
    number,
    literal,
    tie('object'),
    fc
      .tuple(tie('schema'), bounds(8), fc.boolean())
      .map(([item, [min, max], isBounded]) =>
        isBounded ? z.array(item).min(min).max(max) : z.array(item),
      ),
    tie('schema').map((inner) => inner.nullable()),
    tie('schema').map((inner) => inner.nullish()),
    fc.tuple(tie('schema'), tie('schema')).map(([one, other]) => z.union([one, other])),
    fc.tuple(tie('schema'), tie('schema')).map(([one, other]) => z.tuple([one, other])),
    tie('schema').map((inner) => z.record(z.string(), inner)),
    tie('schema').map((inner) => z.record(z.enum(['one', 'two']), inner)),
    tie('schema').map((inner) =>
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('first'), inner }),
        z.object({ kind: z.literal('second'), text: z.string() }),
      ]),
    ),
  ),
  object: fc
    .tuple(
      fc.dictionary(names, tie('schema'), { maxKeys: 6 }),
      fc.array(names, { maxLength: 3 }),
      fc.boolean(),
    )
    .map(([shape, optional, isStrict]) => {
      const properties: Record<string, z.ZodType> = {};
      for (const [name, inner] of Object.entries(shape)) {
        properties[name] = optional.includes(name) ? inner.optional() : inner;
      }
      return isStrict ? z.strictObject(properties) : z.object(properties);
    }),
}));

describe('an answer fits its schema', () => {
  test('whatever the schema, with a document and without any text', async () => {
    await fc.assert(
      fc.asyncProperty(anySchema, fc.boolean(), async (schema, isEmpty) => {
        const options = isEmpty ? { documents: [{ name: 'empty', text: '' }], prompt: '' } : {};
        await expectFits(schema, await fill(schema, options));
      }),
      { numRuns: 400 },
    );
  });

  test('that is recursive, in every way zod writes it', async () => {
    interface Tree {
      text: string;
      children: Tree[];
    }
    const tree: z.ZodType<Tree> = z.lazy(() =>
      z.object({ text: z.string(), children: z.array(tree) }),
    );
    const list = z.object({
      text: z.string(),
      get next() {
        return list.optional();
      },
    });
    const both = z.object({ one: tree, two: tree, list });
    for (const schema of [tree, list, both]) await expectFits(schema, await fill(schema));
  });

  test('that is an intersection, has defaults, or describes anything', async () => {
    const schema = z.object({
      both: z.intersection(z.object({ title: z.string() }), z.object({ count: z.int() })),
      text: z.string().default('x'),
      anything: z.unknown(),
      loose: z.looseObject({ summary: z.string() }),
      rest: z.tuple([z.string()]).rest(z.number()),
      code: z.templateLiteral(['a-', z.number()]),
    });
    await expectFits(schema, await fill(schema));
  });

  test('also when a field is called __proto__', async () => {
    const schema: JsonSchema = {
      type: 'object',
      properties: JSON.parse('{"__proto__":{"type":"string"}}') as JsonSchema,
      required: ['__proto__'],
    };
    const output = { name: 'x', schema };
    const messages = [{ role: 'user' as const, content: 'The sea is deep.' }];
    const reply = await model.complete({ messages, output }, callOptions());
    expect(reply.text).toBe('{"__proto__":"The sea is deep."}');
  });

  test.each([
    ['never', z.object({ title: z.string(), impossible: z.never() }), 'impossible'],
    ['contradicting bounds', z.object({ size: z.int().gt(3).lt(4) }), 'size'],
    ['a pattern with a memory', z.object({ code: z.string().regex(/^(\d\d)x\1y(?=z)$/) }), 'code'],
  ])('or is refused, with the field: %s', async (_, schema, field) => {
    expect(await failureOf(fill(schema))).toMatchObject({
      code: 'model.rejected',
      message: expect.stringContaining(`"${field}"`),
    });
  });

  test('and leaves out what is optional and impossible', async () => {
    const schema = z.object({ title: z.string(), impossible: z.never().optional() });
    expect(Object.keys((await fill(schema)) as object)).toEqual(['title']);
  });
});

describe('a field gets what its name says', () => {
  test('in a brief', async () => {
    const schema = z.object({
      title: z.string(),
      summary: z.string().max(400),
      points: z
        .array(z.object({ text: z.string(), source: z.string(), quote: z.string() }))
        .min(2)
        .max(3),
      keyphrases: z.array(z.string()).max(6),
      sources: z.array(z.string()),
      headings: z.array(z.string()),
      wordCount: z.int(),
      documentCount: z.int(),
    });
    const value = schema.parse(await fill(schema));
    expect(value.title).toBe('Lights on the coast');
    expect(value.summary.length).toBeLessThanOrEqual(400);
    const source = lighthouse.text.replace(/\s+/g, ' ');
    for (const point of value.points) {
      expect(point.source).toBe('lighthouse.md');
      expect(source).toContain(point.quote);
    }
    expect(value.points).toHaveLength(3);
    expect(value.keyphrases).toHaveLength(6);
    expect(value.sources).toEqual(['lighthouse.md']);
    expect(value.headings).toEqual([
      'The Eddystone Light',
      "Smeaton's tower",
      'What engineers learned',
    ]);
    expect(value.wordCount).toBeGreaterThan(200);
  });

  test('in what lines with labels say', async () => {
    const mail = {
      name: 'mail.txt',
      text: 'Invoice number: A-17\n**Customer:** Ada Ltd.\nDue date: 2026-03-01\nTotal: 1,250.50 EUR\nPaid: yes\nPriority: high\nContact: ada@example.org\nSee https://example.org/a17.\n\nPlease pay soon.',
    };
    const schema = z.object({
      invoiceNumber: z.string().regex(/^[A-Z]-\d+$/),
      customer: z.string(),
      dueDate: z.iso.date(),
      total: z.number(),
      paid: z.boolean(),
      priority: z.enum(['low', 'high']),
      contact: z.email(),
      link: z.url(),
    });
    expect(await fill(schema, { documents: [mail] })).toEqual({
      invoiceNumber: 'A-17',
      customer: 'Ada Ltd.',
      dueDate: '2026-03-01',
      total: 1250.5,
      paid: true,
      priority: 'high',
      contact: 'ada@example.org',
      link: 'https://example.org/a17',
    });
  });

  test('by what sentences say of it, and by its description', async () => {
    const schema = z.object({
      mortar: z.string(),
      place: z.string().describe('where the tower stands today, on the Hoe of Plymouth'),
      year: z.int(),
      topic: z.enum(['bread', 'lighthouse', 'wine']),
    });
    const value = schema.parse(await fill(schema));
    expect(value.mortar).toContain('hydraulic lime, a mortar');
    expect(value.place).toContain('Plymouth Hoe');
    expect(value.year).toBe(1696);
    expect(value.topic).toBe('lighthouse');
  });

  test('in a list of its documents', async () => {
    const schema = z.object({
      documents: z.array(z.object({ name: z.string(), summary: z.string() })),
    });
    const bread = { name: 'bread.txt', text: 'Bread is made of flour. Flour is made of wheat.' };
    const value = schema.parse(await fill(schema, { documents: [lighthouse, bread] }));
    expect(value.documents.map((each) => each.name)).toEqual(['lighthouse.md', 'bread.txt']);
    expect(value.documents[1]!.summary).toMatch(/flour/i);
  });

  test('in as many items as the prompt asks for', async () => {
    const schema = z.object({ points: z.array(z.string()) });
    const prompt = 'List three points about the tower.';
    expect(schema.parse(await fill(schema, { prompt })).points).toHaveLength(3);
  });
});

test.each([
  ['^[A-Z]{3}-\\d+$'],
  ['^(?:red|green) [^aeiou\\s]{2,3}$'],
  ['^\\+?[1-9]\\d{6,14}$'],
  ['^\\p{Lu}\\p{Ll}+$'],
  ['^a|b$'],
  ['^\\x41\\u0042[\\]\\-x]+?$'],
  ['^v\\d+\\.\\d+\\.\\d+(?:-[\\w.]+)?$'],
])('a sample of %s fits it', (source) => {
  const pattern = new RegExp(source, source.includes('\\p') ? 'u' : '');
  expect(samplesOf(source, 0).some((sample) => pattern.test(sample))).toBe(true);
});
