/** Runs over HTTP: what starts one, how it is shown, what is sent to it. */
import { z } from 'zod';
import { runStatuses } from '../../core/run-statuses.ts';
import { pageOf } from './page.ts';

const Status = z.enum(runStatuses).meta({ id: 'RunStatus' });
const Instant = z.string().meta({ description: 'ISO 8601, UTC, milliseconds' });

/** What an input, a signal or an output may be; that it is JSON is checked before. */
const AnyJson = z.unknown().meta({ description: 'Any JSON value' });

export const ErrorDocument = z
  .object({
    code: z.string(),
    message: z.string(),
    details: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'ErrorDocument', description: 'Why a run failed, was paused or quarantined' });

const WaitingFor = z
  .object({
    event: z.string().meta({ description: 'Type of an event that goes on, or `timer`' }),
    dueAt: Instant.optional(),
  })
  .meta({ id: 'WaitingFor' });

export const Artifact = z
  .object({
    name: z.string(),
    path: z.string().meta({ description: 'Where its content is, on this server' }),
    sha256: z.string(),
    bytes: z.number().int(),
    mediaType: z.string(),
  })
  .meta({ id: 'Artifact' });
export type Artifact = z.infer<typeof Artifact>;

export const Run = z
  .object({
    id: z.string().meta({ description: '[<tenant>.]<workflow>.<key>' }),
    tenant: z.string(),
    workflow: z.string(),
    version: z.string(),
    status: Status,
    state: z.unknown().meta({ description: 'The state of the machine: a name, or nested ones' }),
    input: AnyJson,
    output: AnyJson.optional(),
    error: ErrorDocument.optional(),
    startedAt: Instant,
    updatedAt: Instant,
    endedAt: Instant.optional(),
    revision: z.number().int().meta({ description: 'Of its last event; the ETag holds it too' }),
    waitingFor: z.array(WaitingFor),
    artifacts: z.array(Artifact),
    parent: z.string().optional(),
  })
  .meta({ id: 'Run', description: 'A run, as it is now' });
export type Run = z.infer<typeof Run>;

export const RunSummary = z
  .object({
    id: z.string(),
    tenant: z.string(),
    workflow: z.string(),
    version: z.string(),
    status: Status,
    state: z.unknown(),
    startedAt: Instant,
    updatedAt: Instant,
    endedAt: Instant.optional(),
    revision: z.number().int(),
    waitingFor: z.array(z.string()),
    parent: z.string().optional(),
    error: z.string().optional(),
  })
  .meta({ id: 'RunSummary', description: 'A run as it stands in a list' });
export type RunSummary = z.infer<typeof RunSummary>;

export const RunPage = pageOf(RunSummary, 'RunPageItems')
  .extend({
    counts: z.partialRecord(Status, z.number().int()).optional(),
  })
  .meta({ id: 'RunPage' });
export type RunPage = z.infer<typeof RunPage>;

export const StartRun = z
  .strictObject({
    workflow: z.string().min(1).max(1024).meta({ description: 'Id of a workflow' }),
    key: z
      .string()
      .optional()
      .meta({ description: 'Names the run: the same key and input is the same run' }),
    input: AnyJson.optional(),
    tenant: z.string().optional().meta({ description: 'Of the token, where it is left out' }),
  })
  .meta({ id: 'StartRun' });
export type StartRun = z.infer<typeof StartRun>;

export const Signal = z
  .looseObject({ type: z.string().min(1).max(256) })
  .meta({ id: 'Signal', description: 'An event for the machine: its type, and fields of its own' });
export type Signal = z.infer<typeof Signal>;

export const CancelRun = z
  .strictObject({ reason: z.string().max(4096).optional() })
  .meta({ id: 'CancelRun' });

export const ResumeRun = z
  .strictObject({
    accept: z.boolean().optional().meta({ description: 'Takes the last draft as it is' }),
    moreRounds: z.number().int().min(1).max(1000).optional(),
    output: AnyJson.optional().meta({ description: 'Taken in place of the last draft' }),
    reason: z.string().max(4096).optional(),
  })
  .meta({ id: 'ResumeRun', description: 'At most one of accept, moreRounds and output' });
