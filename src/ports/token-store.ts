/**
 * Tokens of the HTTP API at rest: who may do what, never the token itself.
 *
 * 1. A token has at least 128 bit of randomness and is kept as its sha-256: who reads the store learns no token.
 * 2. What was created or revoked holds from the next request on, also for a server that runs.
 */

/** What a token may do; each scope includes those before it. */
export const scopes = ['read', 'write', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** In place of a tenant: all of them. */
export const everyTenant = '*';

export interface TokenRecord {
  /** Names the token where it is listed and revoked; no secret. */
  readonly id: string;
  readonly tenant: string;
  readonly scope: Scope;
  /** ISO 8601, UTC, milliseconds. */
  readonly createdAt: string;
}

export interface TokenStore {
  /**
   * Makes a token; it is shown here and never again.
   * @throws EclError `id.invalid`
   */
  create(grant: { tenant: string; scope: Scope; now: number }): {
    token: string;
    record: TokenRecord;
  };
  list(): readonly TokenRecord[];
  /** @returns whether there was such a token */
  revoke(id: string): boolean;
  /** What this token may do, or undefined when it is not known. */
  find(token: string): TokenRecord | undefined;
}
