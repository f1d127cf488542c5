/**
 * Who may do what: the one place that decides, by tenant, scope and object.
 *
 * 1. A run of another tenant is not forbidden but not there: its id says nothing to who may not see it.
 * 2. A tenant that a request names itself, in a filter or for a new run, is no secret: that is forbidden.
 */
import { EclError } from '../../core/errors.ts';
import { defaultTenant, parseRunId } from '../../core/ids.ts';
import { everyTenant, scopes, type Scope } from '../../ports/token-store.ts';

/** Whom a request comes from. */
export interface Principal {
  /** Id of the token; limits count by it. */
  readonly id: string;
  readonly tenant: string;
  readonly scope: Scope;
}

/** Whoever holds it may do what a person at this machine may. */
export const isOperator = ({ tenant, scope }: Principal): boolean =>
  tenant === everyTenant && scope === 'admin';

/** @throws EclError `access.forbidden` */
export const requireScope = (principal: Principal, scope: Scope): void => {
  if (scopes.indexOf(principal.scope) >= scopes.indexOf(scope)) return;
  throw new EclError('access.forbidden', {
    reason: `it takes the scope ${scope}, and the token has ${principal.scope}`,
  });
};

/** For what tells of all tenants at once. @throws EclError `access.forbidden` */
export const requireAllTenants = ({ tenant }: Principal): void => {
  if (tenant === everyTenant) return;
  throw new EclError('access.forbidden', { reason: `the token is for the tenant ${tenant} alone` });
};

const requireTenant = (principal: Principal, tenant: string): string => {
  if (principal.tenant === everyTenant || principal.tenant === tenant) return tenant;
  throw new EclError('access.forbidden', {
    reason: `the token is for the tenant ${principal.tenant}`,
  });
};

/** The tenant of what is made. @throws EclError `access.forbidden` */
export const tenantForNew = (principal: Principal, asked: string | undefined): string => {
  if (asked !== undefined) return requireTenant(principal, asked);
  return principal.tenant === everyTenant ? defaultTenant : principal.tenant;
};

/** The tenant that a list is cut down to; undefined for all. @throws EclError `access.forbidden` */
export const tenantForList = (
  principal: Principal,
  asked: string | undefined,
): string | undefined => {
  if (asked !== undefined) return requireTenant(principal, asked);
  return principal.tenant === everyTenant ? undefined : principal.tenant;
};

/** Whether the run may be seen. @throws EclError `id.invalid` */
export const maySeeRun = (principal: Principal, id: string): boolean => {
  const { tenant } = parseRunId(id);
  return principal.tenant === everyTenant || principal.tenant === tenant;
};

/** @throws EclError `run.not-found`, `id.invalid` */
export const requireRun = (principal: Principal, id: string): string => {
  if (maySeeRun(principal, id)) return id;
  throw new EclError('run.not-found', { run: id, nearest: '' });
};

/** The error without what it says of runs that may not be seen: ids that resemble the one that was asked for. */
export const withoutHidden = (principal: Principal | undefined, error: EclError): EclError => {
  const { candidates } = error.details;
  if (error.code !== 'run.not-found' || !Array.isArray(candidates)) return error;
  const seen = candidates.filter(
    (id) => principal !== undefined && maySeeRun(principal, String(id)),
  );
  const nearest = seen.length === 0 ? '' : ` Did you mean ${seen.join(' or ')}?`;
  return new EclError('run.not-found', { ...error.details, nearest, candidates: seen });
};
