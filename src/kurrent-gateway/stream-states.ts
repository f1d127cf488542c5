/**
 * What the metadata of each stream says, remembered for the streams in use.
 *
 * 1. While a gateway holds a store it alone writes `$$` streams, so what is remembered stays true until it writes one.
 * 2. Memory is bounded: two generations, of which the older is dropped when the younger is full.
 */
import type { EventStore, RecordedEvent } from '../ports/event-store.ts';
import { fromStored, tombstonedStream } from './stored-event.ts';
import {
  describedStream,
  isDeleted,
  metadataStreamOf,
  noMetadata,
  parseMetadata,
  type StreamMetadata,
} from './stream-metadata.ts';

export interface StreamState {
  readonly metadata: StreamMetadata;
  /** JSON of the metadata, empty where there is none. */
  readonly metadataText: string;
  /** Revision of the newest event in `$$<stream>`, hidden or not; -1 where there is none. */
  readonly metadataRevision: number;
  readonly isTombstoned: boolean;
}

/** Streams remembered in each of two generations. */
const statesMax = 16_384;

const blank: StreamState = {
  metadata: noMetadata,
  metadataText: '',
  metadataRevision: -1,
  isTombstoned: false,
};

const newest = async (store: EventStore, stream: string): Promise<RecordedEvent | undefined> => {
  // Cheap where the stream is not there, which is the rule.
  if ((await store.lastRevision(stream)) === undefined) return undefined;
  for await (const event of store.readStream(stream, { direction: 'backwards', limit: 1 })) {
    return event;
  }
  return undefined;
};

export class StreamStates {
  readonly #store: EventStore;
  #young = new Map<string, StreamState>();
  #old = new Map<string, StreamState>();
  readonly #loading = new Map<string, Promise<StreamState>>();
  /** How often something was forgotten: what was read before that is not remembered. */
  #changes = 0;

  constructor(store: EventStore) {
    this.#store = store;
  }

  /** What is remembered of a stream. */
  known(stream: string): StreamState | undefined {
    const young = this.#young.get(stream);
    if (young !== undefined) return young;
    const old = this.#old.get(stream);
    if (old !== undefined) this.#remember(stream, old, this.#changes);
    return old;
  }

  /** Those who ask while it is looked up are answered together, in the order in which they asked. */
  async get(stream: string): Promise<StreamState> {
    const known = this.known(stream);
    if (known !== undefined) return known;
    let loading = this.#loading.get(stream);
    if (loading === undefined) {
      loading = this.#load(stream).finally(() => this.#loading.delete(stream));
      this.#loading.set(stream, loading);
    }
    return loading;
  }

  /** To be called once the metadata of a stream was written, before anybody is told. */
  forget(stream: string): void {
    this.#changes += 1;
    // A tombstone is also the end of the metadata.
    for (const one of [
      stream,
      metadataStreamOf(stream),
      metadataStreamOf(metadataStreamOf(stream)),
    ]) {
      this.#young.delete(one);
      this.#old.delete(one);
      this.#loading.delete(one);
    }
  }

  async #load(stream: string): Promise<StreamState> {
    const changes = this.#changes;
    const event = await newest(this.#store, metadataStreamOf(stream));
    const described = describedStream(stream);
    const own = event === undefined ? blank : stateOf(stream, event);
    if (described === undefined || described === '') {
      this.#remember(stream, own, changes);
      return own;
    }
    // Metadata shows only its newest version, and goes with the stream that it is about.
    const isTombstoned = own.isTombstoned || (await this.get(described)).isTombstoned;
    const state = { ...own, metadata: { maxCount: 1, ...own.metadata }, isTombstoned };
    this.#remember(stream, state, changes);
    return state;
  }

  #remember(stream: string, state: StreamState, changes: number): void {
    if (changes !== this.#changes) return;
    if (this.#young.size >= statesMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(stream, state);
  }
}

const stateOf = (stream: string, event: RecordedEvent): StreamState => {
  const metadata = parseMetadata(event);
  return {
    metadata: metadata ?? noMetadata,
    metadataText: metadata === undefined ? '' : fromStored(event).data.toString('utf8'),
    metadataRevision: event.revision,
    isTombstoned: tombstonedStream(event) === stream,
  };
};

/** Whether appends to a stream need nothing but the store: it is neither deleted nor gone. */
export const isOpen = ({ metadata, isTombstoned }: StreamState): boolean =>
  !isTombstoned && !isDeleted(metadata);
