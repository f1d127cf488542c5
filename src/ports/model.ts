/**
 * A model: something that answers a request with text, an object or tool calls. Usually a language model behind an
 * API; `rules` is not one and says so.
 *
 * 1. One call is one request and one answer or one error; retries belong to the runtime, never to an adapter.
 * 2. Errors are EclErrors of the `model.*` codes; `details.retryAfterMs` carries what the provider asked for.
 * 3. A partial answer is an error, never a reply.
 */

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface ModelDocument {
  readonly name: string;
  readonly text: string;
  /** @default 'text/plain' */
  readonly mediaType?: string;
}

export type ModelMessage =
  | { readonly role: 'user'; readonly content: string }
  | {
      readonly role: 'assistant';
      readonly content: string;
      readonly toolCalls?: readonly ToolCall[];
    }
  | {
      readonly role: 'tool';
      readonly toolCallId: string;
      readonly content: string;
      readonly isError?: boolean;
    };

export interface ModelTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
}

export interface ModelRequest {
  /** Another model of the same provider than the configured one. */
  readonly model?: string;
  readonly system?: string;
  readonly messages: readonly ModelMessage[];
  /** Source texts, given to the model apart from the messages, before the first of them. */
  readonly documents?: readonly ModelDocument[];
  readonly tools?: readonly ModelTool[];
  /** The answer must be JSON that fits this schema. */
  readonly output?: { readonly name: string; readonly schema: JsonSchema };
  /** @default 8192 */
  readonly maxTokens?: number;
}

export type StopReason = 'end' | 'max-tokens' | 'tool-use' | 'stop-sequence';

export interface ModelUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
}

export interface ModelReply {
  /** The model that answered, as the provider names it. */
  readonly model: string;
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly stopReason: StopReason;
  /** Undefined when the provider does not say. */
  readonly usage: ModelUsage | undefined;
}

export interface CallOptions {
  readonly signal: AbortSignal;
  /**
   * The same for every execution of the same call, and never that of another request. Where calls were made side by side,
   * one that is made again after a crash may have another.
   */
  readonly idempotencyKey: string;
}

export type ModelChunk =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'reply'; readonly reply: ModelReply };

export interface Model {
  /** As configured: `anthropic:claude-sonnet-5-5`, `rules`, … */
  readonly id: string;
  /** False for `rules`: everything that shows an answer says so. */
  readonly isLanguageModel: boolean;
  /** @throws EclError of a `model.*` code */
  complete(request: ModelRequest, options: CallOptions): Promise<ModelReply>;
  /** Text as it comes, then the whole reply as the last chunk. @throws EclError of a `model.*` code */
  stream(request: ModelRequest, options: CallOptions): AsyncIterable<ModelChunk>;
}
