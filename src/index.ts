/** The public API of `ecl`. Named exports only; what is not here is not public. */
export { file } from './authoring/file.ts';
export { gate, type Gate, type GateOptions } from './authoring/gate.ts';
export {
  rounds,
  verdict,
  type Rounds,
  type RoundsContext,
  type RoundsOptions,
} from './authoring/rounds.ts';
export { serial, type SerialOptions } from './authoring/serial.ts';
export type { SerialMachine } from './authoring/serial-types.ts';
export { step, type Step, type StepOptions } from './authoring/step.ts';
export type {
  Prompt,
  PromptRequest,
  RevisionScope,
  StepArtifacts,
  StepModel,
  StepScope,
  Tool,
} from './authoring/step-scope.ts';
export { workflow, type Workflow, type WorkflowOptions } from './authoring/workflow.ts';
export type { Budget, Spending } from './core/budget.ts';
export {
  EclError,
  isEclError,
  RetryableError,
  TerminalError,
  type ErrorCode,
  type ErrorDocument,
} from './core/errors.ts';
export type { ArtifactReference, JournalEventType, MachineEvent } from './core/journal-events.ts';
export type { RetryPolicy } from './core/retry-policy.ts';
export type { OnExhausted, RoundsState, Verdict } from './core/rounds.ts';
export type { RunStatus } from './core/run-statuses.ts';
export type {
  Model,
  ModelChunk,
  ModelDocument,
  ModelMessage,
  ModelReply,
  ModelRequest,
  ModelUsage,
  ToolCall,
} from './ports/model.ts';
export type {
  Condition as RowCondition,
  RowQuery,
  RowTotals,
  RowTotalsQuery,
} from './ports/read-store.ts';
export type { DailyBudgets } from './runtime/daily-budget.ts';
export type { ModelPace } from './runtime/paced-model.ts';
export type { OwingRun, RunListQuery, RunPage, RunSummary } from './ports/run-directory.ts';
export type {
  GatePage,
  GateQuery,
  PendingGate,
  StatusCounts,
  StoredArtifact,
  TimelineEntry,
  TimelineKind,
  TimelinePage,
  TimelineQuery,
  TimelineUsage,
  UsageDimension,
  UsageQuery,
  UsageReport,
  UsageTotals,
} from './ports/status-queries.ts';
export type { Ecl, SpawnOptions } from './runtime/ecl.ts';
export type { EventQuery, PublicEvent } from './runtime/event-feed.ts';
export {
  isPayloadReference,
  projectedEvents,
  type PayloadReference,
  type ProjectedData,
  type ProjectedEvent,
} from './runtime/projected-event.ts';
export {
  defineProjection,
  type ColumnValues,
  type ProjectedRow,
  type ProjectedRows,
  type Projection,
  type ProjectionOptions,
} from './runtime/projection.ts';
export type { Fresh } from './runtime/read-own-writes.ts';
export type { RunDocument } from './runtime/run-document.ts';
export type { ResumeOptions, RunHandle } from './runtime/run-handle.ts';
export { createEcl, type EclOptions } from './main.ts';
