import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createAnthropicModel } from '../../../src/adapters/anthropic/model.ts';
import type { JsonSchema, Model, ModelRequest } from '../../../src/ports/model.ts';
import { callOptions, collect, failureOf } from '../../contracts/model-contract.ts';
import { TestServer } from './server.ts';

const server = new TestServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

const model = (options: { timeoutMs?: number } = {}): Model =>
  createAnthropicModel({
    id: 'mine',
    model: 'claude-sonnet-5-5',
    apiKey: 'the-key',
    baseUrl: `${server.url}/`,
    ...options,
  });

const ask = (rest: Partial<ModelRequest> = {}): ModelRequest => ({
  messages: [{ role: 'user', content: 'hello' }],
  ...rest,
});

const message = (rest: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-5-5',
  content: [{ type: 'text', text: 'Hello.' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 5, output_tokens: 2 },
  ...rest,
});

const complete = (request: ModelRequest = ask()) => model().complete(request, callOptions());

describe('what goes over the wire to Claude', () => {
  test('documents stand before the words, tool results together, and empty turns vanish', async () => {
    server.json(message());
    await complete({
      system: 'You are brief.',
      messages: [
        { role: 'user', content: 'Compare.' },
        {
          role: 'assistant',
          content: '',
          toolCalls: [
            { id: 't1', name: 'look', input: { a: 1 } },
            { id: 't2', name: 'look', input: undefined },
          ],
        },
        { role: 'tool', toolCallId: 't1', content: 'one' },
        { role: 'tool', toolCallId: 't2', content: 'two', isError: true },
        { role: 'user', content: 'Go on.' },
        { role: 'assistant', content: '' },
      ],
      documents: [
        { name: 'a.txt', text: 'Text of a.' },
        { name: 'b.md', text: ' ', mediaType: 'text/markdown' },
      ],
      tools: [{ name: 'look', description: 'Looks.', inputSchema: { type: 'object' } }],
    });
    expect(server.received[0]!.body).toEqual({
      model: 'claude-sonnet-5-5',
      max_tokens: 8192,
      stream: false,
      system: 'You are brief.',
      tools: [{ name: 'look', description: 'Looks.', input_schema: { type: 'object' } }],
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'document',
              title: 'a.txt',
              source: { type: 'text', media_type: 'text/plain', data: 'Text of a.' },
            },
            {
              type: 'document',
              title: 'b.md',
              context: 'Media type: text/markdown',
              source: { type: 'text', media_type: 'text/plain', data: '(empty)' },
            },
            { type: 'text', text: 'Compare.' },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'tool_use', id: 't1', name: 'look', input: { a: 1 } },
            { type: 'tool_use', id: 't2', name: 'look', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 't1', content: 'one' },
            { type: 'tool_result', tool_use_id: 't2', content: 'two', is_error: true },
            { type: 'text', text: 'Go on.' },
          ],
        },
      ],
    });
    expect(server.received[0]!.headers['authorization']).toBe('Bearer the-key');
  });

  test.each([
    ['a verdict', z.object({ decision: z.enum(['pass', 'revise']), feedback: z.string().max(9) })],
    [
      'bounds, formats, unions and optionals',
      z.object({
        points: z.array(z.string().min(2)).min(2).max(5),
        email: z.email().optional(),
        size: z.number().int().min(1).max(9),
        either: z.union([z.string(), z.object({ kind: z.literal('a') })]),
      }),
    ],
  ])('the schema of %s is what the zod helper of the SDK sends', async (_, schema) => {
    server.json(message({ content: [{ type: 'text', text: '{}' }] }));
    const jsonSchema = z.toJSONSchema(schema, { reused: 'ref' }) as JsonSchema;
    await complete(ask({ output: { name: 'x', schema: jsonSchema } }));
    const helper = zodOutputFormat(schema);
    expect(server.received[0]!.body['output_config']).toEqual({
      format: { type: 'json_schema', schema: helper.schema },
    });
  });
});

