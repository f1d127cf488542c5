/** What an actor needs of the world around it. The actor system is the only one that builds this. */
import type { Logger } from 'pino';
import type { Budget } from '../core/budget.ts';
import type { DurableMachine } from '../core/durable-machine.ts';
import type { JournalData, JournalEvent } from '../core/journal-events.ts';
import type { Limits } from '../core/limits.ts';
import type { PriceOverrides } from '../core/prices.ts';
import type { OpenChild, OutboundSignal, RunState } from '../core/run-state.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Model } from '../ports/model.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { DailyBudget } from './daily-budget.ts';
import type { ModelTextFeed } from './model-text.ts';
import type { Command, RunActor, SubmitOptions } from './run-actor.ts';
import type { Ownership } from './ownership/ownership.ts';
import type { Registry } from './registry.ts';

export interface Services {
  readonly store: EventStore;
  readonly artifacts: ArtifactStore;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly limits: Limits;
  /** Identity of this process in every event that it writes. */
  readonly writer: string;
  /** Undefined when steps have no model to call. */
  readonly model: Model | undefined;
  readonly prices: PriceOverrides;
  /** What a run may spend when its workflow does not say. */
  readonly budget: Budget | undefined;
  /** What all runs may spend within a day; undefined where nobody has set a limit. */
  readonly dailyBudget: DailyBudget | undefined;
  /** Appends nothing and executes nothing. */
  readonly readOnly: boolean;
  /** Stores decisions, but leaves what they owe to another process. */
  readonly leavesWork: boolean;
  /** Who carries out what runs owe, where several processes share the store; undefined where this one has all. */
  readonly ownership: Ownership | undefined;
  /** Registers the workflow that a run was started with, where it can be found; it never throws. */
  readonly findWorkflow: FindWorkflow | undefined;
  /** Whoever wants to know what is done; undefined when nobody does. */
  readonly telemetry: Telemetry | undefined;
  readonly neighbours: Neighbours;
}

export type FindWorkflow = (
  started: JournalData<'RunStarted'>,
  registry: Registry,
) => Promise<void>;

/** What one run does to others, by way of the actor system. */
export interface Neighbours {
  /** What models are giving, for whoever watches. */
  readonly modelText: ModelTextFeed;
  /** Delivers a signal once; the promise resolves when the receiver has stored it, or never will take it. */
  deliver(from: RunState, signal: OutboundSignal): Promise<void>;
  /** Starts a child, or ends it when it is cancelled; its end comes back as a fact. */
  tend(parent: RunState, child: OpenChild, machine: DurableMachine): Promise<void>;
  /** Hands a command to the actor that stands for a run now. */
  submit(run: string, command: Command, options: SubmitOptions): Promise<RunState>;
  /** Called after a run was read from its journal again. */
  loaded(actor: RunActor): void;
  /** Called for every decision of others that was read from a journal, in order. */
  followed(state: RunState, events: readonly JournalEvent[]): void;
  /** Called after every stored decision, in order. */
  decided(actor: RunActor, events: readonly JournalEvent[]): void;
  /** Runs a step when one of the process's places is free. */
  withStepPlace<Result>(work: () => Promise<Result>): Promise<Result>;
}
