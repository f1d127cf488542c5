/**
 * What OpenTelemetry calls the parts of a model call: its semantic conventions for generative AI, as of version 1.41.
 * They are still changing, so nothing of them stands anywhere else.
 *
 * 1. Prompts and answers are no attributes, though the conventions have some for them.
 * 2. Tokens of the prompt count those that came from a cache, which ECL counts apart.
 */
import type { Attributes } from '@opentelemetry/api';
import type { CallOutcome, ObservedCall } from '../../ports/telemetry.ts';

const operation = 'chat';

/** Names by which the conventions know providers; ECL's own kinds stand for themselves. */
const providers: Readonly<Record<string, string>> = {
  anthropic: 'anthropic',
  // The API is OpenAI's, whoever speaks it.
  'openai-compatible': 'openai',
};

/** `openai-compatible:<url>#<model>` and `anthropic:<model>`, taken apart. */
const partsOf = (id: string): { kind: string; model: string; url: URL | undefined } => {
  const colon = id.indexOf(':');
  const kind = colon === -1 ? id : id.slice(0, colon);
  const rest = colon === -1 ? id : id.slice(colon + 1);
  const hash = rest.lastIndexOf('#');
  if (kind !== 'openai-compatible' || hash === -1) return { kind, model: rest, url: undefined };
  const address = rest.slice(0, hash);
  return {
    kind,
    model: rest.slice(hash + 1),
    url: URL.canParse(address) ? new URL(address) : undefined,
  };
};

const serverOf = (url: URL | undefined): Attributes => {
  if (url === undefined) return {};
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return { 'server.address': url.hostname, 'server.port': port };
};

/** Name of the span and its attributes when the call begins. */
export const requestOf = (call: ObservedCall): { name: string; attributes: Attributes } => {
  const { kind, model, url } = partsOf(call.model);
  const requested = call.requested ?? model;
  return {
    name: `${operation} ${requested}`,
    attributes: {
      'gen_ai.operation.name': operation,
      'gen_ai.provider.name': providers[kind] ?? kind,
      'gen_ai.request.model': requested,
      ...(call.maxTokens === undefined ? {} : { 'gen_ai.request.max_tokens': call.maxTokens }),
      'gen_ai.request.stream': call.isStream,
      'gen_ai.output.type': call.isObject ? 'json' : 'text',
      'gen_ai.conversation.id': call.run.id,
      ...serverOf(url),
    },
  };
};

/** The conventions' words for why a model stopped. */
const finishReasons = {
  end: 'stop',
  'max-tokens': 'length',
  'tool-use': 'tool_calls',
  'stop-sequence': 'stop',
} as const;

/** What its end adds. */
export const replyOf = ({ reply }: CallOutcome): Attributes => {
  if (reply === undefined) return {};
  const { model, stopReason, usage } = reply;
  const { cacheReadTokens = 0, cacheWriteTokens = 0 } = usage ?? {};
  return {
    'gen_ai.response.model': model,
    'gen_ai.response.finish_reasons': [finishReasons[stopReason]],
    ...(usage === undefined
      ? {}
      : {
          'gen_ai.usage.input_tokens': usage.inputTokens + cacheReadTokens + cacheWriteTokens,
          'gen_ai.usage.output_tokens': usage.outputTokens,
          'gen_ai.usage.cache_read.input_tokens': cacheReadTokens,
          'gen_ai.usage.cache_creation.input_tokens': cacheWriteTokens,
        }),
  };
};
