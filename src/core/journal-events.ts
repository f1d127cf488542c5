/**
 * What a journal holds: every stored type as a zod schema with a version, in one discriminated union.
 *
 * 1. Facts come from outside the pure core; consequences are what the machine made of the fact before them.
 * 2. One decision is one fact and its consequences, appended atomically. So a fact always opens a decision.
 * 3. A stored type never changes its meaning: another shape is another schema version with an upcaster.
 */
import { z } from 'zod';

const ErrorDocument = z.object({
  code: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});

/** An event as XState sees it: dotted lower case, with any JSON beside its type. */
export const MachineEvent = z.looseObject({ type: z.string().min(1).max(256) });
export type MachineEvent = z.infer<typeof MachineEvent>;

const invocation = z.string();
const runId = z.string();
/** Milliseconds since 1970. */
const instant = z.number().int().nonnegative();

const Usage = z.object({
  inputTokens: z.number().nonnegative(),
  outputTokens: z.number().nonnegative(),
  cacheReadTokens: z.number().nonnegative().optional(),
  cacheWriteTokens: z.number().nonnegative().optional(),
});

/** USD, or the reason why it is not known. An unknown cost is never counted as 0. */
const Cost = z.union([z.object({ usd: z.number() }), z.object({ unknown: z.string() })]);

export const ArtifactReference = z.object({
  name: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.number().int().nonnegative(),
  mediaType: z.string(),
});
export type ArtifactReference = z.infer<typeof ArtifactReference>;

const facts = {
  RunStarted: z.object({
    workflow: z.string(),
    version: z.string(),
    /** sha-256 of the machine's structure. */
    structure: z.string(),
    tenant: z.string(),
    input: z.unknown().optional(),
    inputHash: z.string(),
    parent: z.object({ run: runId, actor: z.string() }).optional(),
    depth: z.number().int().nonnegative(),
    /** Where the workflow was loaded from, so that another process finds it again. */
    module: z.string().optional(),
  }),
  SignalReceived: z.object({ id: z.string(), event: MachineEvent, from: z.string().optional() }),
  StepAttemptStarted: z.object({ invocation, attempt: z.number().int().positive() }),
  StepSucceeded: z.object({
    invocation,
    attempt: z.number().int().positive(),
    output: z.unknown().optional(),
  }),
  StepAttemptFailed: z.object({
    invocation,
    attempt: z.number().int().positive(),
    error: ErrorDocument,
    retryAt: instant,
    /** Whether the next attempt gets the model replies of this one, or asks again. */
    replies: z.enum(['kept', 'discarded']),
  }),
  StepFailed: z.object({ invocation, attempt: z.number().int().positive(), error: ErrorDocument }),
  StepInterrupted: z.object({ invocation, attempt: z.number().int().positive() }),
  ModelReplied: z.object({
    invocation,
    attempt: z.number().int().positive(),
    /** Counts the calls of the invocation from 1. */
    call: z.number().int().positive(),
    /** sha-256 of the request. */
    request: z.string(),
    model: z.string(),
    text: z.string(),
    toolCalls: z
      .array(z.object({ id: z.string(), name: z.string(), input: z.unknown() }))
      .optional(),
    stopReason: z.string(),
    usage: Usage.optional(),
    cost: Cost,
    latencyMs: z.number().nonnegative(),
  }),
  ValueRecorded: z.object({ invocation, name: z.string(), value: z.unknown().optional() }),
  ArtifactStored: ArtifactReference.extend({ invocation }),
  TimerFired: z.object({ id: z.string() }),
  ChildCompleted: z.object({ run: runId, output: z.unknown().optional() }),
  ChildFailed: z.object({ run: runId, error: ErrorDocument }),
  SignalDelivered: z.object({ id: z.string() }),
  CancelRequested: z.object({ reason: z.string() }),
  RunPaused: z.object({
    reason: z.string(),
    error: ErrorDocument.optional(),
    /** The step whose attempt led to it; that attempt is over, and free to start again. */
    invocation: invocation.optional(),
  }),
  RunResumed: z.object({ reason: z.string().optional() }),
  RunQuarantined: z.object({
    /** Revision of the fact at which the run stopped making sense. */
    revision: z.number().int().nonnegative(),
    reason: z.string(),
    expected: z.unknown().optional(),
    got: z.unknown().optional(),
    /** The fact before this event was stored, but the machine could not take it. */
    pending: z.boolean(),
  }),
} as const;

const StateValue = z.union([z.string(), z.record(z.string(), z.unknown())]);

const consequences = {
  StateChanged: z.object({
    from: StateValue.nullable(),
    to: StateValue,
    tags: z.array(z.string()),
    contextHash: z.string(),
    /** Events from outside that the new state handles. */
    accepts: z.array(z.string()).optional(),
  }),
  StepScheduled: z.object({
    invocation,
    name: z.string(),
    actor: z.string(),
    input: z.unknown().optional(),
  }),
  StepCancelled: z.object({ invocation }),
  TimerSet: z.object({
    id: z.string(),
    dueAt: instant,
    event: MachineEvent,
    /** Another run that gets the event; without it the run itself. */
    to: runId.optional(),
  }),
  TimerCancelled: z.object({ id: z.string() }),
  ChildSpawned: z.object({
    run: runId,
    actor: z.string(),
    source: z.string(),
    workflow: z.string(),
    input: z.unknown().optional(),
  }),
  ChildCancelled: z.object({ run: runId }),
  SignalSent: z.object({ id: z.string(), to: runId, event: MachineEvent }),
  EventEmitted: z.object({ event: MachineEvent }),
  RunCompleted: z.object({ output: z.unknown().optional() }),
  RunFailed: z.object({ error: ErrorDocument }),
  RunCancelled: z.object({ reason: z.string() }),
} as const;

export const journalEventSchemas = { ...facts, ...consequences } as const;

type DataOf<Table extends Record<string, z.ZodType>> = {
  [Type in keyof Table & string]: { readonly type: Type; readonly data: z.infer<Table[Type]> };
};

export type FactType = keyof typeof facts;
export type ConsequenceType = keyof typeof consequences;
export type JournalEventType = FactType | ConsequenceType;
export type Fact<Type extends FactType = FactType> = DataOf<typeof facts>[Type];
export type Consequence<Type extends ConsequenceType = ConsequenceType> = DataOf<
  typeof consequences
>[Type];
export type JournalEvent = Fact | Consequence;
export type JournalData<Type extends JournalEventType> = z.infer<
  (typeof journalEventSchemas)[Type]
>;

export const isFactType = (type: string): type is FactType => Object.hasOwn(facts, type);

export const isConsequenceType = (type: string): type is ConsequenceType =>
  Object.hasOwn(consequences, type);

export const journalEventTypes = Object.keys(journalEventSchemas) as readonly JournalEventType[];
