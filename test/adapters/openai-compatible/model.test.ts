import { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createOpenAiCompatibleModel } from '../../../src/adapters/openai-compatible/model.ts';
import type { Model, ModelRequest } from '../../../src/ports/model.ts';
import { callOptions, collect, failureOf, modelContract } from '../../contracts/model-contract.ts';

const mock = new LLMock({ port: 0 });
const apiKey = 'canary-key-0123456789';

const modelAt = (options: { timeoutMs?: number; url?: string } = {}): Model =>
  createOpenAiCompatibleModel({ url: mock.url, model: 'qwen3', apiKey, ...options });

const ask = (content: string, rest: Partial<ModelRequest> = {}): ModelRequest => ({
  messages: [{ role: 'user', content }],
  ...rest,
});

/** The requests that the server itself recorded. */
const requests = () => mock.getRequests();

beforeAll(async () => {
  mock.onMessage(/Contract: tell/, { content: 'The sea is deep.' });
  mock.onMessage(/Contract: an object/, { content: '{"summary":"Deep."}' });
  mock.onMessage('hello', {
    content: 'Hi there, this is an answer of several words.',
    usage: { prompt_tokens: 11, completion_tokens: 7 },
  });
  mock.onMessage('use a tool', {
    toolCalls: [{ id: 'c1', name: 'look', arguments: '{"where":"below"}' }],
  });
  mock.onMessage('go on for ever', { content: 'and on', finishReason: 'length' });
  mock.onMessage(
    'be cut',
    { content: 'word '.repeat(200) },
    { truncateAfterChunks: 4, chunkSize: 8 },
  );
  mock.onMessage('be slow', { content: 'word '.repeat(200) }, { latency: 40, chunkSize: 8 });
  await mock.start();
});
afterAll(() => mock.stop());
beforeEach(() => mock.clearRequests());
afterEach(() => mock.clearChaos());

modelContract({ name: 'openai-compatible', open: async () => modelAt() });

describe('a call to a compatible server', () => {
  test('is one request, with the key as a bearer token', async () => {
    const reply = await modelAt().complete(ask('hello'), callOptions());
    expect(reply).toEqual({
      model: 'qwen3',
      text: 'Hi there, this is an answer of several words.',
      toolCalls: [],
      stopReason: 'end',
      usage: { inputTokens: 11, outputTokens: 7 },
    });
    expect(requests()).toHaveLength(1);
    expect(requests()[0]).toMatchObject({ path: '/v1/chat/completions', method: 'POST' });
  });

  test.each(['', '/', '/v1', '/v1/', '/v1/chat/completions'])(
    'finds the same endpoint when the address ends with "%s"',
    async (suffix) => {
      await modelAt({ url: mock.url + suffix }).complete(ask('hello'), callOptions());
      expect(requests().map((each) => each.path)).toEqual(['/v1/chat/completions']);
    },
  );

  test('streams text as it comes, then the reply with its usage', async () => {
    const chunks = await collect(modelAt().stream(ask('hello'), callOptions()));
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks.at(-1)).toEqual({
      kind: 'reply',
      reply: await modelAt().complete(ask('hello'), callOptions()),
    });
  });

  test('brings tool calls, streamed or not', async () => {
    const tools = [{ name: 'look', description: 'Looks', inputSchema: { type: 'object' } }];
    const request = ask('use a tool', { tools });
    const expected = {
      stopReason: 'tool-use',
      toolCalls: [{ id: 'c1', name: 'look', input: { where: 'below' } }],
    };
    expect(await modelAt().complete(request, callOptions())).toMatchObject(expected);
    const chunks = await collect(modelAt().stream(request, callOptions()));
    expect(chunks.at(-1)).toMatchObject({ reply: expected });
  });

  test('that stops at its limit is a reply for text and an error for an object', async () => {
    const reply = await modelAt().complete(ask('go on for ever'), callOptions());
    expect(reply).toMatchObject({ stopReason: 'max-tokens', text: 'and on' });
    const output = { name: 'x', schema: { type: 'object' } };
    const request = ask('go on for ever', { output, maxTokens: 100 });
    expect(await failureOf(modelAt().complete(request, callOptions()))).toMatchObject({
      code: 'model.truncated',
      details: { limit: 100 },
    });
  });
});

