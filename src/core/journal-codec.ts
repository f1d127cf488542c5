/**
 * Between decisions and stored events: sealing, chaining and naming on the way in; reading and checking on the way out.
 *
 * 1. Writing parses against the schema and so does reading: a pair of assertions around the store.
 * 2. The cause of a consequence is its fact; the cause of a fact is what it answers, where that is known.
 */
import { EclError } from './errors.ts';
import { chainHash, eventIdOfHash } from './hash-chain.ts';
import type { JournalEvent } from './journal-events.ts';
import { assertJson } from './json-value.ts';
import { open, seal, type Blob } from './payload.ts';
import type { Recorded } from './run-state.ts';
import { parseJournalEvent, schemaVersionOf, upcast } from './upcasters.ts';

/** The shape of the port's EventData, whose text and metadata the chain covers. */
export interface SealedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: {
    readonly $correlationId: string;
    readonly $causationId: string;
    readonly tenant: string;
    readonly at: string;
    readonly schema: number;
    readonly prev: string;
    readonly hash: string;
    readonly writer: string;
    /** Only of a decision that was made as part of a trace. */
    readonly traceparent?: string;
  };
}

export interface StreamHead {
  readonly stream: string;
  readonly revision: number;
  readonly hash: string;
}

export interface Provenance {
  readonly correlation: string;
  /** Id of the event that the fact answers, or empty. */
  readonly causation: string;
  readonly tenant: string;
  readonly at: string;
  readonly writer: string;
  /** Where in a trace it was decided, by W3C Trace Context. It stands outside the chain: it proves nothing. */
  readonly trace?: string | undefined;
}

export interface SealedDecision {
  readonly events: readonly SealedEvent[];
  readonly recorded: readonly Recorded[];
  /** To be stored before the events are appended. */
  readonly blobs: readonly Blob[];
}

/** @throws EclError `event.invalid`, `input.too-large` */
export const sealDecision = (
  events: readonly JournalEvent[],
  head: StreamHead,
  provenance: Provenance,
): SealedDecision => {
  const sealed: SealedEvent[] = [];
  const recorded: Recorded[] = [];
  const blobs: Blob[] = [];
  const { correlation, tenant, at, writer, trace } = provenance;
  let { revision, hash: prev } = head;
  let causation = provenance.causation;
  for (const { type, data } of events) {
    revision += 1;
    parseJournalEvent(type, data);
    const schema = schemaVersionOf(type);
    const payload = seal(data);
    if (payload.blobs.length > 0) blobs.push(...payload.blobs);
    const hash = chainHash({
      prev,
      stream: head.stream,
      revision,
      type,
      schema,
      at,
      writer,
      correlation,
      causation,
      data: payload.text,
    });
    const id = eventIdOfHash(hash);
    const metadata = {
      $correlationId: correlation,
      $causationId: causation,
      tenant,
      at,
      schema,
      prev,
      hash,
      writer,
    };
    sealed.push({
      id,
      type,
      data: payload.text,
      metadata: trace === undefined ? metadata : { ...metadata, traceparent: trace },
    });
    recorded.push({ id, revision, hash, at });
    if (sealed.length === 1) causation = id;
    prev = hash;
  }
  return { events: sealed, recorded, blobs };
};

/** An event as a store returns it. */
export interface StoredEvent {
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: { readonly [name: string]: unknown };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/**
 * What breaks the chain at this event, or undefined when it holds.
 *
 * @param prev hash of the event before it
 */
export const chainFault = (
  event: StoredEvent,
  prev: string,
  revision: number,
): string | undefined => {
  const { metadata } = event;
  if (event.revision !== revision) return `revision ${revision} is missing`;
  if (metadata['prev'] !== prev) return 'it does not follow the event before it';
  // The tenant stands outside the chain, since the stream's name, which is in it, says it already.
  if (!event.stream.startsWith(`run-${text(metadata['tenant'])}.`)) return 'its tenant is another';
  const hash = chainHash({
    prev,
    stream: event.stream,
    revision,
    type: event.type,
    schema: typeof metadata['schema'] === 'number' ? metadata['schema'] : 0,
    at: text(metadata['at']),
    writer: text(metadata['writer']),
    correlation: text(metadata['$correlationId']),
    causation: text(metadata['$causationId']),
    data: event.data,
  });
  if (hash !== metadata['hash']) return 'its content does not have the recorded hash';
  return eventIdOfHash(hash) === event.id ? undefined : 'its id does not belong to its hash';
};

/** Only such texts can hold the name `__proto__`: as it is, escaped, or in a blob. All others are spared the walk. */
const mayPollute = /__proto__|\\u00[2-7]|\$ecl\.blob/i;
/** What stands in an event was checked by itself, so it nests deeper here. */
const within = { path: '$', depth: -8 };

/** What this program writes holds no such name, but others write to a store too. @throws EclError `event.invalid` */
const refusePollution = (type: string, data: unknown): void => {
  try {
    assertJson(data, type, within);
  } catch (error) {
    const issues = error instanceof Error ? error.message : String(error);
    throw new EclError('event.invalid', { type, issues }, { cause: error });
  }
};

/**
 * A stored event with its data as it went in.
 *
 * @throws EclError `event.unknown-type`, `event.invalid`, `store.corrupt`
 */
export const openEvent = (
  event: StoredEvent,
  blobText: (sha256: string) => string | undefined,
): { event: JournalEvent } | { missing: readonly string[] } => {
  const schema = event.metadata['schema'];
  try {
    const opened = open(event.data, blobText);
    if ('missing' in opened) return opened;
    if (mayPollute.test(event.data)) refusePollution(event.type, opened.data);
    return { event: upcast(event.type, typeof schema === 'number' ? schema : 1, opened.data) };
  } catch (error) {
    if (error instanceof EclError) throw error;
    const { stream, revision } = event;
    const reason = error instanceof Error ? error.message : String(error);
    throw new EclError('store.corrupt', { stream, revision, reason }, { cause: error });
  }
};

export const recordedOf = (event: StoredEvent): Recorded => ({
  id: event.id,
  revision: event.revision,
  hash: text(event.metadata['hash']),
  at: text(event.metadata['at']),
});
