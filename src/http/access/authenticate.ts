/** From the header of a request to whom it comes from. */
import { timingSafeEqual } from 'node:crypto';
import { EclError } from '../../core/errors.ts';
import { sha256 } from '../../core/sha256.ts';
import { everyTenant, type TokenStore } from '../../ports/token-store.ts';
import type { Principal } from './authorize.ts';

export interface Authenticator {
  /**
   * @param header of `Authorization`
   * @throws EclError `access.unauthenticated`
   */
  authenticate(header: string | undefined): Principal;
}

/** Longer ones are none of ours, and are not hashed. */
const tokenLengthMax = 256;

const operator = (id: string): Principal => ({ id, tenant: everyTenant, scope: 'admin' });

const tokenOf = (header: string | undefined): string => {
  if (header === undefined) {
    throw new EclError('access.unauthenticated', {
      reason: 'send it as "Authorization: Bearer <token>"',
    });
  }
  const token = /^Bearer +([\w.~+/=-]+) *$/i.exec(header)?.[1];
  if (token !== undefined && token.length <= tokenLengthMax) return token;
  throw new EclError('access.unauthenticated', { reason: 'the Authorization header holds none' });
};

/**
 * @param options.serverToken of the server itself, for the command line on this machine
 */
export const createAuthenticator = (options: {
  tokens: TokenStore;
  serverToken: string;
}): Authenticator => {
  const own = Buffer.from(sha256(options.serverToken));
  return {
    authenticate: (header) => {
      const token = tokenOf(header);
      if (timingSafeEqual(Buffer.from(sha256(token)), own)) return operator('server');
      const record = options.tokens.find(token);
      if (record !== undefined) return record;
      throw new EclError('access.unauthenticated', { reason: 'it is not known, or was revoked' });
    },
  };
};

/** Everybody may do everything: for a server that only this machine reaches. */
export const openDoor: Authenticator = { authenticate: () => operator('anyone') };
