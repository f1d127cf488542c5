/**
 * What is asked about runs beyond lists: what happened in one, what models cost, who is waited for, which files there are.
 * Answers come from projections; they show what was recorded, not what a machine would say of it.
 */
import type { RunStatus } from '../core/run-statuses.ts';

interface Page {
  /** From 1 to 1,000. @default 100 */
  readonly limit?: number;
  /** From an earlier page. */
  readonly cursor?: string;
}

export type TimelineKind =
  /** The run, from its start to its end. */
  | 'run'
  /** A state of the machine, as long as it is in it. */
  | 'state'
  /** The same, while nothing moves it but an event from outside. */
  | 'wait'
  /** An invocation of a step, with all its attempts. */
  | 'step'
  | 'attempt'
  | 'model-call'
  /** What a review said. */
  | 'verdict'
  | 'artifact'
  /** A value that a step recorded with `once`. */
  | 'value'
  /** An event from outside. */
  | 'signal'
  /** An event to another run, until it is delivered. */
  | 'sent'
  /** An event for subscribers. */
  | 'emitted'
  /** From the moment it is set until it fires or is cancelled. */
  | 'timer'
  /** A child run. */
  | 'child'
  | 'cancel-requested'
  /** Until it is resumed, or over. */
  | 'paused'
  | 'quarantined'
  | 'resumed';

export interface TimelineUsage {
  readonly calls: number;
  /** Those from a cache included. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Of calls whose cost is known. */
  readonly usd: number;
  /** Calls whose cost is not known, so `usd` is a lower bound. */
  readonly unpriced: number;
}

/** Something that happened in a run, from its beginning to its end. Fields that do not concern its kind are absent. */
export interface TimelineEntry {
  /** Revision of the event that it begins with. */
  readonly revision: number;
  readonly kind: TimelineKind;
  /** Of the step, state, event, model, artifact or child workflow. */
  readonly name: string;
  readonly startedAt: string;
  /** Absent as long as it goes on. */
  readonly endedAt?: string;
  readonly durationMs?: number;
  /** How it ended, or how it stands: `running`, `done`, `failed`, `retrying`, `interrupted`, `cancelled`, `fired`, … */
  readonly outcome?: string;
  /** Revision of the event that led to it. */
  readonly causedBy?: number;
  /** Revision of the event that ended it. */
  readonly endedBy?: number;
  /** The process that recorded its beginning. */
  readonly writer: string;
  readonly invocation?: string;
  readonly attempt?: number;
  /** Attempts of a step so far. */
  readonly attempts?: number;
  /** Round of a draft or of its review, from 1. */
  readonly round?: number;
  readonly verdict?: { readonly decision: 'pass' | 'revise' | 'reject'; readonly feedback: string };
  readonly error?: { readonly code: string; readonly message: string };
  readonly usage?: TimelineUsage;
  /** Events from outside that a state takes. */
  readonly events?: readonly string[];
  /** When a timer or the next attempt is due. */
  readonly dueAt?: string;
  /** The run that sent a signal. */
  readonly from?: string;
  /** The run that gets an event, and a child run. */
  readonly to?: string;
  readonly reason?: string;
  readonly bytes?: number;
  readonly sha256?: string;
}

export interface TimelinePage {
  /** In the order in which they began. */
  readonly items: readonly TimelineEntry[];
  readonly nextCursor?: string;
}

export type TimelineQuery = Page;

export const usageDimensions = ['run', 'step', 'model', 'workflow', 'tenant', 'day'] as const;
export type UsageDimension = (typeof usageDimensions)[number];

export interface UsageQuery {
  /** What the totals are grouped by. @default the sum of all */
  readonly by?: readonly UsageDimension[];
  /** A run, with all child runs below it. */
  readonly run?: string;
  readonly step?: string;
  readonly model?: string;
  /** Of the root run: calls of child runs count for the workflow that was started. */
  readonly workflow?: string;
  readonly tenant?: string;
  /** First and last day, UTC: `2026-01-31`. */
  readonly since?: string;
  readonly until?: string;
}

export interface UsageTotals {
  readonly calls: number;
  /** Calls that a model did not answer. */
  readonly errors: number;
  /** Without those from a cache. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  /** Of calls whose cost is known. */
  readonly usd: number;
  /** Calls whose cost is not known, so `usd` is a lower bound. */
  readonly unpriced: number;
  /** Of all answered calls together, in milliseconds. */
  readonly latencyMs: number;
  readonly latencyMsMax: number;
}

export interface UsageReport {
  readonly items: readonly (UsageTotals & { readonly [Name in UsageDimension]?: string })[];
  readonly total: UsageTotals;
}

export interface GateQuery extends Page {
  readonly workflow?: string;
  readonly tenant?: string;
}

/** A run that nothing moves but an event from outside. */
export interface PendingGate {
  readonly run: string;
  readonly tenant: string;
  readonly workflow: string;
  /** The machine's state value. */
  readonly state: unknown;
  /** The events that it takes. */
  readonly events: readonly string[];
  readonly since: string;
  /** When a timer goes on without anybody. */
  readonly dueAt?: string;
  readonly parent?: string;
}

export interface GatePage {
  /** Who waits longest comes first. */
  readonly items: readonly PendingGate[];
  readonly nextCursor?: string;
}

export interface StoredArtifact {
  readonly run: string;
  readonly tenant: string;
  /** The step that stored it. */
  readonly step: string;
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly mediaType: string;
  readonly storedAt: string;
  readonly revision: number;
}

/** How many runs there are of each status; one that no run has is absent. */
export type StatusCounts = { readonly [Status in RunStatus]?: number };

export interface StatusQueries {
  /** @throws EclError `usage.invalid` for a cursor that is none */
  timeline(run: string, query: TimelineQuery): TimelinePage;
  usage(query: UsageQuery): UsageReport;
  /** @throws EclError `usage.invalid` for a cursor that is none */
  gates(query: GateQuery): GatePage;
  /** In the order in which they were stored. */
  artifacts(run: string): readonly StoredArtifact[];
  /** Everywhere that a content was stored as an artifact. */
  artifactsWith(sha256: string): readonly StoredArtifact[];
}
