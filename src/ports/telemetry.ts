/**
 * What the runtime tells of its work while it does it, for metrics and traces.
 *
 * 1. Nothing that is told changes what is decided, stored or executed; none of it throws.
 * 2. Where nobody listens nothing is made for it: the runtime asks for each part before it makes what that part is told.
 * 3. It is told of prompts and answers only what can be counted.
 */
import type { JournalEvent } from '../core/journal-events.ts';
import type { Ending } from '../core/run-state.ts';
import type { ModelUsage, StopReason } from './model.ts';

/** A place in a trace, as the `traceparent` of W3C Trace Context writes it. */
export type TraceContext = string;

export interface ObservedRun {
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  readonly tenant: string;
}

export interface ObservedStep {
  readonly run: ObservedRun;
  readonly name: string;
  readonly invocation: string;
  readonly attempt: number;
  /** Of the run; undefined where it began without a trace. */
  readonly trace: TraceContext | undefined;
}

export interface ObservedCall {
  readonly run: ObservedRun;
  readonly step: string;
  readonly invocation: string;
  /** Counts the calls of the invocation from 1. */
  readonly call: number;
  /** Id of the configured model: `anthropic:claude-sonnet-5-5`. */
  readonly model: string;
  readonly isLanguageModel: boolean;
  /** The model that the request names, where it is another one. */
  readonly requested: string | undefined;
  readonly maxTokens: number | undefined;
  readonly isStream: boolean;
  /** Whether the answer must fit a schema. */
  readonly isObject: boolean;
  /** Of the step. */
  readonly trace: TraceContext | undefined;
}

export interface ObservedEnd {
  readonly run: ObservedRun;
  readonly ending: Ending;
  /** ISO 8601, UTC, milliseconds. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** Code of the error that it failed with. */
  readonly errorCode: string | undefined;
  readonly trace: TraceContext | undefined;
}

/** How something that takes time went. */
export interface Outcome {
  /** What it failed with; undefined when it did not. */
  readonly error?: unknown;
  /** Nobody wanted its outcome any more: it was cancelled, or the process stopped. */
  readonly isAbandoned?: boolean;
}

export interface CallOutcome extends Outcome {
  readonly reply?: {
    readonly model: string;
    readonly stopReason: StopReason;
    readonly usage: ModelUsage | undefined;
  };
}

/** Something that takes time, from its beginning on. */
export interface Observation<Ended extends Outcome = Outcome> {
  /** Its own place in a trace, where traces are kept. */
  readonly trace?: TraceContext | undefined;
  /** Does work of which what it does by itself, a request for one, is seen as part of this. */
  within<Result>(work: () => Result): Result;
  end(outcome: Ended): void;
}

export interface Telemetry {
  /** Whether runs get a trace, which their events carry. */
  readonly traces: boolean;
  /** A start of a run begins. @param parent the trace of the run that starts it as its child */
  starting?(run: ObservedRun, parent: TraceContext | undefined): Observation;
  /** A decision is stored. */
  decided?(run: ObservedRun, events: readonly JournalEvent[]): void;
  /** A run is over, and that is stored. */
  ended?(end: ObservedEnd): void;
  /** The append of a decision begins. */
  appending?(): Observation;
  /** An attempt of a step begins. */
  step?(step: ObservedStep): Observation;
  /** A call of a model begins. */
  modelCall?(call: ObservedCall): Observation<CallOutcome>;
  /** Where in a trace whoever calls now is. */
  caller?(): TraceContext | undefined;
  /** Passes on what it still holds, as far as that takes no longer than 2 s. It never rejects. */
  flush?(): Promise<void>;
}
