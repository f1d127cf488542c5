/** What is asked about a run beyond its document: what happened in it, and which files it has. */
import { z } from 'zod';

const Instant = z.string();

const Usage = z
  .object({
    calls: z.number(),
    inputTokens: z.number(),
    outputTokens: z.number(),
    usd: z.number(),
    unpriced: z.number(),
  })
  .meta({ id: 'Usage', description: 'Of model calls; `usd` of those whose cost is known' });

export const Step = z
  .object({
    revision: z.number().int(),
    kind: z.string().meta({ description: 'run, state, wait, step, attempt, model-call, …' }),
    name: z.string(),
    startedAt: Instant,
    endedAt: Instant.optional(),
    durationMs: z.number().optional(),
    outcome: z.string().optional(),
    causedBy: z.number().int().optional(),
    endedBy: z.number().int().optional(),
    writer: z.string(),
    invocation: z.string().optional(),
    attempt: z.number().int().optional(),
    attempts: z.number().int().optional(),
    round: z.number().int().optional(),
    verdict: z.object({ decision: z.string(), feedback: z.string() }).optional(),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
    usage: Usage.optional(),
    events: z.array(z.string()).optional(),
    dueAt: Instant.optional(),
    from: z.string().optional(),
    to: z.string().optional(),
    reason: z.string().optional(),
    bytes: z.number().optional(),
    sha256: z.string().optional(),
  })
  .meta({
    id: 'Step',
    description: 'Something that happened in a run, from its beginning to its end',
  });
export type Step = z.infer<typeof Step>;

export const StoredArtifact = z
  .object({
    run: z.string(),
    step: z.string().meta({ description: 'The step that stored it' }),
    name: z.string(),
    path: z.string(),
    sha256: z.string(),
    bytes: z.number().int(),
    mediaType: z.string(),
    storedAt: Instant,
    revision: z.number().int(),
  })
  .meta({ id: 'StoredArtifact' });

export const ArtifactReference = z
  .object({
    name: z.string(),
    sha256: z.string(),
    bytes: z.number().int(),
    mediaType: z.string(),
  })
  .meta({
    id: 'ArtifactReference',
    description: 'Stands in the input of a run where its schema says file()',
  });

export type ArtifactReference = z.infer<typeof ArtifactReference>;

export const Workflow = z
  .object({
    id: z.string(),
    version: z.string(),
    description: z.string().nullable(),
    origin: z.string().meta({ description: 'built-in, or its module' }),
    input: z.unknown().meta({ description: 'JSON Schema of its input; null where it takes any' }),
  })
  .meta({ id: 'Workflow' });

export const WorkflowExport = z
  .object({
    workflow: z.string(),
    version: z.string(),
    format: z.string(),
    content: z.unknown(),
  })
  .meta({ id: 'WorkflowExport' });
