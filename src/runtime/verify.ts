/**
 * Verification: replays journals from their first event and holds them against their hash chain, without writing.
 *
 * 1. It rests on events and artifacts alone: snapshots and read models are not looked at.
 * 2. A run whose machine is not here is checked by its chain only, and says so.
 * 3. A cut tail leaves a valid chain: it is found by an anchored head that was kept elsewhere.
 * 4. A fault in one run, or a damaged part of the store, stops no other run from being checked.
 */
import { EclError, isEclError, toErrorDocument } from '../core/errors.ts';
import { chainStart } from '../core/hash-chain.ts';
import { journalStream, runIdOfStream } from '../core/ids.ts';
import { chainFault, openEvent } from '../core/journal-codec.ts';
import { ArtifactReference } from '../core/journal-events.ts';
import type { RunState } from '../core/run-state.ts';
import type { RecordedEvent } from '../ports/event-store.ts';
import { BlobTexts } from './blobs.ts';
import { replayJournal, type Replayed } from './phases/replay-journal.ts';
import type { Services } from './services.ts';

export interface VerifyFault {
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly reason: string;
  readonly expected?: unknown;
  readonly got?: unknown;
}

export interface RunVerification {
  readonly run: string;
  /** `proven`: replayed and compared. `chain-only`: its machine is not here. */
  readonly result: 'proven' | 'chain-only' | 'fault';
  /** Of the last event. */
  readonly revision: number;
  readonly hash: string;
  /** `run@revision:hash`, to be kept elsewhere and checked later. */
  readonly head: string;
  /** Why it was not replayed. */
  readonly reason?: string;
  readonly fault?: VerifyFault;
}

export interface HeadVerification {
  readonly head: string;
  readonly ok: boolean;
  readonly reason?: string;
}

export interface Verification {
  readonly ok: boolean;
  readonly runs: readonly RunVerification[];
  readonly heads: readonly HeadVerification[];
  /** Parts of the store that could not be read. */
  readonly faults: readonly VerifyFault[];
}

export interface VerifyOptions {
  /** Only this run. @default all of the store */
  readonly run?: string;
  /** Heads that were kept elsewhere: `run@revision:hash`. */
  readonly heads?: readonly string[];
  /** Called after each run. */
  readonly onRun?: (verified: RunVerification, done: number, total: number) => void;
}

interface Head {
  readonly run: string;
  readonly revision: number;
  readonly hash: string;
}

/** @throws EclError `usage.invalid` */
const parseHead = (text: string): Head => {
  const match = /^(?<run>.+)@(?<revision>\d+):(?<hash>[0-9a-f]{64})$/.exec(text);
  if (match === null) {
    const reason = `"${text}" is not a head: write run@revision:hash, as \`ecl verify\` prints it`;
    throw new EclError('usage.invalid', { reason });
  }
  const { run, revision, hash } = match.groups as Record<'run' | 'revision' | 'hash', string>;
  return { run, revision: Number(revision), hash };
};

const hashOf = (event: RecordedEvent): string => event.metadata.hash ?? '';

/** The chain of a journal, with every event read against its schema. */
const checkChain = async (
  services: Services,
  run: string,
): Promise<{ revision: number; hash: string; fault?: VerifyFault }> => {
  const stream = journalStream(run);
  const blobs = new BlobTexts(services.artifacts);
  let revision = -1;
  let hash = chainStart;
  let type = '';
  try {
    for await (const event of services.store.readStream(stream)) {
      type = event.type;
      const reason = chainFault(event, hash, revision + 1);
      if (reason !== undefined) {
        return { revision, hash, fault: { stream, revision: event.revision, type, reason } };
      }
      const opened = openEvent(event, blobs.get);
      if ('missing' in opened) {
        await blobs.fetch(opened.missing);
        openEvent(event, blobs.get);
        blobs.clear();
      }
      ({ revision } = event);
      hash = hashOf(event);
    }
    return { revision, hash };
  } catch (error) {
    const { message: reason } = toErrorDocument(error);
    return { revision, hash, fault: { stream, revision: revision + 1, type, reason } };
  }
};

const referencesIn = (value: unknown): ArtifactReference[] => {
  if (typeof value !== 'object' || value === null) return [];
  const reference = ArtifactReference.safeParse(value);
  if (reference.success) return [reference.data];
  return Object.values(value).flatMap(referencesIn);
};

