/** A limit on everything that a client can make the server do. */

export const httpLimits = {
  /** Largest body of a request, artifacts aside, in bytes. */
  bodyBytesMax: 1024 * 1024,
  /** Requests that one token may make in a second, on average. */
  requestsPerSecond: 5_000,
  /** Requests that one token may make at once after a pause. */
  requestBurst: 10_000,
  /** Requests of one token under way at the same time. */
  concurrentRequests: 512,
  /** Streams of events that one token may hold open. */
  concurrentStreams: 256,
  /** Between two signs of life on a stream where nothing happens, in milliseconds. */
  heartbeatMs: 15_000,
  /** How long a client may take to send its headers, in milliseconds. */
  headersTimeoutMs: 10_000,
  /** How long a client may take to send a request as a whole, in milliseconds. */
  requestTimeoutMs: 30_000,
  /** How long an idle connection is kept, in milliseconds. */
  keepAliveTimeoutMs: 15_000,
  /** All headers of a request, in bytes. */
  headerBytesMax: 16 * 1024,
  connectionsMax: 10_000,
  /** Longest that a request may ask to wait for a run, in seconds. */
  waitSecondsMax: 60,
  /** How long a list waits until it shows the position that it was asked to, in milliseconds. */
  freshWaitMs: 5_000,
} as const;

export type HttpLimits = { readonly [Name in keyof typeof httpLimits]: number };