describe('what comes over the wire from Claude', () => {
  test('cache tokens are part of the usage, thinking is not part of the text', async () => {
    server.json(
      message({
        content: [
          { type: 'thinking', thinking: 'Hm.', signature: 's' },
          { type: 'text', text: 'One. ' },
          { type: 'text', text: 'Two.' },
        ],
        usage: {
          input_tokens: 1,
          output_tokens: 2,
          cache_read_input_tokens: 3,
          cache_creation_input_tokens: 4,
        },
      }),
    );
    expect(await complete()).toMatchObject({
      text: 'One. Two.',
      usage: { inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 4 },
    });
  });

  test.each([[undefined], [null], [{}], [{ input_tokens: -1, output_tokens: 'x' }]])(
    'the usage %j is undefined, not zero, and costs no answer',
    async (usage) => {
      server.json(message({ usage }));
      expect(await complete()).toMatchObject({ text: 'Hello.', usage: undefined });
    },
  );

  test.each([
    ['end_turn', 'end'],
    ['stop_sequence', 'stop-sequence'],
    ['tool_use', 'tool-use'],
    ['max_tokens', 'max-tokens'],
    ['model_context_window_exceeded', 'max-tokens'],
  ])('the stop reason %s is %s', async (wire, stopReason) => {
    server.json(message({ stop_reason: wire }));
    expect(await complete()).toMatchObject({ stopReason });
  });

  test('a refusal is an error with its category and its usage, not a reply', async () => {
    server.json(
      message({
        content: [],
        stop_reason: 'refusal',
        stop_details: { type: 'refusal', category: 'bio', explanation: 'hello' },
      }),
    );
    expect(await failureOf(complete())).toMatchObject({
      code: 'model.refused',
      retryable: false,
      message: 'The model mine refused: category bio',
      details: { usage: { inputTokens: 5, outputTokens: 2 } },
    });
  });

  test('half of a tool call is an error, not a reply', async () => {
    const content = [{ type: 'tool_use', id: 't', name: 'look', input: { a: 1 } }];
    server.json(message({ content, stop_reason: 'max_tokens' }));
    expect(await failureOf(complete())).toMatchObject({ code: 'model.truncated' });
  });

  test.each([
    ['an empty object', {}],
    ['a stop reason that is not known', message({ stop_reason: 'pause_turn' })],
    ['no stop reason', message({ stop_reason: null })],
    ['a text without text', message({ content: [{ type: 'text' }] })],
    ['a list', []],
    ['null', 'null'],
    ['half a JSON', '{"id":'],
    ['nothing', ''],
  ])('%s is malformed', async (_, body) => {
    server.json(body);
    expect(await failureOf(complete())).toMatchObject({ code: 'model.malformed', retryable: true });
    expect(server.received).toHaveLength(1);
  });

  test('a page of HTML with status 200 is malformed', async () => {
    server.json('<html>Welcome to the hotel</html>', { headers: { 'content-type': 'text/html' } });
    expect(await failureOf(complete())).toMatchObject({ code: 'model.malformed' });
  });

  test('a redirect is not followed, so the key stays here', async () => {
    server.json('', { status: 307, headers: { location: `${server.url}/elsewhere` } });
    expect(await failureOf(complete())).toMatchObject({
      code: 'model.rejected',
      details: { status: 307 },
    });
    expect(server.received.map((each) => each.path)).toEqual(['/v1/messages']);
  });

  test('an answer without an end is cut off at the size of a payload', async () => {
    server.answer((response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const chunk = Buffer.alloc(1024 * 1024, ' ');
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    expect(await failureOf(complete())).toMatchObject({ code: 'model.malformed' });
    expect(server.received).toHaveLength(1);
  });

  test.each([
    ['contract_spend_limit_reached', 429, 'model.credentials'],
    ['enforced_spend_limit_reached', 429, 'model.credentials'],
    ['ramp_limit_exceeded', 429, 'model.overloaded'],
    ['organization_on_hold', 400, 'model.credentials'],
    ['linked_organization_spend_limit_reached', 402, 'model.credentials'],
    ['compaction_unavailable', 529, 'model.overloaded'],
    ['a code of next year', 400, 'model.rejected'],
  ])('the error code %s with status %d is %s', async (errorCode, status, code) => {
    const error = { type: 'x', message: 'm', details: { error_code: errorCode } };
    server.json({ type: 'error', error }, { status, headers: { 'request-id': 'req_1' } });
    expect(await failureOf(complete())).toMatchObject({ code, details: { requestId: 'req_1' } });
  });

  test('an exhausted credit that comes as an invalid request is a matter of credentials', async () => {
    const text = 'Your credit balance is too low to access the Anthropic API.';
    const error = { type: 'invalid_request_error', message: text };
    server.json({ type: 'error', error }, { status: 400 });
    expect(await failureOf(complete())).toMatchObject({ code: 'model.credentials' });
  });

  test.each([
    [{ 'retry-after': '7' }, 7000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after-ms': '1234', 'retry-after': '7' }, 1234],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('the headers %j ask to wait %s ms', async (headers, retryAfterMs) => {
    server.json({ error: { type: 'overloaded_error', message: 'm' } }, { status: 529, headers });
    const error = await failureOf(complete());
    expect(error.details['retryAfterMs']).toBe(retryAfterMs);
  });

  test('an error without a body still says its status', async () => {
    server.json('', { status: 500 });
    expect((await failureOf(complete())).message).toContain('status 500');
  });
});

describe('a stream from Claude', () => {
  const event = (type: string, data: Record<string, unknown> = {}): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;

  const start = event('message_start', {
    message: message({
      content: [],
      stop_reason: null,
      usage: { input_tokens: 5, output_tokens: 1 },
    }),
  });
  const text = [
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hello' } }),
    event('ping'),
    event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: ' there' } }),
    event('content_block_stop', { index: 0 }),
  ].join('');
  const end = (stopReason: string): string =>
    event('message_delta', { delta: { stop_reason: stopReason }, usage: { output_tokens: 9 } }) +
    event('message_stop');

  const streamOf = (body: string, options: { keepOpen?: boolean } = {}) => {
    server.answer((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(body);
      if (options.keepOpen !== true) response.end();
    });
    return collect(model({ timeoutMs: 400 }).stream(ask(), callOptions()));
  };

  test('counts what the last event says and keeps what the first one said', async () => {
    expect((await streamOf(start + text + end('end_turn'))).at(-1)).toEqual({
      kind: 'reply',
      reply: {
        model: 'claude-sonnet-5-5',
        text: 'Hello there',
        toolCalls: [],
        stopReason: 'end',
        usage: { inputTokens: 5, outputTokens: 9 },
      },
    });
  });

  const whole = start + text + end('end_turn');
  const cuts = Array.from({ length: 12 }, (_, index) => Math.floor((whole.length * index) / 12));
  test.each(cuts)('that closes in good order after %d characters is no reply', async (length) => {
    expect(await failureOf(streamOf(whole.slice(0, length)))).toMatchObject({
      code: expect.stringMatching(/^model\.(unavailable|malformed)$/),
      retryable: true,
    });
    expect(server.received).toHaveLength(1);
  });

  test('that refuses in the middle is refused', async () => {
    const refused = start + text + end('refusal');
    expect(await failureOf(streamOf(refused))).toMatchObject({ code: 'model.refused' });
  });

  test.each([
    ['overloaded_error', 'model.overloaded'],
    ['api_error', 'model.unavailable'],
    ['invalid_request_error', 'model.rejected'],
  ])('that fails in the middle with %s is %s', async (type, code) => {
    const failing = start + text + event('error', { error: { type, message: 'm' } });
    expect(await failureOf(streamOf(failing))).toMatchObject({ code });
  });

  const toolStart = event('content_block_start', {
    index: 0,
    content_block: { type: 'tool_use', id: 't', name: 'look', input: {} },
  });
  const toolDelta = (json: string): string =>
    event('content_block_delta', {
      index: 0,
      delta: { type: 'input_json_delta', partial_json: json },
    });

  test('brings the input of a tool in pieces', async () => {
    const body = start + toolStart + toolDelta('{"a":') + toolDelta('[1,2]}') + end('tool_use');
    expect((await streamOf(body)).at(-1)).toMatchObject({
      reply: { toolCalls: [{ id: 't', name: 'look', input: { a: [1, 2] } }] },
    });
  });

  test('with an input that is no JSON is malformed, and with one that was cut truncated', async () => {
    const half = start + toolStart + toolDelta('{"a":');
    expect(await failureOf(streamOf(half + end('tool_use')))).toMatchObject({
      code: 'model.malformed',
    });
    expect(await failureOf(streamOf(half + end('max_tokens')))).toMatchObject({
      code: 'model.truncated',
    });
  });

  test.each([
    ['data that is no JSON', `${start}event: message_delta\ndata: {"type":\n\n`],
    [
      'a block that never began',
      start + text.split('\n\n').slice(1).join('\n\n') + end('end_turn'),
    ],
    [
      'an event without its parts',
      `${start}event: content_block_delta\ndata: {"type":"content_block_delta"}\n\n`,
    ],
  ])('with %s is an error', async (_, body) => {
    const error = await failureOf(streamOf(body));
    expect(error).toMatchObject({ name: 'EclError', retryable: true });
  });

  test('that drips for ever ends with the time limit, and the connection with it', async () => {
    server.answer((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(start);
      const timer = setInterval(() => response.write(event('ping')), 20);
      response.on('close', () => clearInterval(timer));
    });
    const started = performance.now();
    const dripping = collect(model({ timeoutMs: 300 }).stream(ask(), callOptions()));
    expect(await failureOf(dripping)).toMatchObject({ code: 'model.timeout' });
    expect(performance.now() - started).toBeLessThan(2300);
    await expect.poll(() => server.closedEarly).toBe(1);
  });

  test('whose reader stops early closes the connection', async () => {
    server.answer((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(start + text);
    });
    for await (const chunk of model().stream(ask(), callOptions())) {
      expect(chunk).toEqual({ kind: 'text', text: 'Hello' });
      break;
    }
    await expect.poll(() => server.closedEarly).toBe(1);
  });
});

test('the SDK is loaded by the first call and not before', async () => {
  let isLoaded = false;
  vi.resetModules();
  vi.doMock('@anthropic-ai/sdk', async (original) => {
    isLoaded = true;
    return original();
  });
  try {
    const { createAnthropicModel: create } =
      await import('../../../src/adapters/anthropic/model.ts');
    const fresh = create({ model: 'm', apiKey: 'k', baseUrl: server.url });
    expect([fresh.id, isLoaded]).toEqual(['anthropic:m', false]);
    server.json(message());
    await fresh.complete(ask(), callOptions());
    expect(isLoaded).toBe(true);
  } finally {
    vi.doUnmock('@anthropic-ai/sdk');
  }
});
