/**
 * What every model does, a language model or not. Run it with `modelContract(...)` in a test file.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EclError } from '../../src/core/errors.ts';
import type { CallOptions, Model, ModelChunk, ModelRequest } from '../../src/ports/model.ts';

export interface ModelContractOptions {
  readonly name: string;
  /** A model that answers `textRequest` with some text and `objectRequest` with an object of its schema. */
  readonly open: () => Promise<Model>;
  readonly close?: () => Promise<void>;
  readonly isLanguageModel?: boolean;
}

/** Options of a call that nobody aborts. */
export const callOptions = (signal: AbortSignal = new AbortController().signal): CallOptions => ({
  signal,
  idempotencyKey: 'run-default.test.1/draft/1/1',
});

const textRequest: ModelRequest = {
  messages: [
    { role: 'user', content: 'Contract: tell me about the sea.\nThe sea is deep. It is salty.' },
  ],
};

const objectRequest: ModelRequest = {
  messages: [{ role: 'user', content: 'Contract: an object.\nThe sea is deep. It is salty.' }],
  output: {
    name: 'summary',
    schema: {
      type: 'object',
      properties: { summary: { type: 'string' } },
      required: ['summary'],
      additionalProperties: false,
    },
  },
};

export const collect = async (chunks: AsyncIterable<ModelChunk>): Promise<ModelChunk[]> => {
  const collected: ModelChunk[] = [];
  for await (const chunk of chunks) collected.push(chunk);
  return collected;
};

/** What a failing call threw; fails where it did not. */
export const failureOf = async (call: Promise<unknown>): Promise<EclError> => {
  try {
    await call;
  } catch (error) {
    return error as EclError;
  }
  throw new Error('the call did not fail');
};

export const modelContract = (options: ModelContractOptions): void => {
  describe(`${options.name} keeps the contract of models`, () => {
    let model: Model;
    beforeAll(async () => {
      model = await options.open();
    });
    afterAll(async () => options.close?.());

    test('it says what it is', () => {
      expect(model.id).not.toBe('');
      expect(model.isLanguageModel).toBe(options.isLanguageModel ?? true);
    });

    test('a prompt gets text, and the reply names the model and the reason it stopped', async () => {
      const reply = await model.complete(textRequest, callOptions());
      expect(reply.text).not.toBe('');
      expect(reply.model).not.toBe('');
      expect(reply).toMatchObject({ toolCalls: [], stopReason: 'end' });
      expect(Object.keys(reply)).toContain('usage');
    });

    test('a request with a schema gets JSON that fits it', async () => {
      const reply = await model.complete(objectRequest, callOptions());
      expect(JSON.parse(reply.text)).toEqual({ summary: expect.any(String) });
    });

    test('a stream ends with the reply, and its texts put together are the text of it', async () => {
      const chunks = await collect(model.stream(textRequest, callOptions()));
      const last = chunks.at(-1);
      expect(chunks.filter((chunk) => chunk.kind === 'reply')).toHaveLength(1);
      expect(last?.kind).toBe('reply');
      const texts = chunks.map((chunk) => (chunk.kind === 'text' ? chunk.text : ''));
      expect(last).toMatchObject({ reply: { text: texts.join(''), stopReason: 'end' } });
    });

    test('a call that was aborted before it began is aborted', async () => {
      const aborted = callOptions(AbortSignal.abort());
      expect(await failureOf(model.complete(textRequest, aborted))).toMatchObject({
        name: 'EclError',
        code: 'model.aborted',
      });
      expect(await failureOf(collect(model.stream(textRequest, aborted)))).toMatchObject({
        code: 'model.aborted',
      });
    });

    test('a reader that stops early ends the stream without an error', async () => {
      for await (const chunk of model.stream(textRequest, callOptions())) {
        expect(['text', 'reply']).toContain(chunk.kind);
        break;
      }
    });
  });
};
