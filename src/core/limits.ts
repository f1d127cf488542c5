/**
 * A limit on everything. Each is a default that can be moved where its owner says so; reaching one is a
 * state that a person sees and can resume, never a lost run.
 */
export const limits = {
  /** Largest text of one journal event's data, in bytes; larger fields move to the artifact store. */
  eventBytesMax: 64 * 1024,
  /** Largest single payload (an input, a result, an artifact), in bytes. */
  payloadBytesMax: 16 * 1024 * 1024,
  /** Deepest nesting of a JSON value that crosses an edge. */
  jsonDepthMax: 64,
  /** Longest message of an error that a journal keeps, in characters. */
  errorMessageMax: 8 * 1024,
  /** Journal events of one run; beyond it the run pauses. */
  runEventsMax: 50_000,
  /** Microsteps of one machine event (`maxIterations` of XState, infinite by default there). */
  microstepsMax: 1_000,
  /** Nesting of child runs. */
  childDepthMax: 8,
  /** Facts that wait in one actor's mailbox. */
  mailboxDepthMax: 10_000,
  /** Signals of one run whose ids are remembered for deduplication. */
  signalIdsMax: 10_000,
  /** Times a step may be found interrupted by a crash before its run pauses. */
  stepCrashesMax: 250,
  /** Actors held in memory; idle ones beyond it are passivated. */
  activeActorsMax: 1_000,
  /** Runs that are recovered at the same time after a start. */
  concurrentRecoveriesMax: 64,
  /** Steps that execute at the same time in one process. */
  concurrentStepsMax: 256,
  /** Journal events between two snapshots of a run. */
  snapshotEveryEvents: 500,
  /** Larger snapshots are not worth their append. */
  snapshotBytesMax: 1024 * 1024,
  /** Events a slow subscriber may lag behind in memory before it falls back to reading the store. */
  subscriberBufferMax: 4_096,
  /** Time between two signs of life of a process that shares a store with others, in milliseconds. */
  leaseBeatMs: 1_250,
  /** Signs of life that others give, without one of a process, until its runs are taken over. */
  leaseMissedBeatsMax: 4,
  /** How long a partition waits for the executions under way in it before it stays where it is, in milliseconds. */
  leaseHandOverMs: 5_000,
  /** Events of one read from a store. */
  readBatchMax: 1_000,
  /** Data and metadata of one append that a client of the gateway sends, in bytes. */
  gatewayAppendBytesMax: 64 * 1024 * 1024,
  /** Appends of one BatchAppend call that are under way or not whole yet; beyond it the client waits. */
  gatewayAppendsMax: 4_096,
} as const;

export type Limits = { readonly [Name in keyof typeof limits]: number };
