/**
 * The tool loop of a step: the model asks for tools, they run, it gets their answers, until it asks for none.
 *
 * 1. It is bounded, by default at 10 calls.
 * 2. Each call and each tool's answer is journaled: after a crash none of them happens again.
 * 3. A tool's failure to take its input is an answer, so that the model can mend its call.
 */
import { EclError } from '../core/errors.ts';
import { canonicalJson } from '../core/json-value.ts';
import { sha256 } from '../core/sha256.ts';
import { describeIssues } from '../core/step-checks.ts';
import type { ModelMessage, ModelReply, ModelRequest, ToolCall } from '../ports/model.ts';
import type { CallModel } from './step-model.ts';
import type { PromptRequest, Tool } from './step-scope.ts';

const toolRoundsDefault = 10;

const useTool = async (
  tools: readonly Tool<never>[],
  { name, input }: ToolCall,
): Promise<{ content: string; isError?: true }> => {
  const tool = tools.find((each) => each.name === name);
  if (tool === undefined) return { content: `There is no tool "${name}".`, isError: true };
  const parsed = tool.input.safeParse(input);
  if (!parsed.success) return { content: describeIssues(parsed.error.issues), isError: true };
  const result: unknown = await tool.execute(parsed.data);
  return { content: typeof result === 'string' ? result : (JSON.stringify(result) ?? 'done') };
};

/** Providers may give the same id twice; together with what was said before it is one of a kind. */
const recallName = (toolCall: ToolCall, messages: readonly ModelMessage[]): string =>
  `tool:${toolCall.id}:${sha256(canonicalJson(messages)).slice(0, 16)}`;

export const toolLoop = async (
  call: CallModel,
  { tools = [], toolRoundsMax = toolRoundsDefault }: PromptRequest,
  conversation: {
    messages: readonly ModelMessage[];
    request: (messages: readonly ModelMessage[]) => ModelRequest;
  },
): Promise<ModelReply> => {
  const messages = [...conversation.messages];
  for (let round = 1; ; round += 1) {
    const reply = await call.complete(conversation.request([...messages]));
    if (reply.toolCalls.length === 0 || tools.length === 0) return reply;
    if (round >= toolRoundsMax) {
      const reason = `it still calls tools after ${toolRoundsMax} rounds`;
      throw new EclError('model.malformed', { model: call.id, reason });
    }
    messages.push({ role: 'assistant', content: reply.text, toolCalls: reply.toolCalls });
    for (const toolCall of reply.toolCalls) {
      const name = recallName(toolCall, messages);
      const result = await call.recall(name, () => useTool(tools, toolCall));
      const answer = result as { content: string; isError?: true };
      messages.push({ role: 'tool', toolCallId: toolCall.id, ...answer });
    }
  }
};
