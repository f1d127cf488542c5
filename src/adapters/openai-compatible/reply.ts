/**
 * A chat completion as a reply of the port, or as the error that it amounts to.
 *
 * 1. What came over the wire is parsed, not believed; servers differ, so what is not needed is not asked for.
 * 2. An answer that was cut is no reply where half of it is worse than nothing: an object, a tool call.
 * 3. `inputTokens` leaves out what came from a cache, as the port counts it.
 */
import { z } from 'zod';
import { EclError } from '../../core/errors.ts';
import type { ModelReply, ModelRequest, StopReason, ToolCall } from '../../ports/model.ts';
import { ProviderError } from './provider-error.ts';
import { defaultMaxTokens } from './request.ts';

const Count = z.number().int().nonnegative();

const ToolCallOnTheWire = z.object({
  id: z.string().nullish(),
  function: z.object({ name: z.string(), arguments: z.unknown().optional() }),
});

const Completion = z.object({
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        finish_reason: z.string(),
        message: z.object({
          content: z.string().nullish(),
          refusal: z.string().nullish(),
          tool_calls: z.array(ToolCallOnTheWire).nullish(),
        }),
      }),
    )
    .min(1),
  usage: z
    .object({
      prompt_tokens: Count,
      completion_tokens: Count.optional(),
      prompt_tokens_details: z.object({ cached_tokens: Count.nullish() }).nullish(),
    })
    .nullish()
    // An answer is not thrown away for a count that cannot be read; its cost is unknown then.
    .catch(undefined),
});
type Completion = z.infer<typeof Completion>;

const stopReasons: Readonly<Record<string, StopReason>> = {
  stop: 'end',
  eos_token: 'end',
  stop_sequence: 'stop-sequence',
  length: 'max-tokens',
  tool_calls: 'tool-use',
  function_call: 'tool-use',
};

const usageOf = ({ usage }: Completion): ModelReply['usage'] => {
  if (usage === null || usage === undefined) return undefined;
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
  return {
    inputTokens: Math.max(0, usage.prompt_tokens - cached),
    outputTokens: usage.completion_tokens ?? 0,
    ...(cached > 0 ? { cacheReadTokens: cached } : {}),
  };
};

/** @throws SyntaxError of arguments that are no JSON */
const toolCallOf = (call: z.infer<typeof ToolCallOnTheWire>, index: number): ToolCall => {
  const { name, arguments: given } = call.function;
  const text = typeof given === 'string' ? given.trim() : undefined;
  return {
    // Some servers give no id; the place in the answer tells the calls apart as well.
    id: call.id ?? `call_${index + 1}`,
    name,
    input: text === undefined ? (given ?? {}) : text === '' ? {} : (JSON.parse(text) as unknown),
  };
};

const parse = (wire: unknown, id: string): Completion => {
  // Some gateways answer an error with status 200.
  if (typeof wire === 'object' && wire !== null && 'error' in wire && wire.error) {
    throw new ProviderError(undefined, wire);
  }
  const parsed = Completion.safeParse(wire);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.join('.') ?? '';
  const reason = `it is no chat completion${path === '' ? '' : ` (at ${path})`}`;
  throw new EclError('model.malformed', { model: id, reason });
};

/**
 * Reads a completion.
 * @throws EclError `model.malformed`, `model.refused`, `model.truncated`; ProviderError
 */
export const toReply = (wire: unknown, request: ModelRequest, id: string): ModelReply => {
  const completion = parse(wire, id);
  const { finish_reason: finish, message } = completion.choices[0]!;
  const usage = usageOf(completion);
  if (finish === 'content_filter' || (message.refusal ?? '') !== '') {
    const reason = finish === 'content_filter' ? 'its content filter stopped it' : 'it says so';
    throw new EclError('model.refused', { model: id, reason, usage });
  }
  const known = Object.hasOwn(stopReasons, finish) ? stopReasons[finish] : undefined;
  if (known === undefined) {
    const reason = `it stopped for an unknown reason, ${finish.slice(0, 40)}`;
    throw new EclError('model.malformed', { model: id, reason, usage });
  }
  const calls = message.tool_calls ?? [];
  if (known === 'max-tokens' && (request.output !== undefined || calls.length > 0)) {
    const limit = request.maxTokens ?? defaultMaxTokens;
    throw new EclError('model.truncated', { model: id, limit, usage });
  }
  return {
    model: completion.model ?? request.model ?? id,
    text: message.content ?? '',
    toolCalls: calls.map(toolCallOf),
    stopReason: calls.length > 0 ? 'tool-use' : known,
    usage,
  };
};
