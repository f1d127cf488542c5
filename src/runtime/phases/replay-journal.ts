/**
 * Second of four phases of an actor's life: reads the journal after the snapshot and proves it. Before:
 * load-snapshot.ts; next: running.ts.
 *
 * 1. Any journal ends in one of four ways: ready, missing, blocked (no such machine here), diverged (it does not replay).
 * 2. This phase only reads; the quarantine of a diverged run is recorded by the actor.
 */
import { EclError, isEclError } from '../../core/errors.ts';
import { chainStart } from '../../core/hash-chain.ts';
import { journalStream } from '../../core/ids.ts';
import type { JournalData } from '../../core/journal-events.ts';
import { Replay, ReplayDiverged, type Divergence, type OnDecision } from '../../core/replay.ts';
import type { RunState } from '../../core/run-state.ts';
import { BlobTexts } from '../blobs.ts';
import type { Services } from '../services.ts';

export interface JournalHead {
  readonly revision: number;
  readonly hash: string;
  /** Type of the last event. */
  readonly type: string;
  readonly at: string;
  /** Its last event cannot be read either, so nothing can be chained to it. */
  readonly unreadable?: true;
}

export type Replayed =
  | { readonly kind: 'ready'; readonly state: RunState }
  | { readonly kind: 'missing' }
  | {
      readonly kind: 'blocked';
      readonly error: EclError;
      readonly started: JournalData<'RunStarted'>;
      readonly head: JournalHead;
    }
  | {
      readonly kind: 'diverged';
      readonly divergence: Divergence;
      /** The state before the decision that does not replay; undefined when it is the first one. */
      readonly state: RunState | undefined;
      readonly started: JournalData<'RunStarted'> | undefined;
      readonly head: JournalHead;
    };

export const replayJournal = async (
  services: Services,
  id: string,
  from?: RunState,
  onDecision?: OnDecision,
): Promise<Replayed> => {
  const blobs = new BlobTexts(services.artifacts);
  let started: JournalData<'RunStarted'> | undefined = from?.started;
  const replay = new Replay({
    id,
    machineOf: (data) => {
      started = data;
      return services.registry.machineOf(id, data);
    },
    blobText: blobs.get,
    onDecision,
    ...(from === undefined ? {} : { from }),
  });
  const start = from === undefined ? 0 : from.revision + 1;
  try {
    for await (const event of services.store.readStream(journalStream(id), { from: start })) {
      const missing = replay.add(event);
      if (missing === undefined) continue;
      await blobs.fetch(missing);
      replay.add(event);
      blobs.clear();
    }
    const state = replay.finish();
    return state === undefined ? { kind: 'missing' } : { kind: 'ready', state };
  } catch (error) {
    if (isEclError(error, 'run.blocked') && started !== undefined) {
      return { kind: 'blocked', error, started, head: await journalHead(services, id) };
    }
    const divergence = divergenceOf(error, replay.head.revision + 1);
    if (divergence === undefined) throw error;
    const head = await journalHead(services, id);
    return { kind: 'diverged', divergence, state: replay.agreed, started, head };
  }
};

/** Damage that a store or an artifact reports is a divergence too: the journal is there, but does not replay. */
const divergenceOf = (error: unknown, revision: number): Divergence | undefined => {
  if (error instanceof ReplayDiverged) return error.divergence;
  const damaged = ['store.corrupt', 'artifact.not-found', 'artifact.corrupt'] as const;
  if (!damaged.some((code) => isEclError(error, code))) return undefined;
  const { details, message } = error as EclError;
  const at = typeof details['revision'] === 'number' ? details['revision'] : revision;
  return { revision: at, type: 'unreadable', reason: message };
};

const journalHead = async (services: Services, id: string): Promise<JournalHead> => {
  const stream = journalStream(id);
  const none = { revision: -1, hash: chainStart, type: '', at: '' };
  try {
    const last = services.store.readStream(stream, { direction: 'backwards', limit: 1 });
    for await (const { revision, metadata, type } of last) {
      return { revision, hash: metadata.hash ?? chainStart, type, at: metadata.at ?? '' };
    }
    return none;
  } catch (error) {
    if (!isEclError(error, 'store.corrupt')) throw error;
    const revision = (await services.store.lastRevision(stream)) ?? -1;
    return { ...none, revision, unreadable: true };
  }
};
