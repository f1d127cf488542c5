/**
 * Beside the four phases: the quarantine of a run that does not replay stands in its journal, so that everybody sees it,
 * once for each divergence. Before: replay-journal.ts.
 */
import { journalStream, rootRunId } from '../../core/ids.ts';
import { sealDecision } from '../../core/journal-codec.ts';
import type { Fact } from '../../core/journal-events.ts';
import { putBlobs } from '../blobs.ts';
import type { Services } from '../services.ts';
import type { Replayed } from './replay-journal.ts';

type Diverged = Extract<Replayed, { kind: 'diverged' }>;

const quarantineOf = ({ divergence }: Diverged): Fact => {
  const { revision, type, reason, expected, got } = divergence;
  return {
    type: 'RunQuarantined',
    data: {
      revision,
      reason: `${type}: ${reason}`,
      ...(expected === undefined ? {} : { expected }),
      ...(got === undefined ? {} : { got }),
      pending: false,
    },
  };
};

/** It never throws: a quarantine that was not recorded is found again at the next load. */
export const recordQuarantine = async (
  services: Services,
  id: string,
  diverged: Diverged,
): Promise<void> => {
  const { head, started } = diverged;
  const { readOnly, ownership, artifacts, store } = services;
  // Of several processes, which may know other machines, only the owner says that a run does not replay.
  if (readOnly || ownership?.owns(id) === false) return;
  if (head.type === 'RunQuarantined' || head.revision === -1 || head.unreadable === true) return;
  const stream = journalStream(id);
  const correlation = rootRunId(id);
  const sealed = sealDecision(
    [quarantineOf(diverged)],
    { stream, revision: head.revision, hash: head.hash },
    {
      correlation,
      causation: '',
      tenant: started?.tenant ?? 'default',
      at: new Date(services.clock.now()).toISOString(),
      writer: services.writer,
    },
  );
  try {
    await putBlobs(artifacts, sealed.blobs);
    const append = { stream, expectedRevision: head.revision, events: sealed.events };
    await store.append(append, ownership?.appendOptions(id));
    const line = { run: id, revision: head.revision + 1, correlation, fact: 'RunQuarantined' };
    services.logger.error(line, 'the run does not replay; it is quarantined');
  } catch (error) {
    services.logger.error({ run: id, err: error }, 'the quarantine was not recorded');
  }
};
