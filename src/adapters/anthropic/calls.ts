/**
 * Calls of the Messages API. This is the part that needs the SDK, and that is loaded with the first call.
 *
 * 1. One call, one HTTP request: the SDK's own retries are off.
 * 2. Long answers are streamed inside, since a connection without a byte for minutes does not live.
 * 3. Only a whole message becomes a reply; whatever else happens is an error of the catalogue.
 */
import { Anthropic } from '@anthropic-ai/sdk';
import type { MessageCreateParamsBase } from '@anthropic-ai/sdk/resources/messages/messages.mjs';
import { EclError } from '../../core/errors.ts';
import type { CallOptions, Model, ModelReply, ModelRequest } from '../../ports/model.ts';
import { Accumulator } from './accumulate.ts';
import { startDeadline, type Deadline } from '../model-calls/deadline.ts';
import { toEclError } from './errors.ts';
import { guardedFetch } from './guarded-fetch.ts';
import type { AnthropicSettings } from './model.ts';
import { toReply } from './reply.ts';
import { defaultMaxTokens, toParams } from './request.ts';

export type Calls = Pick<Model, 'complete' | 'stream'>;

/** Answers that may be longer than this are streamed inside `complete`. */
const plainAnswerTokensMax = 8192;

const createClient = ({ apiKey, baseUrl, timeoutMs }: AnthropicSettings): Anthropic =>
  // Every option that the SDK would otherwise look for in the environment is given here.
  new Anthropic({
    apiKey,
    baseURL: baseUrl,
    webhookKey: null,
    maxRetries: 0,
    timeout: Math.min(Math.max(1, Math.trunc(timeoutMs)), 2 ** 31 - 1),
    logLevel: 'off',
    openTelemetry: { traces: { enabled: true, contentMode: 'metadata_only' } },
    fetch: guardedFetch(apiKey),
  });

const paramsOf = (request: ModelRequest, settings: AnthropicSettings): MessageCreateParamsBase => {
  try {
    return toParams(request, settings.model);
  } catch (error) {
    const reason = 'its output schema cannot be expressed to this model';
    throw new EclError('model.rejected', { model: settings.id, reason }, { cause: error });
  }
};

const requestOptionsOf = (
  deadline: Deadline,
  { idempotencyKey }: CallOptions,
): { signal: AbortSignal; headers: Record<string, string> } => ({
  signal: deadline.signal,
  // Anthropic makes no promise for it; gateways in front of it may.
  headers: /^[\x21-\x7e]{1,255}$/.test(idempotencyKey) ? { 'idempotency-key': idempotencyKey } : {},
});

/** Creates the calls of one model over one client. */
export const createCalls = (settings: AnthropicSettings): Calls => {
  const client = createClient(settings);

  async function* streamed(
    request: ModelRequest,
    options: CallOptions,
    deadline: Deadline,
  ): AsyncGenerator<string, ModelReply> {
    const params = { ...paramsOf(request, settings), stream: true } as const;
    const events = await client.messages.create(params, requestOptionsOf(deadline, options));
    const accumulator = new Accumulator();
    for await (const event of events) {
      const text = accumulator.add(event);
      if (text !== '') yield text;
    }
    const message = accumulator.message();
    if (message === undefined) {
      const reason = 'the stream ended before the answer was complete';
      throw new EclError('model.unavailable', { model: settings.id, reason });
    }
    return toReply(message, request, settings.id);
  }

  const plain = async (
    request: ModelRequest,
    options: CallOptions,
    deadline: Deadline,
  ): Promise<ModelReply> => {
    const params = { ...paramsOf(request, settings), stream: false } as const;
    const message = await client.messages.create(params, requestOptionsOf(deadline, options));
    return toReply(message, request, settings.id);
  };

  const drained = async (
    request: ModelRequest,
    options: CallOptions,
    deadline: Deadline,
  ): Promise<ModelReply> => {
    const answer = streamed(request, options, deadline);
    let next = await answer.next();
    while (next.done !== true) next = await answer.next();
    return next.value;
  };

  return {
    complete: async (request, options) => {
      const deadline = startDeadline(options.signal, settings.timeoutMs);
      const isLong = (request.maxTokens ?? defaultMaxTokens) > plainAnswerTokensMax;
      try {
        return await (isLong ? drained : plain)(request, options, deadline);
      } catch (error) {
        throw toEclError(error, { settings, request, deadline });
      } finally {
        deadline.clear();
      }
    },
    stream: async function* stream(request, options) {
      const deadline = startDeadline(options.signal, settings.timeoutMs);
      const answer = streamed(request, options, deadline);
      try {
        let next = await answer.next();
        for (; next.done !== true; next = await answer.next()) {
          yield { kind: 'text', text: next.value };
        }
        yield { kind: 'reply', reply: next.value };
      } catch (error) {
        throw toEclError(error, { settings, request, deadline });
      } finally {
        // Whoever stops reading ends the request: `return` of the inner generator does not run by itself.
        deadline.clear();
        await answer.return(undefined as never);
      }
    },
  };
};
