/** What every request passes before its route, in this order: the one place where middleware is mounted. */
import type { Hono, MiddlewareHandler } from 'hono';
import type { Api, ApiEnv } from './api.ts';
import { checkHost, checkOrigin } from './host-checks.ts';

/** Names a request, for its answer and the log: the server and a number. */
const requestId = ({ ids }: Api): MiddlewareHandler<ApiEnv> => {
  const server = ids.uuid();
  let requests = 0;
  return async (context, next) => {
    requests += 1;
    const id = `${server}/${requests}`;
    context.set('requestId', id);
    context.header('X-Request-Id', id);
    await next();
  };
};

/** Answers are for the one who asked, and are what they say they are; those of a server that ends are the last. */
const commonHeaders =
  ({ closing }: Api): MiddlewareHandler<ApiEnv> =>
  async (context, next) => {
    context.header('X-Content-Type-Options', 'nosniff');
    context.header('Cache-Control', 'no-store');
    await next();
    if (closing.aborted) context.header('Connection', 'close');
  };

const hostChecks =
  ({ hosts }: Api): MiddlewareHandler<ApiEnv> =>
  async (context, next) => {
    const host = context.req.header('host');
    checkHost(host, hosts);
    checkOrigin(context.req.header('origin'), host);
    await next();
  };

/** A request with a token counts for it from here on; a stream counts as such instead, as long as it is open. */
const authentication =
  ({ authenticator, load }: Api, open: ReadonlySet<string>): MiddlewareHandler<ApiEnv> =>
  async (context, next) => {
    if (open.has(context.req.path)) return next();
    const principal = authenticator.authenticate(context.req.header('authorization'));
    context.set('principal', principal);
    const end = load.takeRequest(principal);
    try {
      return await next();
    } finally {
      end();
    }
  };

/** @param open paths that need no token */
export const mountMiddleware = (app: Hono<ApiEnv>, api: Api, open: ReadonlySet<string>): void => {
  app.use(requestId(api));
  app.use(commonHeaders(api));
  app.use(hostChecks(api));
  app.use(authentication(api, open));
};