describe('a call to a compatible server that fails', () => {
  test.each([
    [429, 'model.overloaded', true],
    [529, 'model.overloaded', true],
    [500, 'model.unavailable', true],
    [503, 'model.unavailable', true],
    [504, 'model.timeout', true],
    [408, 'model.timeout', true],
    [409, 'model.unavailable', true],
    [400, 'model.rejected', false],
    [404, 'model.rejected', false],
    [413, 'model.rejected', false],
    [422, 'model.rejected', false],
    [401, 'model.credentials', false],
    [402, 'model.credentials', false],
    [403, 'model.credentials', false],
  ])('with status %d is one request and %s', async (status, code, retryable) => {
    mock.nextRequestError(status, { message: 'as the server says', type: 'some_error' });
    const error = await failureOf(modelAt().complete(ask('hello'), callOptions()));
    expect(error).toMatchObject({ name: 'EclError', code, retryable, details: { status } });
    expect(error.message).toContain('as the server says');
    expect(error.cause).toBeInstanceOf(Error);
    expect(requests()).toHaveLength(1);
  });

  test('by a rate limit says how long to wait', async () => {
    mock.setChaos({ rateLimitRate: 1 });
    expect(await failureOf(modelAt().complete(ask('hello'), callOptions()))).toMatchObject({
      code: 'model.overloaded',
      details: { retryAfterMs: 1000 },
    });
  });

  test('by a body that is no JSON is malformed', async () => {
    mock.setChaos({ malformedRate: 1 });
    expect(await failureOf(modelAt().complete(ask('hello'), callOptions()))).toMatchObject({
      code: 'model.malformed',
    });
  });

  test('by a connection that breaks, or is not taken, is unavailable', async () => {
    mock.setChaos({ disconnectRate: 1 });
    expect(await failureOf(modelAt().complete(ask('hello'), callOptions()))).toMatchObject({
      code: 'model.unavailable',
    });
    const nowhere = modelAt({ url: 'http://127.0.0.1:9' });
    const error = await failureOf(nowhere.complete(ask('hello'), callOptions()));
    expect(error).toMatchObject({ code: 'model.unavailable', retryable: true });
    expect(error.message).toContain('ECONNREFUSED');
  });

  test('in the middle of a stream is never a reply', async () => {
    const chunks: unknown[] = [];
    const reading = (async () => {
      for await (const chunk of modelAt().stream(ask('be cut'), callOptions())) chunks.push(chunk);
    })();
    expect(await failureOf(reading)).toMatchObject({ code: 'model.unavailable' });
    expect(JSON.stringify(chunks)).not.toContain('"reply"');
  });

  test('because the caller aborts it in the middle is aborted, soon', async () => {
    const controller = new AbortController();
    const started = performance.now();
    const reading = (async () => {
      for await (const chunk of modelAt().stream(ask('be slow'), callOptions(controller.signal))) {
        if (chunk.kind === 'text') controller.abort();
      }
    })();
    expect(await failureOf(reading)).toMatchObject({ code: 'model.aborted', retryable: false });
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test('because time is up says so, for a plain call and for a stream', async () => {
    mock.setChaos({ latencyMs: 1000 });
    const plain = modelAt({ timeoutMs: 100 }).complete(ask('hello'), callOptions());
    expect(await failureOf(plain)).toMatchObject({ code: 'model.timeout', retryable: true });
    mock.clearChaos();
    const slow = collect(modelAt({ timeoutMs: 200 }).stream(ask('be slow'), callOptions()));
    expect(await failureOf(slow)).toMatchObject({ code: 'model.timeout' });
  });

  test('shows neither the key nor the prompt', async () => {
    const prompt = 'CANARY the patient is Ada Lovelace';
    mock.nextRequestError(400, { message: `cannot take "${prompt}" with ${apiKey}` });
    const error = await failureOf(modelAt().complete(ask(prompt), callOptions()));
    const shown = error.message + JSON.stringify(error.toJSON()) + JSON.stringify(error);
    expect(shown).not.toContain(apiKey);
    expect(shown).not.toMatch(/CANARY|Lovelace/);
  });
});

describe('the address of a compatible server', () => {
  test.each(['', 'localhost:11434', 'ftp://host', 'file:///etc/passwd', 'http://'])(
    '"%s" is refused',
    (url) => {
      const create = () => createOpenAiCompatibleModel({ url, model: 'm' });
      expect(create).toThrow(expect.objectContaining({ code: 'config.invalid' }));
    },
  );

  test('with credentials in it is refused without showing them', () => {
    const create = () => createOpenAiCompatibleModel({ url: 'http://me:pass@host', model: 'm' });
    expect(create).toThrow(/credentials/);
    expect(create).not.toThrow(/pass@/);
  });

  test('and the model make the id', () => {
    expect(createOpenAiCompatibleModel({ url: 'http://h/v1', model: 'm' }).id).toBe(
      'openai-compatible:http://h/v1#m',
    );
  });
});
