/**
 * A model request as the body of Anthropic's Messages API. It sends nothing.
 *
 * 1. Documents stand before the words of the first user message, each a block with its name as the title.
 * 2. The output schema goes through the transformation of the SDK's zod helper, so the wire carries what
 *    `zodOutputFormat` would send for the schema that the caller turned into JSON Schema.
 * 3. Results of tools stand together in one user message, before other words of it, as the API wants them.
 */
import type {
  ContentBlockParam,
  MessageCreateParamsBase,
  MessageParam,
  Tool,
} from '@anthropic-ai/sdk/resources/messages/messages.mjs';
import { transformJSONSchema } from '@anthropic-ai/sdk/lib/transform-json-schema.mjs';
import type {
  JsonSchema,
  ModelDocument,
  ModelMessage,
  ModelRequest,
  ModelTool,
} from '../../ports/model.ts';

export const defaultMaxTokens = 8192;

const documentBlock = (document: ModelDocument): ContentBlockParam => ({
  type: 'document',
  title: document.name,
  // The API refuses an empty block; a document that is empty is still a fact to the model.
  source: {
    type: 'text',
    media_type: 'text/plain',
    data: document.text.trim() === '' ? '(empty)' : document.text,
  },
  ...(document.mediaType === undefined ? {} : { context: `Media type: ${document.mediaType}` }),
});

const blocksOf = (message: ModelMessage): ContentBlockParam[] => {
  if (message.role === 'tool') {
    return [
      {
        type: 'tool_result',
        tool_use_id: message.toolCallId,
        content: message.content,
        ...(message.isError === true ? { is_error: true } : {}),
      },
    ];
  }
  const blocks: ContentBlockParam[] = [];
  if (message.content !== '') blocks.push({ type: 'text', text: message.content });
  if (message.role === 'assistant') {
    for (const { id, name, input } of message.toolCalls ?? []) {
      blocks.push({ type: 'tool_use', id, name, input: input ?? {} });
    }
  }
  return blocks;
};

/** Neighbours of one side become one message; empty ones vanish, as the API refuses them. */
const messagesOf = (request: ModelRequest): MessageParam[] => {
  const messages: { role: 'user' | 'assistant'; content: ContentBlockParam[] }[] = [];
  for (const message of request.messages) {
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const content = blocksOf(message);
    const last = messages.at(-1);
    if (last?.role === role) last.content.push(...content);
    else if (content.length > 0) messages.push({ role, content });
  }
  const documents = (request.documents ?? []).map(documentBlock);
  if (documents.length === 0) return messages;
  const first = messages[0];
  if (first?.role === 'user') first.content.unshift(...documents);
  else messages.unshift({ role: 'user', content: documents });
  return messages;
};

const toolOf = ({ name, description, inputSchema }: ModelTool): Tool => ({
  name,
  description,
  input_schema: { ...inputSchema, type: 'object' },
});

/** @throws Error where the schema cannot be expressed */
const formatOf = (schema: JsonSchema): NonNullable<MessageCreateParamsBase['output_config']> => ({
  format: { type: 'json_schema', schema: transformJSONSchema(schema) },
});

/** The body of the request. @throws Error where the output schema cannot be expressed */
export const toParams = (request: ModelRequest, model: string): MessageCreateParamsBase => ({
  model: request.model ?? model,
  max_tokens: request.maxTokens ?? defaultMaxTokens,
  messages: messagesOf(request),
  ...(request.system === undefined || request.system === '' ? {} : { system: request.system }),
  ...(request.tools === undefined || request.tools.length === 0
    ? {}
    : { tools: request.tools.map(toolOf) }),
  ...(request.output === undefined ? {} : { output_config: formatOf(request.output.schema) }),
});

/** Every text of a request, to keep them out of errors. */
export const textsOf = (request: ModelRequest): string[] => [
  ...(request.system === undefined ? [] : [request.system]),
  ...request.messages.map((message) => message.content),
  ...(request.documents ?? []).map((document) => document.text),
];
