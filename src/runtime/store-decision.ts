/**
 * Stores a decision: sealed, its large payloads first, and asked again until its outcome is known.
 *
 * 1. The state takes the decision in when the append is acknowledged, and not before.
 */
import type { Decision } from '../core/decide.ts';
import { applyDecision } from '../core/evolve.ts';
import { journalStream } from '../core/ids.ts';
import { sealDecision } from '../core/journal-codec.ts';
import type { Blob } from '../core/payload.ts';
import type { RunState } from '../core/run-state.ts';
import type { Append, AppendOptions } from '../ports/event-store.ts';
import type { TraceContext } from '../ports/telemetry.ts';
import { putBlobs } from './blobs.ts';
import { observed } from './observed-work.ts';
import type { Persistence } from './persistence.ts';
import type { Services } from './services.ts';

export interface StoreDecisionOptions {
  /** ISO 8601, UTC, milliseconds. */
  readonly at: string;
  /** Id of the event that caused the fact, or empty. */
  readonly causation: string;
  readonly checks: AppendOptions | undefined;
  readonly trace: TraceContext | undefined;
  readonly persistence: Persistence;
  readonly whenAway: 'reject' | 'wait';
}

/** @throws WrongExpectedRevision, CheckFailed, EclError of the store, or `event.invalid | input.too-large` */
export const storeDecision = async (
  services: Services,
  { state, decision }: { readonly state: RunState; readonly decision: Decision },
  options: StoreDecisionOptions,
): Promise<void> => {
  const { at, causation, checks, trace, persistence, whenAway } = options;
  const { writer } = services;
  const { revision, hash, root, started } = state;
  const stream = journalStream(state.id);
  const sealed = sealDecision(
    decision.events,
    { stream, revision, hash },
    { correlation: root, causation, tenant: started.tenant, at, writer, trace },
  );
  const expectedRevision = revision === -1 ? 'no-stream' : revision;
  const work: Work = {
    append: { stream, expectedRevision, events: sealed.events },
    blobs: sealed.blobs,
    checks,
  };
  try {
    await append(services, work);
  } catch (error) {
    await persistence.repeat(() => append(services, work), error, whenAway);
  }
  applyDecision(state, decision, sealed.recorded);
};

interface Work {
  readonly append: Append;
  readonly blobs: readonly Blob[];
  readonly checks: AppendOptions | undefined;
}

/** Not an async function: nearly every append is one promise of the store and nothing else. */
const append = (services: Services, work: Work): Promise<unknown> => {
  const observation = services.telemetry?.appending?.();
  return observation === undefined
    ? stored(services, work)
    : observed(observation, () => stored(services, work));
};

const stored = ({ artifacts, store }: Services, work: Work): Promise<unknown> =>
  work.blobs.length === 0
    ? store.append(work.append, work.checks)
    : putBlobs(artifacts, work.blobs).then(() => store.append(work.append, work.checks));
