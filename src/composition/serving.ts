/**
 * Part of the composition root: the HTTP API on top of an open ECL, its tokens, and the file in which the command line
 * on this machine finds it.
 */
import { removeServerFile, writeServerFile } from '../adapters/filesystem/server-file.ts';
import { createSecret } from '../adapters/system/secret.ts';
import { EclError } from '../core/errors.ts';
import { exportWorkflow } from './exporting.ts';
import { createAuthenticator, openDoor } from '../http/access/authenticate.ts';
import type { WorkflowSource } from '../http/api.ts';
import { loopbackNames } from '../http/host-checks.ts';
import { httpLimits, type HttpLimits } from '../http/limits.ts';
import { startHttpServer } from '../http/server.ts';
import type { Ecl } from '../runtime/ecl.ts';
import { openTokens } from './server-place.ts';

export interface ServeOptions {
  readonly ecl: Ecl;
  readonly workflows: WorkflowSource;
  /** Where tokens are kept and the server's own file is written. */
  readonly folder: string;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0 takes a free one. @default 4680 */
  readonly port?: number;
  /** Whether requests need a token; without one only this machine is served. @default true */
  readonly auth?: boolean;
  readonly limits?: Partial<HttpLimits>;
}

export interface Serving {
  readonly url: string;
  /** Of the server itself: it allows everything, and goes with it. */
  readonly token: string;
  /** The file that holds both, for the command line on this machine. */
  readonly file: string;
  close(): Promise<void>;
}

export const portDefault = 4680;
export const hostDefault = '127.0.0.1';

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/**
 * Serves the HTTP API.
 *
 * @throws EclError `usage.invalid` for a server without tokens that others could reach, `server.no-address` when the
 * address cannot be taken
 */
export const serve = async (options: ServeOptions): Promise<Serving> => {
  const { ecl, workflows, folder, host = hostDefault, port = portDefault, auth = true } = options;
  if (!auth && !isLoopback(host)) {
    const reason = `--no-auth serves this machine only: ${host} is an address that others reach`;
    throw new EclError('usage.invalid', { reason });
  }
  const { clock, logger } = ecl.system.services;
  const serverToken = createSecret();
  const server = await startHttpServer({
    host,
    port,
    api: {
      ecl,
      workflows,
      exportWorkflow,
      authenticator: auth
        ? createAuthenticator({ tokens: openTokens(folder), serverToken })
        : openDoor,
      limits: { ...httpLimits, ...options.limits },
      clock,
      ids: ecl.ids,
      logger,
      hosts: isLoopback(host) ? loopbackNames : undefined,
    },
  });
  // A server is asked: what is folded on demand begins now, not with the first question. Its failures are logged there.
  ecl.readModels.caughtUp().catch(() => {});
  const { url } = server;
  const file = writeServerFile(folder, { url, token: serverToken, pid: process.pid });
  return {
    url,
    token: serverToken,
    file,
    close: async () => {
      removeServerFile(folder, process.pid);
      await server.close();
    },
  };
};
