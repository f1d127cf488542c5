/**
 * A run as it was when it had just started: what its first decision alone makes of it. It is the same answer however
 * often and however late it is asked for.
 */
import { journalStream } from '../core/ids.ts';
import { Replay } from '../core/replay.ts';
import type { RunState } from '../core/run-state.ts';
import type { RecordedEvent } from '../ports/event-store.ts';
import { BlobTexts } from './blobs.ts';
import type { Services } from './services.ts';

/** The events of one decision name the first of them as their cause. */
const firstDecision = async (services: Services, id: string): Promise<RecordedEvent[]> => {
  const events: RecordedEvent[] = [];
  for await (const event of services.store.readStream(journalStream(id))) {
    if (events.length > 0 && event.metadata.$causationId !== events[0]!.id) break;
    events.push(event);
  }
  return events;
};

/**
 * The state after the first decision; undefined when there is no such run.
 *
 * @throws EclError `run.blocked`, and `ReplayDiverged` when it does not replay
 */
export const startedState = async (
  services: Services,
  id: string,
): Promise<RunState | undefined> => {
  const blobs = new BlobTexts(services.artifacts);
  const replay = new Replay({
    id,
    machineOf: (data) => services.registry.machineOf(id, data),
    blobText: blobs.get,
  });
  for (const event of await firstDecision(services, id)) {
    const missing = replay.add(event);
    if (missing === undefined) continue;
    await blobs.fetch(missing);
    replay.add(event);
  }
  return replay.finish();
};
