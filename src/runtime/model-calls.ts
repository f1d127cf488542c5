/**
 * Model calls of one execution of a step: recalled from the journal or made, priced and journaled.
 *
 * 1. A reply is stored before the step sees it, so no crash makes the same call twice.
 * 2. Calls are matched by the hash of their request, so calls made side by side are recalled in any order.
 * 3. A budget is asked before a call; what it costs is counted from the journal.
 */
import { EclError } from '../core/errors.ts';
import { parseRunId } from '../core/ids.ts';
import type { JournalData } from '../core/journal-events.ts';
import { assertJson, canonicalJson } from '../core/json-value.ts';
import { costOf } from '../core/prices.ts';
import { sha256 } from '../core/sha256.ts';
import type { OpenStep, RunState } from '../core/run-state.ts';
import type { Model, ModelChunk, ModelReply, ModelRequest } from '../ports/model.ts';
import type { Observation, TraceContext } from '../ports/telemetry.ts';
import type { CallModel } from '../authoring/step-model.ts';
import { Abandoned, type Cancellation } from './cancellation.ts';
import { textOfExecution } from './model-text.ts';
import { observedCall } from './observed-work.ts';
import type { Ownership } from './ownership/ownership.ts';
import type { RunActor } from './run-actor.ts';
import { checkBudget } from './run-budget.ts';
import type { Services } from './services.ts';

type Replied = JournalData<'ModelReplied'>;

export interface Execution {
  readonly services: Services;
  readonly actor: RunActor;
  readonly step: OpenStep;
  readonly cancellation: Cancellation;
  /** Of the attempt, where somebody observes it. */
  readonly observation?: Observation;
}

const noModel = (services: Services): Model => {
  if (services.model !== undefined) return services.model;
  throw new EclError('model.none', { hint: 'set ECL_MODEL or pass `model` to createEcl' });
};

const asReply = ({ model, text, toolCalls = [], stopReason, usage }: Replied): ModelReply => ({
  model,
  text,
  toolCalls: toolCalls.map((call) => ({ ...call })),
  stopReason: stopReason as ModelReply['stopReason'],
  usage:
    usage === undefined
      ? undefined
      : {
          inputTokens: usage.inputTokens,
          outputTokens: usage.outputTokens,
          ...(usage.cacheReadTokens === undefined
            ? {}
            : { cacheReadTokens: usage.cacheReadTokens }),
          ...(usage.cacheWriteTokens === undefined
            ? {}
            : { cacheWriteTokens: usage.cacheWriteTokens }),
        },
});

const tenantOf = ({ id }: RunActor): string => parseRunId(id).tenant;

/** Calls in flight over all steps of a run, for its budget. */
const inFlight = new WeakMap<RunActor, number>();

/** A call that another process may make, or has made, is not made here. */
const checkOwner = async (ownership: Ownership, run: string): Promise<void> => {
  if (!(await ownership.mayGoOn(run))) throw new Abandoned('another process owns the run');
};

const reserved = async <Result>(actor: RunActor, call: () => Promise<Result>): Promise<Result> => {
  inFlight.set(actor, (inFlight.get(actor) ?? 0) + 1);
  try {
    return await call();
  } finally {
    inFlight.set(actor, inFlight.get(actor)! - 1);
  }
};

/** By the model that answered; one behind another vendor's address may bear a known name, but not its price. */
const priced = (model: Model, reply: ModelReply, services: Services): Replied['cost'] => {
  const name = model.id.startsWith('anthropic:') ? reply.model : model.id;
  const cost = costOf(name, reply.usage, services.prices);
  return 'usd' in cost ? { usd: cost.usd } : { unknown: cost.reason };
};

const journal = async (
  { services, actor, step }: Execution,
  reply: ModelReply,
  call: {
    number: number;
    hash: string;
    model: Model;
    latencyMs: number;
    trace: TraceContext | undefined;
  },
): Promise<void> => {
  const data: Replied = {
    invocation: step.invocation,
    attempt: step.attempt,
    call: call.number,
    request: call.hash,
    model: reply.model,
    text: reply.text,
    ...(reply.toolCalls.length === 0
      ? {}
      : { toolCalls: reply.toolCalls.map((each) => ({ ...each })) }),
    stopReason: reply.stopReason,
    ...(reply.usage === undefined ? {} : { usage: reply.usage }),
    cost: priced(call.model, reply, services),
    latencyMs: Math.max(0, call.latencyMs),
  };
  const stillOpen = (state: RunState): boolean => state.steps.has(step.invocation);
  await actor.submit((state) => (stillOpen(state) ? { type: 'ModelReplied', data } : undefined), {
    whenAway: 'wait',
    asOwner: true,
    trace: call.trace,
  });
};

async function* inOnePiece(text: string): AsyncIterable<string> {
  yield text;
}

