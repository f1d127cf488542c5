/**
 * Run ids and stream names: `[<tenant>.]<workflow>.<key>`, and what may stand in them.
 *
 * 1. A prefix of a stream selects everything, a tenant or a workflow, so the tenant is always written in a stream.
 * 2. A child run is `<parent>~<n>`; no user's key can hold a `~`.
 * 3. A run has one id: the tenant `default` is never written in it.
 */
import { EclError } from './errors.ts';

export interface RunId {
  readonly tenant: string;
  readonly workflow: string;
  /** The user's key and, for child runs, the `~n` of each level. */
  readonly key: string;
}

export const defaultTenant = 'default';

const namePattern = /^[a-z][a-z0-9-]{0,62}$/;
const keyPattern = /^[A-Za-z0-9_-]{1,128}$/;
const childKeyPattern = /^[A-Za-z0-9_-]{1,128}(~[1-9]\d{0,8}){0,8}$/;

const nameRule = 'a lower-case letter, then up to 62 lower-case letters, digits and dashes';

/** @throws EclError `id.invalid` */
export const checkName = (what: string, value: string): string => {
  if (namePattern.test(value)) return value;
  throw new EclError('id.invalid', { what, value, rule: nameRule });
};

/** @throws EclError `id.invalid` */
export const checkKey = (value: string): string => {
  if (keyPattern.test(value)) return value;
  throw new EclError('id.invalid', {
    what: 'The key',
    value,
    rule: '1 to 128 letters, digits, dashes and underscores',
  });
};

export const formatRunId = ({ tenant, workflow, key }: RunId): string =>
  tenant === defaultTenant ? `${workflow}.${key}` : `${tenant}.${workflow}.${key}`;

const isRunId = (id: string): boolean => {
  const parts = id.split('.');
  const [tenant, workflow, key] = parts.length === 2 ? [undefined, ...parts] : parts;
  if (parts.length < 2 || parts.length > 3 || tenant === defaultTenant) return false;
  const isTenant = tenant === undefined || namePattern.test(tenant);
  return isTenant && namePattern.test(workflow ?? '') && childKeyPattern.test(key ?? '');
};

/** @throws EclError `id.invalid` */
export const parseRunId = (id: string): RunId => {
  const parts = id.split('.');
  const [tenant, workflow, key] = parts.length === 2 ? [defaultTenant, ...parts] : parts;
  if (!isRunId(id)) {
    throw new EclError('id.invalid', {
      what: 'The run id',
      value: id,
      rule: `[<tenant>.]<workflow>.<key>, as printed by \`ecl list\`; the tenant "${defaultTenant}" is left out`,
    });
  }
  return { tenant: tenant!, workflow: workflow!, key: key! };
};

const fullName = (id: string): string => {
  const { tenant, workflow, key } = parseRunId(id);
  return `${tenant}.${workflow}.${key}`;
};

export const journalStream = (id: string): string => `run-${fullName(id)}`;
export const snapshotStream = (id: string): string => `snapshot-${fullName(id)}`;

/** The run id of a journal stream, or undefined for any other stream. */
export const runIdOfStream = (stream: string): string | undefined => {
  if (!stream.startsWith('run-')) return undefined;
  const name = stream.slice(4);
  const isDefault = name.startsWith(`${defaultTenant}.`);
  const id = isDefault ? name.slice(defaultTenant.length + 1) : name;
  return isRunId(id) && id.split('.').length === (isDefault ? 2 : 3) ? id : undefined;
};

/** What all journal streams of a tenant, or of a tenant's workflow, begin with. */
export const journalPrefix = (tenant?: string, workflow?: string): string => {
  if (tenant === undefined) return 'run-';
  return workflow === undefined ? `run-${tenant}.` : `run-${tenant}.${workflow}.`;
};

export const childRunId = (parent: string, n: number): string => `${parent}~${n}`;
export const parentRunId = (id: string): string | undefined => {
  const at = id.lastIndexOf('~');
  return at === -1 ? undefined : id.slice(0, at);
};

/** The run above all its ancestors: the id up to the first `~`. */
export const rootRunId = (id: string): string => {
  const at = id.indexOf('~');
  return at === -1 ? id : id.slice(0, at);
};
