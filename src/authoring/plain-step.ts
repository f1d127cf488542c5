/**
 * A step outside ECL: executed once, nothing journaled, so that a machine also runs under plain `createActor` in a test.
 */
import { EclError } from '../core/errors.ts';
import { splitRound } from '../core/rounds.ts';
import { sha256 } from '../core/sha256.ts';
import type { StepDefinition } from '../core/step-definition.ts';
import { parseStepInput, parseStepOutput } from '../core/step-checks.ts';
import type { Model } from '../ports/model.ts';
import { createStepModel, type CallModel } from './step-model.ts';
import type { StepArtifacts, StepLog } from './step-scope.ts';

/** The model that plain executions call, set by ecl/testing. */
let plainModel: Model | undefined;

/** @returns the model that was set before */
export const setPlainModel = (model: Model | undefined): Model | undefined => {
  const before = plainModel;
  plainModel = model;
  return before;
};

const quiet: StepLog = { info: () => {}, warn: () => {}, error: () => {} };

const keptInMemory = (): StepArtifacts => {
  const contents = new Map<string, Uint8Array>();
  const read = (address: string): Uint8Array => {
    const content = contents.get(address);
    if (content === undefined) throw new EclError('artifact.not-found', { sha256: address });
    return content;
  };
  return {
    write: ({ name, content, mediaType = 'text/markdown' }) => {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      const address = sha256(bytes);
      contents.set(address, bytes);
      return Promise.resolve({ name, sha256: address, bytes: bytes.length, mediaType });
    },
    read: ({ sha256: address }) => Promise.resolve(read(address)),
    text: ({ sha256: address }) => Promise.resolve(new TextDecoder().decode(read(address))),
  };
};

/** One step reads what another one wrote, and what a test provides. */
export const plainArtifacts: StepArtifacts = keptInMemory();

export const executePlainly = async <Output>(
  definition: StepDefinition,
  options: { input: unknown; signal: AbortSignal },
): Promise<Output> => {
  const { input, revision } = splitRound(options.input);
  const call: CallModel = {
    complete: (request) => {
      if (plainModel === undefined) {
        const hint = 'give it one with provideModel() of ecl/testing';
        throw new EclError('model.none', { hint });
      }
      return plainModel.complete(request, { signal: options.signal, idempotencyKey: 'plain' });
    },
    id: plainModel?.id ?? 'none',
    isLanguageModel: plainModel?.isLanguageModel ?? false,
    recall: async (_, produce) => produce(),
  };
  const scope = {
    input: parseStepInput(definition, input),
    round: revision.round,
    attempt: 1,
    previous: revision.previous,
    feedback: revision.feedback,
    model: createStepModel(call, definition),
    artifacts: plainArtifacts,
    once: async <Value>(_: string, produce: () => Value | Promise<Value>) => produce(),
    log: quiet,
    signal: options.signal,
    idempotencyKey: 'plain',
  };
  const revises = revision.feedback !== undefined && definition.revise !== undefined;
  const run = revises ? definition.revise : definition.execute;
  return parseStepOutput(definition, await run(scope as never)) as Output;
};
