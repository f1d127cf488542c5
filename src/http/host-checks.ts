/**
 * Where a request says it goes and comes from. A web page that a person looks at can make their browser call a server on
 * their machine: under a name of its own (DNS rebinding), which the host gives away, or openly, which the origin does.
 */
import { EclError } from '../core/errors.ts';

const nameOf = (host: string): string => host.replace(/:\d+$/, '').toLowerCase();

/**
 * @param hosts names that it may have; undefined when any will do
 * @throws EclError `access.forbidden`
 */
export const checkHost = (
  host: string | undefined,
  hosts: ReadonlySet<string> | undefined,
): void => {
  if (hosts === undefined) return;
  if (host !== undefined && hosts.has(nameOf(host))) return;
  throw new EclError('access.forbidden', { reason: 'the Host is not this server' });
};

/** There are no pages of other origins that may call. @throws EclError `access.forbidden` */
export const checkOrigin = (origin: string | undefined, host: string | undefined): void => {
  if (origin === undefined) return;
  const own = /^https?:\/\/(.+)$/.exec(origin)?.[1];
  if (own !== undefined && own === host) return;
  throw new EclError('access.forbidden', { reason: 'the Origin is another one' });
};

/** Names of this machine for itself. */
export const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
