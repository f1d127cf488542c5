/** What goes in, what is passed between the steps, and what comes out. */
import { file, verdict } from 'ecl';
import { z } from 'zod';

/** Text of all files together, in bytes: about 130 000 tokens. */
export const filesBytesMax = 512 * 1024;

const filesMax = 50;

export const Input = z
  .object({
    files: z.array(file()).min(1).max(filesMax).describe('The text files to read.'),
    instructions: z
      .string()
      .trim()
      .min(1)
      .max(10_000)
      .describe('What the document is to say, in your own words.'),
    criteria: z
      .array(z.string().trim().min(1).max(500))
      .max(20)
      .default([])
      .describe('What a reviewer holds the document against.'),
    title: z
      .string()
      .trim()
      .min(1)
      .max(150)
      .optional()
      .describe('Title of the document; without it, one is found.'),
  })
  .superRefine(({ files }, refused) => {
    const bytes = files.reduce((sum, each) => sum + each.bytes, 0);
    if (bytes <= filesBytesMax) return;
    refused.addIssue({
      code: 'custom',
      path: ['files'],
      message: `together they have ${bytes} bytes; document-review reads up to ${filesBytesMax}. Leave files out or split them`,
    });
  });
export type Input = z.infer<typeof Input>;

export const Point = z.object({
  text: z.string().min(1).max(1000).describe('The point, in one or two sentences.'),
  quote: z
    .string()
    .min(1)
    .max(1000)
    .describe('The sentence of the file that it rests on, word for word.'),
  source: z.string().min(1).describe('Name of that file.'),
});
export type Point = z.infer<typeof Point>;

/** What is extracted, and revised until the review passes. */
export const Extraction = z.object({
  title: z.string().min(1).max(150),
  summary: z.string().min(1).max(6000).describe('Answers the instructions, in plain prose.'),
  points: z.array(Point).min(1).max(30).describe('What the files say, most important first.'),
});
export type Extraction = z.infer<typeof Extraction>;

/** What a language model says of each criterion. */
export const Judgement = verdict().extend({
  criteria: z
    .array(
      z.object({
        number: z.int().min(1).describe('Number of the criterion, from 1.'),
        met: z.boolean(),
        comment: z.string().max(500).describe('Why, in one sentence.'),
      }),
    )
    .describe('One entry for each criterion.'),
});

export const CriterionResult = z.object({
  criterion: z.string(),
  result: z.enum(['met', 'not met', 'not judged']),
  comment: z.string(),
});

/** A verdict, with what it rests on. */
export const Review = verdict().extend({
  criteria: z.array(CriterionResult),
  quotes: z.object({ checked: z.number(), found: z.number() }),
  files: z.object({ given: z.number(), used: z.number() }),
});
export type Review = z.infer<typeof Review>;

/** Who let the document pass. */
export const Acceptance = z.enum(['review', 'person', 'replaced']);
export type Acceptance = z.infer<typeof Acceptance>;

export const Source = z.object({
  name: z.string(),
  sha256: z.string(),
  bytes: z.number(),
  mediaType: z.string(),
});

export const Output = z.object({
  title: z.string(),
  summary: z.string(),
  /** The last verdict of the review. */
  decision: z.enum(['pass', 'revise', 'reject']),
  acceptedBy: Acceptance,
  rounds: z.number(),
  /** The finished document, an artifact. */
  document: Source,
});
export type Output = z.infer<typeof Output>;
