/**
 * What is known of all runs without loading them: the index that recovery and lists stand on. A projection keeps it,
 * so after a crash it is caught up from its checkpoint, never rebuilt from all journals.
 */
import type { RunStatus } from '../core/run-statuses.ts';
import type { StatusCounts } from './status-queries.ts';

export interface OwingRun {
  readonly run: string;
  /** Work is under way: the run is loaded at once. */
  readonly busy: boolean;
  /** When the next timer or retry is due. */
  readonly dueAt: number | undefined;
}

export interface RunSummary {
  readonly id: string;
  readonly tenant: string;
  readonly workflow: string;
  readonly version: string;
  readonly structure: string;
  readonly status: RunStatus;
  readonly state: unknown;
  readonly startedAt: string;
  readonly updatedAt: string;
  readonly endedAt?: string;
  readonly revision: number;
  readonly waitingFor: readonly string[];
  /** Tags of the machine's state. */
  readonly tags: readonly string[];
  readonly parent?: string;
  readonly error?: string;
  /** The module that the workflow was loaded from. */
  readonly module?: string;
}

export interface RunListQuery {
  readonly status?: RunStatus;
  readonly workflow?: string;
  readonly tenant?: string;
  /** Child runs of this run; without it and without `children` only roots are listed. */
  readonly parent?: string;
  readonly children?: boolean;
  /** Started at this moment or later: ISO 8601. */
  readonly since?: string;
  /** Started before this moment: ISO 8601. */
  readonly until?: string;
  /** The machine's state has this tag. */
  readonly tag?: string;
  /** Stands in the first 400 characters of the input's or the output's texts and numbers; ASCII in either case. */
  readonly search?: string;
  /** Counts by status come with the page: of all runs that the other conditions leave. @default false */
  readonly counts?: boolean;
  /** @default 50 */
  readonly limit?: number;
  /** From an earlier page. */
  readonly cursor?: string;
}

export interface RunPage {
  readonly items: readonly RunSummary[];
  readonly nextCursor?: string;
  readonly counts?: StatusCounts;
}

export interface RunDirectory {
  /** Every run that owes something but an answer to a signal. */
  owing(): Iterable<OwingRun>;
  /** Newest first. */
  list(query: RunListQuery): RunPage;
  /** Ids that begin like this one or resemble it, for an error message. */
  nearest(id: string): string[];
}
