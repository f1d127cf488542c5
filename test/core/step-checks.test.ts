import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { step } from '../../src/authoring/step.ts';
import { parseStepInput, parseStepOutput } from '../../src/core/step-checks.ts';
import { stepDefinitionOf } from '../../src/core/step-definition.ts';

const definition = stepDefinitionOf(
  step({
    name: 'draft',
    input: z.object({ topic: z.string().trim() }),
    output: z.object({ text: z.string().max(5), tags: z.array(z.string()).optional() }),
    execute: () => ({ text: '' }),
  }),
)!;
const unchecked = stepDefinitionOf(step({ name: 'free', execute: () => 1 }))!;

describe('the input of a step', () => {
  test('is what its schema makes of it', () => {
    expect(parseStepInput(definition, { topic: ' sea ', more: 1 })).toEqual({ topic: 'sea' });
  });

  test('that does not fit names every place', () => {
    expect(() => parseStepInput(definition, { topic: 7 })).toThrow(
      expect.objectContaining({
        code: 'step.input-invalid',
        message: expect.stringMatching(/The input of step draft does not fit its schema: topic: /),
      }) as Error,
    );
  });

  test('is taken as it is where there is no schema', () => {
    expect(parseStepInput(unchecked, undefined)).toBe(undefined);
  });
});

describe('the output of a step', () => {
  test('is what its schema makes of it', () => {
    expect(parseStepOutput(definition, { text: 'sea', tags: undefined })).toEqual({ text: 'sea' });
  });

  test('that does not fit is worth another attempt', () => {
    expect(() => parseStepOutput(definition, { text: 'too long', tags: [1] })).toThrow(
      expect.objectContaining({
        code: 'step.output-invalid',
        retryable: true,
        message: expect.stringMatching(/text: .*; tags\.0: /),
      }) as Error,
    );
  });

  test('that is of the wrong kind says so without a path', () => {
    expect(() => parseStepOutput(definition, 'text')).toThrow(
      /does not fit its schema: Invalid input/,
    );
  });

  test('that JSON cannot hold is refused, schema or not', () => {
    expect(() => parseStepOutput(unchecked, { at: new Date(0) })).toThrow(
      expect.objectContaining({
        code: 'input.not-json',
        details: expect.objectContaining({ what: 'the output of step free', path: '$.at' }),
      }) as Error,
    );
  });
});
