/** The workflows of flows.mjs and of the package, for the process that checks what the killed ones left. */
import type { EclOptions } from 'ecl';

type Workflows = NonNullable<EclOptions['workflows']>;

const load = async (path: string): Promise<Record<string, unknown>> =>
  (await import(new URL(path, import.meta.url).href)) as Record<string, unknown>;

export const testFlows = async (): Promise<Workflows> =>
  (await load('./flows.mjs'))['all'] as Workflows;

export const builtInFlows = async (): Promise<Workflows> =>
  Object.values(await load('../../machines/index.ts')) as unknown as Workflows;