/** The files that went in and came out are there, with the content of their names. */
const artifactFault = async (
  { artifacts }: Services,
  { started, artifacts: stored }: Pick<RunState, 'started' | 'artifacts'>,
): Promise<string | undefined> => {
  try {
    for (const { sha256 } of [...referencesIn(started.input), ...stored]) {
      await artifacts.get(sha256);
    }
    return undefined;
  } catch (error) {
    return toErrorDocument(error).message;
  }
};

const replayAgain = async (services: Services, run: string): Promise<Replayed> => {
  const replayed = await replayJournal(services, run);
  if (replayed.kind !== 'blocked' || services.findWorkflow === undefined) return replayed;
  await services.findWorkflow(replayed.started, services.registry);
  return replayJournal(services, run);
};

const verifyRun = async (services: Services, run: string): Promise<RunVerification> => {
  const stream = journalStream(run);
  const at = ({ revision, hash }: { revision: number; hash: string }) => ({
    run,
    revision,
    hash,
    head: `${run}@${revision}:${hash}`,
  });
  const replayed = await replayAgain(services, run);
  if (replayed.kind === 'diverged') {
    return { ...at(replayed.head), result: 'fault', fault: { stream, ...replayed.divergence } };
  }
  if (replayed.kind === 'blocked') {
    const { fault, ...head } = await checkChain(services, run);
    if (fault !== undefined) return { ...at(head), result: 'fault', fault };
    return { ...at(head), result: 'chain-only', reason: blockedReasonOf(replayed.error) };
  }
  if (replayed.kind === 'missing') return { ...at(nothing), result: 'proven' };
  const { state } = replayed;
  const reason = await artifactFault(services, state);
  if (reason === undefined) return { ...at(state), result: 'proven' };
  const fault = { stream, revision: state.revision, type: 'artifact', reason };
  return { ...at(state), result: 'fault', fault };
};

const nothing = { revision: -1, hash: chainStart };

const blockedReasonOf = ({ details, message }: EclError): string =>
  typeof details['reason'] === 'string' ? details['reason'] : message;

const verifyHead = async ({ store }: Services, text: string): Promise<HeadVerification> => {
  const { run, revision, hash } = parseHead(text);
  const stream = journalStream(run);
  const last = await store.lastRevision(stream);
  if (last === undefined) return { head: text, ok: false, reason: `there is no run ${run}` };
  if (last < revision) {
    const reason = `the journal ends at revision ${last}: its tail was cut`;
    return { head: text, ok: false, reason };
  }
  for await (const event of store.readStream(stream, { from: revision, limit: 1 })) {
    if (event.revision === revision && hashOf(event) === hash) return { head: text, ok: true };
  }
  const reason = `revision ${revision} has another hash: its history was changed`;
  return { head: text, ok: false, reason };
};

/** The runs of the store, from its events alone. What cannot be read is passed from the other side. */
const allRuns = async ({
  store,
}: Services): Promise<{ runs: readonly string[]; faults: readonly VerifyFault[] }> => {
  const runs = new Set<string>();
  const faults: VerifyFault[] = [];
  for (const direction of ['forwards', 'backwards'] as const) {
    try {
      const filter = { streamPrefixes: ['run-'] };
      for await (const { stream } of store.readAll({ direction, filter })) {
        const run = runIdOfStream(stream);
        if (run !== undefined) runs.add(run);
      }
      break;
    } catch (error) {
      if (!isEclError(error)) throw error;
      if (direction === 'backwards') break;
      const { stream = '$all', revision = -1 } = error.details as Partial<VerifyFault>;
      faults.push({
        stream,
        revision,
        type: 'unreadable',
        reason: error.message,
      });
    }
  }
  return { runs: [...runs].toSorted(), faults };
};

/**
 * Verifies one run or all of them.
 *
 * @throws EclError `usage.invalid` for a head that is none
 */
export const verify = async (
  services: Services,
  options: VerifyOptions = {},
): Promise<Verification> => {
  const heads: HeadVerification[] = [];
  for (const head of options.heads ?? []) heads.push(await verifyHead(services, head));
  const { runs: found, faults } =
    options.run === undefined ? await allRuns(services) : { runs: [options.run], faults: [] };
  const runs: RunVerification[] = [];
  for (const run of found) {
    const verified = await verifyRun(services, run);
    runs.push(verified);
    options.onRun?.(verified, runs.length, found.length);
  }
  const isFine =
    faults.length === 0 &&
    runs.every(({ result }) => result !== 'fault') &&
    heads.every(({ ok }) => ok);
  return { ok: isFine, runs, heads, faults };
};
