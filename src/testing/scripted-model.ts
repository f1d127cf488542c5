/** A model that answers from a script and remembers what it was asked. */
import { createScriptedModel } from '../adapters/scripted/model.ts';
import type { Script } from '../adapters/scripted/script.ts';
import type { Model, ModelRequest } from '../ports/model.ts';

export interface ScriptedModel extends Model {
  /** Every request so far, in order; those that nothing answered too. */
  readonly requests: readonly ModelRequest[];
}

/**
 * The first entry that matches and is not used up answers. An entry without `match` matches everything; each answers
 * once unless `times` says otherwise.
 *
 * @example
 * const model = scriptedModel([
 *   { match: { schema: 'draft' }, reply: { object: { text: 'The sea is wide.' } } },
 *   { match: { schema: 'critique' }, reply: { object: { decision: 'pass', feedback: '' } } },
 * ]);
 */
export const scriptedModel = (script: Script): ScriptedModel => {
  const model = createScriptedModel(script);
  const requests: ModelRequest[] = [];
  return {
    id: model.id,
    isLanguageModel: model.isLanguageModel,
    requests,
    complete: (request, options) => {
      requests.push(request);
      return model.complete(request, options);
    },
    stream: (request, options) => {
      requests.push(request);
      return model.stream(request, options);
    },
  };
};

export const asModel = (model: Model | Script): Model =>
  'complete' in model ? model : scriptedModel(model);
