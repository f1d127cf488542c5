/** A run as it is shown: the same document from the library, the command line and HTTP. */
import type { ErrorDocument } from '../core/errors.ts';
import { parseRunId } from '../core/ids.ts';
import type { ArtifactReference } from '../core/journal-events.ts';
import type { RunState } from '../core/run-state.ts';
import type { RunStatus } from '../core/run-statuses.ts';
import { runStatus, waitingFor, type WaitingFor } from '../core/run-status.ts';
import type { RunActor } from './run-actor.ts';
import type { Services } from './services.ts';

export interface RunDocument {
  readonly id: string;
  readonly tenant: string;
  readonly workflow: string;
  readonly version: string;
  readonly status: RunStatus;
  /** The machine's state value: a name, or an object of nested ones. */
  readonly state: unknown;
  readonly input: unknown;
  readonly output?: unknown;
  readonly error?: ErrorDocument;
  readonly startedAt: string;
  readonly updatedAt: string;
  readonly endedAt?: string;
  readonly revision: number;
  readonly waitingFor: readonly WaitingFor[];
  readonly artifacts: readonly (ArtifactReference & { path: string })[];
  readonly parent?: string;
}

const errorOf = (state: RunState): { error?: ErrorDocument } => {
  if (state.error !== undefined) return { error: state.error };
  if (state.quarantine !== undefined) {
    const { revision, reason } = state.quarantine;
    return { error: { code: 'run.quarantined', message: reason, details: { revision } } };
  }
  if (state.pause === undefined) return {};
  return { error: state.pause.error ?? { code: 'run.paused', message: state.pause.reason } };
};

const readyDocument = (services: Services, state: RunState): RunDocument => {
  const { tenant } = parseRunId(state.id);
  const { started } = state;
  return {
    id: state.id,
    tenant,
    workflow: started.workflow,
    version: started.version,
    status: runStatus(state),
    state: state.snapshot.value,
    input: started.input ?? null,
    ...(state.output === undefined ? {} : { output: state.output }),
    ...errorOf(state),
    startedAt: state.startedAt,
    updatedAt: state.updatedAt,
    ...(state.endedAt === undefined ? {} : { endedAt: state.endedAt }),
    revision: state.revision,
    waitingFor: waitingFor(state),
    artifacts: state.artifacts.map((artifact) => ({
      ...artifact,
      path: services.artifacts.locate(artifact.sha256),
    })),
    ...(started.parent === undefined ? {} : { parent: started.parent.run }),
  };
};

/** The document of a run, whether or not it can go on. */
export const runDocument = (
  services: Services,
  actor: Pick<RunActor, 'id' | 'state' | 'unready'>,
): RunDocument => {
  if (actor.state !== undefined) return readyDocument(services, actor.state);
  const unready = actor.unready!;
  const { head } = unready;
  const { started } = unready;
  const agreed = unready.kind === 'diverged' ? unready.state : undefined;
  const { tenant, workflow } = parseRunId(actor.id);
  return {
    id: actor.id,
    tenant,
    workflow: started?.workflow ?? workflow,
    version: started?.version ?? '',
    status: unready.kind === 'blocked' ? 'blocked' : 'quarantined',
    state: agreed?.snapshot.value ?? null,
    input: started?.input ?? null,
    error:
      unready.kind === 'blocked'
        ? unready.error.toJSON()
        : {
            code: 'run.quarantined',
            message: unready.divergence.reason,
            details: { ...unready.divergence },
          },
    startedAt: agreed?.startedAt ?? head.at,
    updatedAt: head.at,
    revision: head.revision,
    waitingFor: [],
    artifacts: (agreed?.artifacts ?? []).map((artifact) => ({
      ...artifact,
      path: services.artifacts.locate(artifact.sha256),
    })),
  };
};
