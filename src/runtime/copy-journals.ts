/**
 * Copies journals from one store into another, with the artifacts that they name.
 *
 * 1. Every event is checked against its chain before it is stored, at its exact revision, byte by byte as it was; so a
 *    copy has the heads of what it was made of.
 * 2. It can end anywhere and be begun again: what is there already is compared by its hash and passed over.
 * 3. Events keep their order over all runs. Artifacts are stored before the events that name them.
 * 4. A journal that is damaged, or that goes another way in the other store, is reported and left; the others go on.
 */
import { chainStart } from '../core/hash-chain.ts';
import { EclError, isEclError, toErrorDocument } from '../core/errors.ts';
import { journalPrefix, runIdOfStream } from '../core/ids.ts';
import { chainFault } from '../core/journal-codec.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { Append, EventStore, RecordedEvent } from '../ports/event-store.ts';
import { ArtifactCopy } from './copy-artifacts.ts';

export interface CopySide {
  readonly events: EventStore;
  readonly artifacts: ArtifactStore;
}

export interface CopyFault {
  readonly stream: string;
  readonly revision: number;
  readonly reason: string;
}

export interface Copied {
  readonly ok: boolean;
  readonly runs: number;
  /** `present` were in the other store already. */
  readonly events: { readonly copied: number; readonly present: number };
  readonly artifacts: { readonly copied: number; readonly present: number };
  readonly faults: readonly CopyFault[];
}

export interface CopyOptions {
  readonly from: CopySide;
  readonly to: CopySide;
  /** Called after each append with the events that are done. */
  readonly onProgress?: (events: number) => void;
}

/** One append holds at most as much, over all its streams. */
const appendEventsMax = 500;
const appendBytesMax = 2 * 1024 * 1024;

interface Head {
  revision: number;
  hash: string;
}

export const copyJournals = async (options: CopyOptions): Promise<Copied> => {
  const copy = new JournalCopy(options);
  const filter = { streamPrefixes: [journalPrefix()] };
  for await (const event of options.from.events.readAll({ filter })) await copy.take(event);
  return copy.end();
};

class JournalCopy {
  readonly #options: CopyOptions;
  readonly #artifacts: ArtifactCopy;
  /** Where each journal of the source has got to. */
  readonly #heads = new Map<string, Head>();
  /** Where those of the other store ended when they were first met. */
  readonly #present = new Map<string, Head>();
  readonly #faults = new Map<string, CopyFault>();
  #appends: { stream: string; expectedRevision: number | 'no-stream'; events: RecordedEvent[] }[] =
    [];
  #events = 0;
  #bytes = 0;
  #copied = 0;
  #passedOver = 0;

  constructor(options: CopyOptions) {
    this.#options = options;
    this.#artifacts = new ArtifactCopy(options.from.artifacts, options.to.artifacts);
  }

  async take(event: RecordedEvent): Promise<void> {
    const { stream, revision } = event;
    if (runIdOfStream(stream) === undefined || this.#faults.has(stream)) return;
    const head = this.#heads.get(stream) ?? { revision: -1, hash: chainStart };
    const fault = chainFault(event, head.hash, head.revision + 1);
    if (fault !== undefined) return this.#fault(event, fault);
    const hash = event.metadata.hash ?? '';
    this.#heads.set(stream, { revision, hash });
    const present = this.#present.get(stream) ?? (await this.#headOf(stream));
    this.#present.set(stream, present);
    if (revision < present.revision) this.#passedOver += 1;
    else if (revision === present.revision && hash === present.hash) this.#passedOver += 1;
    else if (revision === present.revision) this.#fault(event, 'the other store has another event');
    else await this.#add(event);
  }

  async end(): Promise<Copied> {
    await this.#flush();
    for (const [stream, head] of this.#heads) {
      const there = await this.#headOf(stream);
      if (this.#faults.has(stream)) continue;
      if (there.revision === head.revision && there.hash === head.hash) continue;
      const reason =
        there.revision > head.revision
          ? 'the other store has gone on with it'
          : 'the other store does not have its last event';
      this.#faults.set(stream, { stream, revision: head.revision, reason });
    }
    const { artifacts } = this.#artifacts;
    return {
      ok: this.#faults.size === 0 && this.#artifacts.missing.length === 0,
      runs: this.#heads.size,
      events: { copied: this.#copied, present: this.#passedOver },
      artifacts,
      faults: [...this.#faults.values(), ...this.#artifacts.missing],
    };
  }

  #fault({ stream, revision }: RecordedEvent, reason: string): void {
    this.#faults.set(stream, { stream, revision, reason });
  }

  async #headOf(stream: string): Promise<Head> {
    const { events } = this.#options.to;
    const newest = events.readStream(stream, { direction: 'backwards', limit: 1 });
    for await (const { revision, metadata } of newest) {
      return { revision, hash: metadata.hash ?? '' };
    }
    return { revision: -1, hash: chainStart };
  }

  async #add(event: RecordedEvent): Promise<void> {
    const { stream, revision } = event;
    await this.#artifacts.bring(event);
    const last = this.#appends.at(-1);
    if (last?.stream === stream) last.events.push(event);
    else {
      // Whoever comes again after another keeps its place in the order of all events.
      if (this.#appends.some((append) => append.stream === stream)) await this.#flush();
      const expectedRevision = revision === 0 ? ('no-stream' as const) : revision - 1;
      this.#appends.push({ stream, expectedRevision, events: [event] });
    }
    this.#events += 1;
    this.#bytes += Buffer.byteLength(event.data);
    if (this.#events >= appendEventsMax || this.#bytes >= appendBytesMax) await this.#flush();
  }

  async #flush(): Promise<void> {
    const appends = this.#appends.filter(({ stream }) => !this.#faults.has(stream));
    this.#appends = [];
    this.#events = 0;
    this.#bytes = 0;
    if (appends.length > 0) await this.#store(appends.map(asAppend));
    this.#options.onProgress?.(this.#copied + this.#passedOver);
  }

  /** All in one; where one of them is refused, each by itself, so that it stops no other. */
  async #store(appends: readonly Append[]): Promise<void> {
    const { events } = this.#options.to;
    try {
      if (appends.length === 1) await events.append(appends[0]!);
      else await events.appendAll(appends);
      for (const append of appends) this.#copied += append.events.length;
    } catch (error) {
      if (isEclError(error, 'store.outcome-unknown')) return this.#store(appends);
      if (!isEclError(error, 'store.wrong-expected-revision')) throw error;
      if (appends.length > 1) {
        for (const append of appends) await this.#store([append]);
        return;
      }
      const { stream, expectedRevision } = appends[0]!;
      const revision = typeof expectedRevision === 'number' ? expectedRevision + 1 : 0;
      this.#faults.set(stream, { stream, revision, reason: toErrorDocument(error).message });
    }
  }
}

const asAppend = ({
  stream,
  expectedRevision,
  events,
}: {
  readonly stream: string;
  readonly expectedRevision: number | 'no-stream';
  readonly events: readonly RecordedEvent[];
}): Append => ({
  stream,
  expectedRevision,
  events: events.map(({ id, type, data, metadata }) => ({ id, type, data, metadata })),
});

/**
 * @throws EclError `usage.invalid` when processes work on a shared store: they would go on with half a journal
 */
export const checkNobodyWorks = async (
  store: EventStore,
  isSeen: (within: EventStore) => Promise<boolean>,
): Promise<void> => {
  if (!store.features.shared || !(await isSeen(store))) return;
  const reason =
    'Processes work on the store that is copied to, and would go on with journals that are there in part: stop them first';
  throw new EclError('usage.invalid', { reason });
};
