/**
 * A model request as the body of a chat completion. It sends nothing.
 *
 * 1. Documents stand before the words of the first user message, each between marks that its own text cannot hold.
 * 2. Only parameters that all known servers take are sent.
 */
import { sha256 } from '../../core/sha256.ts';
import type { ModelDocument, ModelMessage, ModelRequest } from '../../ports/model.ts';

export const defaultMaxTokens = 8192;

type Json = Readonly<Record<string, unknown>>;

const delimited = ({ name, text, mediaType }: ModelDocument): string => {
  // A mark made of the text's own hash cannot stand in the text, so no document can end itself early.
  const mark = `document-${sha256(text).slice(0, 12)}`;
  const type = mediaType === undefined ? '' : ` type=${JSON.stringify(mediaType)}`;
  return `<${mark} name=${JSON.stringify(name)}${type}>\n${text}\n</${mark}>`;
};

const messageOf = (message: ModelMessage): Json => {
  if (message.role === 'tool') {
    const content = message.isError === true ? `Error: ${message.content}` : message.content;
    return { role: 'tool', tool_call_id: message.toolCallId, content };
  }
  if (message.role === 'user' || (message.toolCalls ?? []).length === 0) {
    return { role: message.role, content: message.content };
  }
  const calls = (message.toolCalls ?? []).map(({ id, name, input }) => ({
    id,
    type: 'function',
    function: { name, arguments: JSON.stringify(input ?? {}) },
  }));
  return { role: 'assistant', content: message.content || null, tool_calls: calls };
};

const withDocuments = (request: ModelRequest): readonly ModelMessage[] => {
  const documents = (request.documents ?? []).map(delimited).join('\n\n');
  if (documents === '') return request.messages;
  const [first, ...rest] = request.messages;
  return first?.role === 'user'
    ? [{ role: 'user', content: `${documents}\n\n${first.content}` }, ...rest]
    : [{ role: 'user', content: documents }, ...request.messages];
};

const formatOf = ({ name, schema }: NonNullable<ModelRequest['output']>): Json => ({
  type: 'json_schema',
  json_schema: { name: name.replace(/[^\w-]/g, '_').slice(0, 64) || 'output', schema },
});

/** The body of the request. */
export const toBody = (
  request: ModelRequest,
  model: string,
  options: { readonly stream: boolean },
): Json => ({
  model: request.model ?? model,
  messages: [
    ...(request.system === undefined || request.system === ''
      ? []
      : [{ role: 'system', content: request.system }]),
    ...withDocuments(request).map(messageOf),
  ],
  max_tokens: request.maxTokens ?? defaultMaxTokens,
  stream: options.stream,
  ...(options.stream ? { stream_options: { include_usage: true } } : {}),
  ...(request.output === undefined ? {} : { response_format: formatOf(request.output) }),
  ...((request.tools ?? []).length === 0
    ? {}
    : {
        tools: (request.tools ?? []).map(({ name, description, inputSchema }) => ({
          type: 'function',
          function: { name, description, parameters: inputSchema },
        })),
      }),
});

/** Every text of a request, to keep them out of errors. */
export const textsOf = (request: ModelRequest): string[] => [
  ...(request.system === undefined ? [] : [request.system]),
  ...request.messages.map((message) => message.content),
  ...(request.documents ?? []).map((document) => document.text),
];
