/**
 * `rules`: a model that is no language model. It reads real text by rules (TextRank, keyphrases, readability, tables of
 * wordy phrases) and answers a request without a network, a key, randomness or a clock.
 *
 * 1. The same request gets the same answer, in every process.
 * 2. An answer with a schema fits the schema; a schema that cannot be filled is refused, with the field.
 * 3. Nothing is made up: every sentence of an answer comes from the request or says what was counted.
 * 4. It never calls a tool.
 */
import { EclError } from '../../core/errors.ts';
import type { CallOptions, Model, ModelReply, ModelRequest } from '../../ports/model.ts';
import { contentOf } from './content.ts';
import { fillSchema } from './fill-schema.ts';
import { interpret } from './interpret.ts';

const id = 'rules';

const refuseAborted = ({ signal }: CallOptions): void => {
  if (signal.aborted) throw new EclError('model.aborted', { model: id });
};

const answer = (request: ModelRequest): string => {
  const content = contentOf(interpret(request));
  if (request.output === undefined) {
    return content.value === undefined ? content.main : JSON.stringify(content.value);
  }
  const filled = fillSchema(request.output.schema, content);
  if ('value' in filled) return JSON.stringify(filled.value);
  const reason = `its rules find no value for the field "${filled.failedAt}" of the output`;
  throw new EclError('model.rejected', { model: id, reason });
};

const complete = async (request: ModelRequest, options: CallOptions): Promise<ModelReply> => {
  refuseAborted(options);
  return {
    model: id,
    text: answer(request),
    toolCalls: [],
    stopReason: 'end',
    usage: { inputTokens: 0, outputTokens: 0 },
  };
};

/** Creates the offline model. */
export const createRulesModel = (): Model => ({
  id,
  isLanguageModel: false,
  complete,
  stream: async function* stream(request, options) {
    const reply = await complete(request, options);
    for (const text of reply.text.match(/\S+\s*|\s+/g) ?? []) {
      refuseAborted(options);
      yield { kind: 'text', text };
    }
    yield { kind: 'reply', reply };
  },
});
