/**
 * Figures of a process for a monitoring system: what telemetry counts, and what is looked up when somebody asks.
 *
 * 1. Asking never fails and never hangs: what cannot be looked up in time is left out.
 */
import type { StatusCounts } from './status-queries.ts';
import type { Telemetry } from './telemetry.ts';

/** Work that waits in line, by the name of the line. */
export interface QueueDepths {
  /** Commands in the mailboxes of runs. */
  readonly mailboxes: number;
  /** Attempts of steps that wait for one of the process's places. */
  readonly steps: number;
  /** Runs that wait to be recovered. */
  readonly recoveries: number;
}

/** What is looked up when somebody asks. */
export interface Gauges {
  /** Of all runs in the store, children included. */
  runsByStatus(): StatusCounts;
  queues(): QueueDepths;
  /** Runs in memory. */
  actors(): number;
  /** Attempts of steps under way. */
  stepsUnderWay(): number;
  /** Positions of the store that each projection is behind. @throws when the store is away */
  projectionLag(): Promise<readonly { readonly name: string; readonly behind: bigint }[]>;
}

export interface Metrics {
  readonly telemetry: Telemetry;
  /** Says where to look things up. */
  watch(gauges: Gauges): void;
  /** Media type of the text. */
  readonly contentType: string;
  text(): Promise<string>;
  close(): void;
}
