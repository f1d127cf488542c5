import { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createAnthropicModel } from '../../../src/adapters/anthropic/model.ts';
import type { Model, ModelRequest } from '../../../src/ports/model.ts';
import { callOptions, collect, failureOf, modelContract } from '../../contracts/model-contract.ts';

const mock = new LLMock({ port: 0 });
const apiKey = 'sk-ant-canary-key-0123456789';

const modelAt = (options: { timeoutMs?: number; model?: string } = {}): Model =>
  createAnthropicModel({ model: 'claude-sonnet-5-5', apiKey, baseUrl: mock.url, ...options });

const ask = (content: string, rest: Partial<ModelRequest> = {}): ModelRequest => ({
  messages: [{ role: 'user', content }],
  ...rest,
});

/** The requests that the server itself recorded. */
const requests = () => mock.getRequests();

beforeAll(async () => {
  mock.onMessage(/^Contract: tell/, { content: 'The sea is deep.', usage: { input_tokens: 9 } });
  mock.onMessage(/^Contract: an object/, { content: '{"summary":"Deep."}' });
  mock.onMessage('hello', {
    content: 'Hi there, this is an answer of several words.',
    usage: { input_tokens: 11, output_tokens: 7 },
  });
  mock.onMessage('use a tool', { toolCalls: [{ name: 'look', arguments: '{"where":"below"}' }] });
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

modelContract({ name: 'anthropic', open: async () => modelAt() });

describe('a call to Claude', () => {
  test('is one request, with the key, the version and the key of the call', async () => {
    const reply = await modelAt().complete(ask('hello'), callOptions());
    expect(reply).toEqual({
      model: 'claude-sonnet-5-5',
      text: 'Hi there, this is an answer of several words.',
      toolCalls: [],
      stopReason: 'end',
      usage: { inputTokens: 11, outputTokens: 7 },
    });
    expect(requests()).toHaveLength(1);
    expect(requests()[0]).toMatchObject({ path: '/v1/messages', method: 'POST' });
    expect(requests()[0]!.headers).toMatchObject({
      'anthropic-version': expect.stringMatching(/^20/),
      'idempotency-key': callOptions().idempotencyKey,
    });
  });

  test('streams text as it comes, then the reply', async () => {
    const chunks = await collect(modelAt().stream(ask('hello'), callOptions()));
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks.at(-1)).toEqual({
      kind: 'reply',
      reply: await modelAt().complete(ask('hello'), callOptions()),
    });
  });

  test('that may answer at length is streamed inside and answers the same', async () => {
    const long = ask('hello', { maxTokens: 64_000 });
    const reply = await modelAt().complete(long, callOptions());
    expect(reply).toEqual(await modelAt().complete(ask('hello'), callOptions()));
    expect(requests()[0]!.body).toMatchObject({ stream: true, max_tokens: 64_000 });
  });

  test('asks for 8192 tokens when the request does not say', async () => {
    await modelAt().complete(ask('hello'), callOptions());
    expect(requests()[0]!.body).toMatchObject({ max_tokens: 8192 });
  });

  test('goes to another model when the request names one', async () => {
    const request = ask('hello', { model: 'claude-haiku-5-5' });
    expect((await modelAt().complete(request, callOptions())).model).toBe('claude-haiku-5-5');
  });

  test.each(['complete', 'stream'] as const)('%s brings tool calls', async (way) => {
    const tools = [{ name: 'look', description: 'Looks', inputSchema: { type: 'object' } }];
    const request = ask('use a tool', { tools });
    const reply =
      way === 'complete'
        ? await modelAt().complete(request, callOptions())
        : (await collect(modelAt().stream(request, callOptions()))).at(-1);
    expect(reply).toMatchObject(
      way === 'complete'
        ? { stopReason: 'tool-use', toolCalls: [{ name: 'look', input: { where: 'below' } }] }
        : { reply: { stopReason: 'tool-use', toolCalls: [{ input: { where: 'below' } }] } },
    );
  });

  test('that stops at its limit is a reply where text was asked for', async () => {
    const reply = await modelAt().complete(ask('go on for ever'), callOptions());
    expect(reply).toMatchObject({ stopReason: 'max-tokens', text: 'and on' });
  });

  test('that stops at its limit is an error where an object was asked for', async () => {
    const output = { name: 'x', schema: { type: 'object', properties: {} } };
    const request = ask('go on for ever', { output, maxTokens: 100 });
    expect(await failureOf(modelAt().complete(request, callOptions()))).toMatchObject({
      code: 'model.truncated',
      details: { limit: 100, usage: { outputTokens: 0 } },
    });
  });

  test('reads nothing from the environment', async () => {
    vi.stubEnv('ANTHROPIC_API_KEY', 'from-the-environment');
    vi.stubEnv('ANTHROPIC_AUTH_TOKEN', 'from-the-environment');
    vi.stubEnv('ANTHROPIC_BASE_URL', 'http://127.0.0.1:9');
    vi.stubEnv('ANTHROPIC_PROFILE', 'from-the-environment');
    vi.stubEnv('ANTHROPIC_CUSTOM_HEADERS', 'X-Canary: from-the-environment\nAuthorization: no');
    try {
      await modelAt().complete(ask('hello'), callOptions());
      const { headers } = requests()[0]!;
      expect(JSON.stringify(headers)).not.toContain('from-the-environment');
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe('a call to Claude that fails', () => {
  test.each([
    [429, 'rate_limit_error', 'model.overloaded', true],
    [529, 'overloaded_error', 'model.overloaded', true],
    [500, 'api_error', 'model.unavailable', true],
    [502, 'api_error', 'model.unavailable', true],
    [503, 'api_error', 'model.unavailable', true],
    [504, 'timeout_error', 'model.timeout', true],
    [408, 'timeout_error', 'model.timeout', true],
    [409, 'conflict_error', 'model.unavailable', true],
    [400, 'invalid_request_error', 'model.rejected', false],
    [404, 'not_found_error', 'model.rejected', false],
    [413, 'request_too_large', 'model.rejected', false],
    [422, 'invalid_request_error', 'model.rejected', false],
    [401, 'authentication_error', 'model.credentials', false],
    [402, 'billing_error', 'model.credentials', false],
    [403, 'permission_error', 'model.credentials', false],
  ])('with status %d is one request and %s becomes %s', async (status, type, code, retryable) => {
    mock.nextRequestError(status, { message: 'as the provider says', type });
    const error = await failureOf(modelAt().complete(ask('hello'), callOptions()));
    expect(error).toMatchObject({ name: 'EclError', code, retryable, details: { status, type } });
    expect(error.message).toContain('as the provider says');
    expect(error.cause).toBeInstanceOf(Error);
    expect(requests()).toHaveLength(1);
  });

  test('by a rate limit says how long to wait', async () => {
    mock.setChaos({ rateLimitRate: 1 });
    expect(await failureOf(modelAt().complete(ask('hello'), callOptions()))).toMatchObject({
      code: 'model.overloaded',
      details: { retryAfterMs: 1000 },
    });
    expect(requests()).toHaveLength(1);
  });

  test('by a body that is no JSON is malformed', async () => {
    mock.setChaos({ malformedRate: 1 });
    expect(await failureOf(modelAt().complete(ask('hello'), callOptions()))).toMatchObject({
      code: 'model.malformed',
    });
    expect(requests()).toHaveLength(1);
  });

  test('by a connection that breaks is unavailable', async () => {
    mock.setChaos({ disconnectRate: 1 });
    expect(await failureOf(modelAt().complete(ask('hello'), callOptions()))).toMatchObject({
      code: 'model.unavailable',
    });
    expect(requests()).toHaveLength(1);
  });

  test('by a server that is not there is unavailable', async () => {
    const model = createAnthropicModel({ model: 'm', apiKey, baseUrl: 'http://127.0.0.1:9' });
    const error = await failureOf(model.complete(ask('hello'), callOptions()));
    expect(error).toMatchObject({ code: 'model.unavailable', retryable: true });
    expect(error.message).toMatch(/ECONNREFUSED|connection failed/);
  });

  test('in the middle of a stream is never a reply', async () => {
    const chunks: unknown[] = [];
    const reading = (async () => {
      for await (const chunk of modelAt().stream(ask('be cut'), callOptions())) chunks.push(chunk);
    })();
    expect(await failureOf(reading)).toMatchObject({ code: 'model.unavailable' });
    expect(JSON.stringify(chunks)).not.toContain('"reply"');
    const long = ask('be cut', { maxTokens: 64_000 });
    expect(await failureOf(modelAt().complete(long, callOptions()))).toMatchObject({
      code: 'model.unavailable',
    });
    expect(requests()).toHaveLength(2);
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

  test('for want of a key makes no request', async () => {
    for (const key of ['', '  ', 'sk-with\nnewline', 'ключ']) {
      const model = createAnthropicModel({ model: 'm', apiKey: key, baseUrl: mock.url });
      const error = await failureOf(model.complete(ask('hello'), callOptions()));
      expect(error).toMatchObject({ code: 'model.credentials' });
      expect(JSON.stringify(error) + error.message).not.toMatch(/newline|ключ/);
    }
    expect(requests()).toHaveLength(0);
  });

  test('for a schema that cannot be expressed makes no request', async () => {
    const output = { name: 'x', schema: { description: 'anything at all' } };
    const error = await failureOf(modelAt().complete(ask('hello', { output }), callOptions()));
    expect(error).toMatchObject({ code: 'model.rejected' });
    expect(requests()).toHaveLength(0);
  });

  test('shows neither the key nor the prompt', async () => {
    const prompt = 'CANARY the patient is Ada Lovelace';
    mock.nextRequestError(400, { message: `cannot take "${prompt}" with ${apiKey}` });
    const error = await failureOf(modelAt().complete(ask(prompt), callOptions()));
    const shown = error.message + JSON.stringify(error.toJSON()) + JSON.stringify(error);
    expect(shown).not.toContain(apiKey);
    expect(shown).not.toMatch(/CANARY|Lovelace/);
    expect(error).toMatchObject({ code: 'model.rejected', details: { status: 400 } });
  });
});
