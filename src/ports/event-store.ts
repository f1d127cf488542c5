/**
 * The event store: streams of events with gapless revisions, and one all-stream with positions.
 *
 * 1. An append is atomic, over one stream or several, and durable before its promise resolves.
 * 2. Revisions of a stream start at 0 and have no gaps; positions grow, but may have gaps.
 * 3. Repeating an append with the same ids and the same expected revision succeeds with the first answer.
 * 4. What was rejected is not in the store. What is in doubt is an `OutcomeUnknown`, to be retried unchanged.
 * 5. An append with checks is stored only while every checked stream ends where the check says, decided together with
 *    the append. A repeated append gets its first answer all the same, wherever the checked streams are by then.
 */

/** Metadata as it is stored. ECL's own events carry all named fields; events of others may carry anything. */
export interface EventMetadata {
  readonly $correlationId?: string;
  readonly $causationId?: string;
  readonly tenant?: string;
  /** When it was recorded: ISO 8601, UTC, milliseconds. */
  readonly at?: string;
  /** Version of the event type. */
  readonly schema?: number;
  /** Chain hash of the event before it in the stream; 64 zeros at revision 0. */
  readonly prev?: string;
  readonly hash?: string;
  /** The process that wrote it: a uuid v7. */
  readonly writer?: string;
  /** Where in a trace it was decided, as W3C Trace Context writes it; only of a process that keeps traces. */
  readonly traceparent?: string;
  readonly [name: string]: unknown;
}

export interface EventData {
  /** A uuid. */
  readonly id: string;
  readonly type: string;
  /** JSON text; it is kept to the byte, since the chain hash covers it. */
  readonly data: string;
  readonly metadata: EventMetadata;
}

export interface RecordedEvent extends EventData {
  readonly stream: string;
  readonly revision: number;
  readonly position: bigint;
}

export type ExpectedRevision = number | 'no-stream' | 'stream-exists' | 'any';

export interface Append {
  readonly stream: string;
  readonly expectedRevision: ExpectedRevision;
  /** At least one. */
  readonly events: readonly EventData[];
}

/** A condition on a stream that the append does not write. */
export interface StreamCheck {
  readonly stream: string;
  /** Revision of the stream's last event, exactly. */
  readonly revision: number;
}

export interface AppendOptions {
  /** All must hold, or nothing is stored; only where the store's features have them. @default none */
  readonly checks?: readonly StreamCheck[];
}

export interface AppendResult {
  /** Revision of the last event of this append. */
  readonly revision: number;
  /**
   * Position of the last event of this append. A store that stored it together with appends of others may give that of
   * the last event of them all: whoever has seen it has seen this append.
   */
  readonly position: bigint;
}

export type Direction = 'forwards' | 'backwards';

export interface ReadStreamOptions {
  /** Inclusive. @default the first event, or the last one when reading backwards */
  readonly from?: number;
  /** @default 'forwards' */
  readonly direction?: Direction;
  /** @default no limit */
  readonly limit?: number;
}

export interface EventFilter {
  /** The stream's name begins with one of these. */
  readonly streamPrefixes?: readonly string[];
  /** The event's type is one of these. */
  readonly types?: readonly string[];
}

export interface ReadAllOptions {
  /** Inclusive; a position that the store gave: between two events it need not have any. @default the start, or the end when reading backwards */
  readonly from?: bigint;
  /** @default 'forwards' */
  readonly direction?: Direction;
  /** @default no limit */
  readonly limit?: number;
  readonly filter?: EventFilter;
}

export interface SubscribeOptions {
  /** Exclusive: the first event delivered is the one after it. @default 'start' */
  readonly from?: bigint | 'start' | 'end';
  readonly filter?: EventFilter;
  /** Ends the subscription, without an error. */
  readonly signal?: AbortSignal;
}

export type SubscriptionItem =
  | { readonly kind: 'event'; readonly event: RecordedEvent }
  /** Everything stored so far was delivered; once per subscription. */
  | { readonly kind: 'caughtUp'; readonly position: bigint | undefined };

export interface StreamMetadata {
  /** The stream keeps only its newest n events. */
  readonly maxCount?: number;
}

/** What `doctor` shows of a store. */
export interface StoreDescription {
  readonly kind: string;
  readonly location: string;
  /** The durability that was read back from the engine, not the one that was asked for. */
  readonly durability: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/** What a store can do beyond what all of them do. */
export interface StoreFeatures {
  /** Whether an append may carry checks on other streams. */
  readonly checks: boolean;
  /** Whether other processes write to it too, so that runs need an owner. */
  readonly shared: boolean;
}

export interface EventStore {
  readonly features: StoreFeatures;

  /**
   * Appends to one stream. The revision it expects is judged first, the checks then.
   * @throws WrongExpectedRevision, CheckFailed, OutcomeUnknown, EclError `usage.invalid` for checks that the store does
   * not have, `store.stream-deleted | store.read-only | store.closed | store.unavailable`
   */
  append(append: Append, options?: AppendOptions): Promise<AppendResult>;

  /** Appends to several streams, all or none; a stream may stand in it once. Results stand in the same order. */
  appendAll(appends: readonly Append[], options?: AppendOptions): Promise<AppendResult[]>;

  /** Events of one stream; an unknown stream has none. @throws EclError `store.stream-deleted`, `store.corrupt` */
  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent>;

  /** Revision of the stream's last event, or undefined when there is none. */
  lastRevision(stream: string): Promise<number | undefined>;

  readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent>;

  /** Position of the last event in the store, or undefined when it is empty. */
  lastPosition(): Promise<bigint | undefined>;

  /** Catch-up: what is stored, then `caughtUp`, then what comes. A slow reader slows only itself. */
  subscribe(options?: SubscribeOptions): AsyncIterable<SubscriptionItem>;

  streamMetadata(stream: string): Promise<StreamMetadata>;
  setStreamMetadata(stream: string, metadata: StreamMetadata): Promise<void>;

  /** Deletes a stream; it may be written again, its revisions going on where they were. */
  deleteStream(stream: string, expectedRevision: ExpectedRevision): Promise<void>;

  describe(): Promise<StoreDescription>;

  /** Waits for appends in flight, ends subscriptions and frees what it holds. */
  close(): Promise<void>;
}
