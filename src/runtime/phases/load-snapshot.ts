/**
 * First of four phases of an actor's life: looks for a snapshot to start from. Next: replay-journal.ts.
 *
 * 1. A snapshot is believed only when the journal has, at its revision, an event of its hash.
 * 2. Anything wrong with it, and it counts as absent: a full replay gives the same state, only later.
 */
import { isEclError } from '../../core/errors.ts';
import { snapshotStream, journalStream } from '../../core/ids.ts';
import { restoreSnapshot, takeSnapshot, type RunSnapshot } from '../../core/snapshot.ts';
import type { RunState } from '../../core/run-state.ts';
import { sha256 } from '../../core/sha256.ts';
import { eventIdOfHash } from '../../core/hash-chain.ts';
import type { RecordedEvent } from '../../ports/event-store.ts';
import type { Services } from '../services.ts';

const firstOf = async (
  events: AsyncIterable<RecordedEvent>,
): Promise<RecordedEvent | undefined> => {
  for await (const event of events) return event;
  return undefined;
};

export const loadSnapshot = async (
  services: Services,
  id: string,
): Promise<RunState | undefined> => {
  const { store, registry, logger } = services;
  try {
    const newest = await firstOf(
      store.readStream(snapshotStream(id), { direction: 'backwards', limit: 1 }),
    );
    if (newest === undefined) return undefined;
    const snapshot = JSON.parse(newest.data) as RunSnapshot;
    const at = await firstOf(
      store.readStream(journalStream(id), { from: snapshot.revision, limit: 1 }),
    );
    if (at === undefined || at.metadata.hash !== snapshot.hash) return undefined;
    const machine = registry.machineOf(id, snapshot.started);
    return restoreSnapshot(id, snapshot, machine);
  } catch (error) {
    // The journal will say so, with both sides.
    if (isEclError(error, 'run.blocked')) return undefined;
    logger.warn(
      { run: id, err: error },
      'the snapshot is not usable; the whole journal is replayed',
    );
    return undefined;
  }
};

/** Stores a snapshot of a state whose decisions are all stored. A failure costs time at the next load, nothing else. */
export const saveSnapshot = async (services: Services, state: RunState): Promise<void> => {
  const stream = snapshotStream(state.id);
  const data = JSON.stringify(takeSnapshot(state));
  if (Buffer.byteLength(data) > services.limits.snapshotBytesMax) return;
  try {
    if ((await services.store.lastRevision(stream)) === undefined) {
      await services.store.setStreamMetadata(stream, { maxCount: 1 });
    }
    await services.store.append({
      stream,
      expectedRevision: 'any',
      events: [
        {
          id: eventIdOfHash(sha256(`${stream}\n${state.revision}\n${services.writer}`)),
          type: 'RunSnapshotTaken',
          data,
          metadata: { tenant: state.started.tenant, at: state.updatedAt, schema: 1 },
        },
      ],
    });
  } catch (error) {
    services.logger.warn({ run: state.id, err: error }, 'the snapshot was not stored');
  }
};
