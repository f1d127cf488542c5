/** What the functions of a step are given: the step's view of the world, all of it journaled or idempotent. */
import type { z } from 'zod';
import type { ArtifactReference } from '../core/journal-events.ts';
import type { ModelDocument, ModelMessage, ModelReply } from '../ports/model.ts';

/** A tool that a model may call within a step; its calls and results are journaled. */
export interface Tool<Input = unknown> {
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodType<Input>;
  readonly execute: (input: Input) => unknown;
}

export interface PromptRequest {
  /** The last message of the user; or give `messages`. */
  readonly prompt?: string;
  readonly messages?: readonly ModelMessage[];
  readonly system?: string;
  /** Source texts, kept apart from the instructions. */
  readonly documents?: readonly ModelDocument[];
  readonly tools?: readonly Tool<never>[];
  /** Model calls of one tool loop. @default 10 */
  readonly toolRoundsMax?: number;
  /** @default 8192 */
  readonly maxTokens?: number;
  /** Another model of the configured provider. */
  readonly model?: string;
}

export type Prompt = string | PromptRequest;

/** The configured model. Every call is journaled before the step goes on, and never made again. */
export interface StepModel<Output> {
  /** As configured, for example `rules`. */
  readonly id: string;
  readonly isLanguageModel: boolean;
  text(prompt: Prompt): Promise<string>;
  /** An object that fits the step's output, or the schema given; what does not fit is repaired once. */
  object(prompt: Prompt): Promise<Output>;
  object<Value>(prompt: Prompt, schema: z.ZodType<Value>): Promise<Value>;
  /** Text as it comes; a journaled reply comes in one piece. */
  stream(prompt: Prompt): AsyncIterable<string>;
  /** The whole reply of one call, tool calls included, for those who write their own loop. */
  reply(prompt: Prompt): Promise<ModelReply>;
}

export interface StepArtifacts {
  /** Stores a document under a name and records it in the journal. */
  write(artifact: {
    name: string;
    content: string | Uint8Array;
    mediaType?: string;
  }): Promise<ArtifactReference>;
  read(reference: { sha256: string }): Promise<Uint8Array>;
  text(reference: { sha256: string }): Promise<string>;
}

export interface StepLog {
  info(message: string, details?: object): void;
  warn(message: string, details?: object): void;
  error(message: string, details?: object): void;
}

export interface StepScope<Input, Output> {
  readonly input: Input;
  /** The round within `rounds`, from 1. */
  readonly round: number;
  /** The attempt that runs, from 1. */
  readonly attempt: number;
  readonly model: StepModel<Output>;
  readonly artifacts: StepArtifacts;
  /** Journals what `produce` returns under a name; a later execution gets the recorded value. */
  once<Value>(name: string, produce: () => Value | Promise<Value>): Promise<Value>;
  readonly log: StepLog;
  /** Aborted when the step is cancelled, runs out of time or the process stops. */
  readonly signal: AbortSignal;
  /** The same for every execution of this invocation; for APIs that take one. */
  readonly idempotencyKey: string;
  /** What the review said of the draft before, when there was one. */
  readonly feedback: string | undefined;
  /** The draft before, when there was one. */
  readonly previous: Output | undefined;
}

export interface RevisionScope<Input, Output> extends StepScope<Input, Output> {
  readonly feedback: string;
  readonly previous: Output;
}
