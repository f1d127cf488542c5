/** Runs as commands see them: those of a store that this process holds or reads, or those of a server. */
import type { MachineEvent } from '../core/journal-events.ts';
import type { RunListQuery, RunPage } from '../ports/run-directory.ts';
import type { TimelinePage, TimelineQuery } from '../ports/status-queries.ts';
import type { EventQuery, PublicEvent } from '../runtime/event-feed.ts';
import type { RunDocument } from '../runtime/run-document.ts';
import type { ResumeOptions } from '../runtime/run-handle.ts';
import type { FoundWorkflow } from '../composition/workflow-library.ts';
import type { Library } from './open.ts';

/** A handle on one run. */
export interface RunControl {
  readonly id: string;
  document(): Promise<RunDocument>;
  rest(): Promise<RunDocument>;
  send(event: MachineEvent): Promise<RunDocument>;
  cancel(reason?: string): Promise<RunDocument>;
  resume(options: ResumeOptions): Promise<RunDocument>;
  /** Of the machine, where it is in this process; of a server, what it tells of it. */
  getSnapshot(): unknown;
}

export interface Runs {
  get(id: string): Promise<RunControl>;
  list(query: RunListQuery): Promise<RunPage>;
  events(query: EventQuery): AsyncIterable<PublicEvent>;
  revisionOf(id: string): Promise<number>;
  timeline(id: string, query: TimelineQuery): Promise<TimelinePage>;
}

export interface StartOptions {
  readonly input: unknown;
  readonly fresh: boolean;
  readonly key?: string;
  readonly tenant?: string;
}

export interface OpenedRuns extends Library {
  readonly runs: Runs;
  /** With the runs that are blocked shown as such. */
  list(query: RunListQuery): Promise<RunPage>;
  /** Whether another process works on the runs of this store, as far as can be told: one that goes on with a run. */
  isWorkedOn(): Promise<boolean>;
  /** @param target as the person named it: an id, or a path */
  start(found: FoundWorkflow, target: string, options: StartOptions): Promise<RunControl>;
}
