/**
 * What a step sees of a model: text, object and stream, over one primitive, a journaled call.
 *
 * 1. An object that does not fit its schema is repaired once: the model gets its own answer and the issues.
 * 2. What the model wants of tools is carried out by tool-loop.ts.
 */
import { z } from 'zod';
import { EclError } from '../core/errors.ts';
import { assertJson } from '../core/json-value.ts';
import { describeIssues } from '../core/step-checks.ts';
import type { StepDefinition } from '../core/step-definition.ts';
import type { JsonSchema, ModelMessage, ModelReply, ModelRequest } from '../ports/model.ts';
import type { Prompt, PromptRequest, StepModel } from './step-scope.ts';
import { toolLoop } from './tool-loop.ts';

/** A call as the runtime makes it: journaled, priced, within a budget. */
export interface CallModel {
  readonly id: string;
  readonly isLanguageModel: boolean;
  complete(request: ModelRequest): Promise<ModelReply>;
  /** Text chunks, then the reply; without it the reply comes in one piece. */
  readonly stream?: (request: ModelRequest) => AsyncIterable<string>;
  /** Journals a value of the step under a name, or gives the recorded one. */
  recall(name: string, produce: () => Promise<unknown>): Promise<unknown>;
}

const asRequest = (prompt: Prompt): PromptRequest =>
  typeof prompt === 'string' ? { prompt } : prompt;

const messagesOf = ({ prompt, messages = [] }: PromptRequest): ModelMessage[] => [
  ...messages,
  ...(prompt === undefined ? [] : [{ role: 'user', content: prompt } as const]),
];

const jsonSchemaOf = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });

const toModelRequest = (
  prompt: PromptRequest,
  messages: readonly ModelMessage[],
  output?: RequestedOutput,
): ModelRequest => ({
  messages,
  ...(prompt.model === undefined ? {} : { model: prompt.model }),
  ...(prompt.system === undefined ? {} : { system: prompt.system }),
  ...(prompt.documents === undefined ? {} : { documents: prompt.documents }),
  ...(prompt.maxTokens === undefined ? {} : { maxTokens: prompt.maxTokens }),
  ...(output === undefined ? {} : { output }),
  ...(prompt.tools === undefined
    ? {}
    : {
        tools: prompt.tools.map(({ name, description, input }) => ({
          name,
          description,
          inputSchema: jsonSchemaOf(input),
        })),
      }),
});

const parseJson = (text: string): unknown => {
  const fenced = /^\s*```(?:json)?\s*([\s\S]*?)\s*```\s*$/.exec(text);
  return JSON.parse(fenced?.[1] ?? text);
};

const fit = <Value>(
  schema: z.ZodType<Value>,
  text: string,
): { value: Value } | { issues: string } => {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    return { issues: `it is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  try {
    assertJson(json, 'it');
  } catch (error) {
    return { issues: (error as Error).message };
  }
  const parsed = schema.safeParse(json);
  return parsed.success ? { value: parsed.data } : { issues: describeIssues(parsed.error.issues) };
};

interface RequestedOutput {
  readonly name: string;
  readonly schema: JsonSchema;
}

export const createStepModel = <Output>(
  call: CallModel,
  definition: StepDefinition,
): StepModel<Output> => {
  const converse = (
    prompt: PromptRequest,
    messages: readonly ModelMessage[],
    output?: RequestedOutput,
  ) => toolLoop(call, prompt, { messages, request: (all) => toModelRequest(prompt, all, output) });

  const object = async <Value>(prompt: Prompt, schema?: z.ZodType<Value>): Promise<Value> => {
    const wanted = (schema ?? definition.output) as z.ZodType<Value> | undefined;
    if (wanted === undefined) {
      throw new TypeError(`model.object in step ${definition.name} needs a schema`);
    }
    const request = asRequest(prompt);
    const messages = messagesOf(request);
    const output = { name: definition.name, schema: jsonSchemaOf(wanted) };
    const first = await converse(request, messages, output);
    const answer = fit(wanted, first.text);
    if ('value' in answer) return answer.value;
    const repaired = await converse(
      request,
      [
        ...messages,
        { role: 'assistant', content: first.text },
        {
          role: 'user',
          content: `Your answer does not fit the schema: ${answer.issues}\nAnswer again, with the corrected JSON only.`,
        },
      ],
      output,
    );
    const second = fit(wanted, repaired.text);
    if ('value' in second) return second.value;
    throw new EclError('step.output-invalid', { step: definition.name, issues: second.issues });
  };

  return {
    id: call.id,
    isLanguageModel: call.isLanguageModel,
    object,
    text: async (prompt) => {
      const request = asRequest(prompt);
      return (await converse(request, messagesOf(request))).text;
    },
    reply: (prompt) => {
      const request = asRequest(prompt);
      return call.complete(toModelRequest(request, messagesOf(request)));
    },
    async *stream(prompt) {
      const request = toModelRequest(asRequest(prompt), messagesOf(asRequest(prompt)));
      if (call.stream === undefined) yield (await call.complete(request)).text;
      else yield* call.stream(request);
    },
  };
};
