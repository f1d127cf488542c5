/** What the routes of the HTTP API work with. */
import type { HttpBindings } from '@hono/node-server';
import type { Logger } from 'pino';
import type { Workflow } from '../authoring/workflow.ts';
import type { ExportFormat } from '../core/export-formats.ts';
import type { Clock } from '../ports/clock.ts';
import type { IdGenerator } from '../ports/id-generator.ts';
import type { Ecl } from '../runtime/ecl.ts';
import type { Authenticator } from './access/authenticate.ts';
import type { ArtifactAccess } from './access/artifact-access.ts';
import type { Principal } from './access/authorize.ts';
import type { Load } from './access/load.ts';
import type { HttpLimits } from './limits.ts';
import type { RunWaits } from './run-waits.ts';
import type { Uploads } from './uploads.ts';

export interface ServedWorkflow {
  readonly workflow: Workflow;
  /** As a run records it; undefined for a built-in one. */
  readonly module: string | undefined;
  /** `built-in`, or the path of its module. */
  readonly origin: string;
}

/** Where the server finds workflows. */
export interface WorkflowSource {
  /** The ones that a name means stand first. */
  all(): Promise<readonly ServedWorkflow[]>;
  /** By name; by path only where the caller may load code. @throws EclError `workflow.not-found` */
  find(target: string): Promise<ServedWorkflow>;
}

export interface Api {
  readonly ecl: Ecl;
  readonly workflows: WorkflowSource;
  /** A workflow's machine for another tool: for `json` a value, else text. */
  readonly exportWorkflow: (format: ExportFormat, workflow: Workflow) => Promise<unknown>;
  readonly authenticator: Authenticator;
  readonly limits: HttpLimits;
  readonly load: Load;
  readonly uploads: Uploads;
  readonly artifactAccess: ArtifactAccess;
  readonly waits: RunWaits;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  readonly logger: Logger;
  /** Names that a `Host` header may have; undefined when any will do. */
  readonly hosts: ReadonlySet<string> | undefined;
  /** Aborts when the server begins to end: streams end with it. */
  readonly closing: AbortSignal;
}

export interface ApiEnv {
  Variables: { principal: Principal; requestId: string };
  Bindings: Partial<HttpBindings>;
}
