/**
 * An answer of the Messages API as a reply of the port, or as the error that it amounts to.
 *
 * 1. What came over the wire is parsed, not believed.
 * 2. An answer that was cut is no reply where half of it is worse than nothing: an object, a tool call.
 * 3. Thinking is not part of a reply; its tokens are counted in the usage.
 */
import { z } from 'zod';
import { EclError } from '../../core/errors.ts';
import type { ModelReply, ModelRequest, StopReason, ToolCall } from '../../ports/model.ts';
import { defaultMaxTokens } from './request.ts';

const Count = z.number().int().nonnegative();

const ContentBlock = z.union([
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({
    type: z.literal('tool_use'),
    id: z.string(),
    name: z.string(),
    input: z.unknown(),
  }),
  // Thinking, and kinds of later versions: nothing of them belongs in a reply.
  z.object({ type: z.string().refine((type) => type !== 'text' && type !== 'tool_use') }),
]);

const Answer = z.object({
  model: z.string(),
  content: z.array(ContentBlock),
  stop_reason: z.string(),
  stop_details: z
    .object({ category: z.string().nullish(), explanation: z.string().nullish() })
    .nullish(),
  usage: z
    .object({
      input_tokens: Count,
      output_tokens: Count,
      cache_read_input_tokens: Count.nullish(),
      cache_creation_input_tokens: Count.nullish(),
    })
    .nullish()
    // An answer is not thrown away for a count that cannot be read; its cost is unknown then.
    .catch(undefined),
});
type Answer = z.infer<typeof Answer>;

const stopReasons: Readonly<Record<string, StopReason>> = {
  end_turn: 'end',
  stop_sequence: 'stop-sequence',
  tool_use: 'tool-use',
  max_tokens: 'max-tokens',
  model_context_window_exceeded: 'max-tokens',
};

const usageOf = ({ usage }: Answer): ModelReply['usage'] =>
  usage === null || usage === undefined
    ? undefined
    : {
        inputTokens: usage.input_tokens,
        outputTokens: usage.output_tokens,
        ...(typeof usage.cache_read_input_tokens === 'number'
          ? { cacheReadTokens: usage.cache_read_input_tokens }
          : {}),
        ...(typeof usage.cache_creation_input_tokens === 'number'
          ? { cacheWriteTokens: usage.cache_creation_input_tokens }
          : {}),
      };

const contentOf = ({ content }: Answer): { text: string; toolCalls: ToolCall[] } => {
  let text = '';
  const toolCalls: ToolCall[] = [];
  for (const block of content) {
    if ('text' in block) text += block.text;
    else if ('input' in block) {
      toolCalls.push({ id: block.id, name: block.name, input: block.input });
    }
  }
  return { text, toolCalls };
};

const refusalOf = (answer: Answer): string => {
  const category = answer.stop_details?.category;
  return typeof category === 'string' ? `category ${category}` : 'no category was given';
};

/**
 * Reads an answer.
 * @throws EclError `model.malformed`, `model.refused`, `model.truncated`
 */
export const toReply = (wire: unknown, request: ModelRequest, id: string): ModelReply => {
  const parsed = Answer.safeParse(wire);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.') ?? '';
    const reason = `it is no message of the Messages API${path === '' ? '' : ` (at ${path})`}`;
    throw new EclError('model.malformed', { model: id, reason });
  }
  const answer = parsed.data;
  const usage = usageOf(answer);
  if (answer.stop_reason === 'refusal') {
    throw new EclError('model.refused', { model: id, reason: refusalOf(answer), usage });
  }
  const stopReason = Object.hasOwn(stopReasons, answer.stop_reason)
    ? stopReasons[answer.stop_reason]
    : undefined;
  if (stopReason === undefined) {
    const reason = `it stopped for an unknown reason, ${answer.stop_reason.slice(0, 40)}`;
    throw new EclError('model.malformed', { model: id, reason, usage });
  }
  const { text, toolCalls } = contentOf(answer);
  if (stopReason === 'max-tokens' && (request.output !== undefined || toolCalls.length > 0)) {
    const limit = request.maxTokens ?? defaultMaxTokens;
    throw new EclError('model.truncated', { model: id, limit, usage });
  }
  return { model: answer.model, text, toolCalls, stopReason, usage };
};