/** What a running call pushes, until it settles; its failure is thrown after the last piece. */
async function* streamed(
  run: (push: (text: string) => void) => Promise<unknown>,
): AsyncIterable<string> {
  const pieces: string[] = [];
  let wake = (): void => {};
  let settled: { error?: unknown } | undefined;
  const settle = (outcome: { error?: unknown }): void => {
    settled = outcome;
    wake();
  };
  run((text) => {
    pieces.push(text);
    wake();
  }).then(
    () => settle({}),
    (error: unknown) => settle({ error }),
  );
  for (;;) {
    const text = pieces.shift();
    if (text !== undefined) yield text;
    else if (settled !== undefined) break;
    else await new Promise<void>((resolve) => (wake = resolve));
  }
  if (settled.error !== undefined) throw settled.error;
}

const replyOfStream = async (
  { id }: Model,
  chunks: AsyncIterable<ModelChunk>,
  show: (text: string) => void,
): Promise<ModelReply> => {
  for await (const chunk of chunks) {
    if (chunk.kind === 'reply') return chunk.reply;
    show(chunk.text);
  }
  throw new EclError('model.malformed', { model: id, reason: 'the stream ended without a reply' });
};

/** Takes the recorded reply to a request out of those that are left. */
const takeReply = (recorded: Replied[], hash: string): ModelReply | undefined => {
  const at = recorded.findIndex(({ request }) => request === hash);
  if (at === -1) return undefined;
  const [reply] = recorded.splice(at, 1);
  return asReply(reply!);
};

export const modelCalls = (execution: Execution): CallModel => {
  const { services, actor, step, cancellation } = execution;
  const recorded = [...step.replies];
  let number = step.calls;
  const { invocation, attempt } = step;
  const shown = textOfExecution(services.neighbours.modelText, {
    run: actor.id,
    invocation,
    attempt,
    writer: services.writer,
  });

  const made = async (
    request: ModelRequest,
    { hash, isStream }: { readonly hash: string; readonly isStream: boolean },
    make: (model: Model, key: string, call: number) => Promise<ModelReply>,
  ): Promise<ModelReply> => {
    if (services.ownership !== undefined) await checkOwner(services.ownership, actor.id);
    checkBudget(services, actor.state, inFlight.get(actor) ?? 0);
    const model = noModel(services);
    number += 1;
    const own = number;
    const call = async (): Promise<ModelReply> => {
      const startedAt = services.clock.now();
      const { reply, trace } = await observedCall(execution, request, {
        model,
        number: own,
        isStream,
        // After a crash among calls side by side the count alone may be that of another request.
        make: () => make(model, `${actor.id}/${invocation}/${own}/${hash.slice(0, 16)}`, own),
      });
      const latencyMs = services.clock.now() - startedAt;
      await journal(execution, reply, { number: own, hash, model, latencyMs, trace });
      cancellation.signal.throwIfAborted();
      return reply;
    };
    // Reserved in the same turn as the run's budget was asked: that of the day takes its time.
    return reserved(actor, () => services.dailyBudget?.spend(tenantOf(actor), call) ?? call());
  };

  return {
    id: services.model?.id ?? 'none',
    isLanguageModel: services.model?.isLanguageModel ?? false,
    complete: async (request) => {
      const hash = sha256(canonicalJson(request));
      const known = takeReply(recorded, hash);
      if (known !== undefined) return known;
      return made(request, { hash, isStream: false }, (model, idempotencyKey) =>
        model.complete(request, { signal: cancellation.signal, idempotencyKey }),
      );
    },
    stream: (request) => {
      const hash = sha256(canonicalJson(request));
      const known = takeReply(recorded, hash);
      if (known !== undefined) return inOnePiece(known.text);
      return streamed((push) =>
        made(request, { hash, isStream: true }, (model, idempotencyKey, call) => {
          const show = shown(call);
          const { signal } = cancellation;
          return replyOfStream(model, model.stream(request, { signal, idempotencyKey }), (text) => {
            push(text);
            show(text);
          });
        }),
      );
    },
    recall: (name, produce) => recall(execution, name, produce),
  };
};

/** A value of the step that is produced once and recorded under its name. */
export const recall = async (
  { actor, step, observation }: Execution,
  name: string,
  produce: () => unknown,
): Promise<unknown> => {
  // A state that was read again knows what was recorded since this execution began.
  const { values } = actor.state?.steps.get(step.invocation) ?? step;
  if (values.has(name)) return values.get(name);
  const value: unknown = await produce();
  const { invocation } = step;
  const data = { invocation, name, ...(value === undefined ? {} : { value }) };
  assertJson(value, `the value "${name}"`);
  await actor.submit(
    (state) => (state.steps.has(invocation) ? { type: 'ValueRecorded', data } : undefined),
    { whenAway: 'wait', asOwner: true, trace: observation?.trace },
  );
  return value;
};
