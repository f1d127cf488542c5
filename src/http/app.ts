/**
 * The HTTP API as one hono app: what every request passes, in this order, then the routes.
 *
 * 1. A request that passed nothing else has passed the check of its host, its origin and its token.
 * 2. Whatever a route throws becomes a problem document; nothing else leaves the server as an error.
 */
import { Hono } from 'hono';
import { EclError } from '../core/errors.ts';
import { requireAllTenants, requireScope, withoutHidden } from './access/authorize.ts';
import type { Api, ApiEnv } from './api.ts';
import { errorResponse } from './error-response.ts';
import { readJson } from './json-body.ts';
import { mountMiddleware } from './middleware.ts';
import { openApiDocument } from './openapi.ts';
import { askedOf, type Route } from './route.ts';
import { artifactRoutes } from './routes/artifacts.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { runCommandRoutes } from './routes/run-commands.ts';
import { runRoutes } from './routes/runs.ts';
import { stepRoutes } from './routes/steps.ts';
import { workflowRoutes } from './routes/workflows.ts';

/** Every route there is. */
export const routesOf = (api: Api): readonly Route[] => [
  ...runRoutes(api),
  ...runCommandRoutes(api),
  ...stepRoutes(api),
  ...eventRoutes(api),
  ...artifactRoutes(api),
  ...workflowRoutes(api),
  ...healthRoutes(api),
  ...metricsRoutes(api),
];

const documentPath = '/openapi.json';

const bodyOf = (
  { takes, bodyKind = 'json' }: Route,
  context: Parameters<Route['handle']>[0],
  { limits }: Api,
): Promise<unknown> | undefined => {
  if (takes?.body === undefined || bodyKind === 'binary') return undefined;
  const options = { optional: bodyKind === 'optional-json', bytesMax: limits.bodyBytesMax };
  return readJson(context, options);
};

const mount = (app: Hono<ApiEnv>, api: Api, route: Route): void => {
  const { method, path, scope, tenants, handle } = route;
  app.on(method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ':$1'), async (context) => {
    if (scope !== undefined) requireScope(context.get('principal'), scope);
    if (tenants === 'all') requireAllTenants(context.get('principal'));
    return handle(context, askedOf(route, context, await bodyOf(route, context, api)));
  });
};

export const createApp = (api: Api): Hono<ApiEnv> => {
  const app = new Hono<ApiEnv>();
  const routes = routesOf(api);
  const open = new Set(routes.flatMap(({ scope, path }) => (scope === undefined ? [path] : [])));
  open.add(documentPath);
  app.onError((error, context) => {
    const { requestId, principal } = context.var;
    if (error instanceof EclError) {
      return errorResponse(context, withoutHidden(principal, error), requestId);
    }
    const { path } = context.req;
    api.logger.error({ err: error, requestId, path }, 'a request failed');
    return errorResponse(context, error, requestId);
  });
  app.notFound((context) => {
    const { method, path } = context.req;
    const error = new EclError('http.no-route', { method, path: path.slice(0, 200) });
    return errorResponse(context, error, context.var.requestId);
  });
  mountMiddleware(app, api, open);
  for (const route of routes) mount(app, api, route);
  let document: string | undefined;
  app.get(documentPath, (context) => {
    document ??= JSON.stringify(openApiDocument(routes));
    return context.body(document, 200, { 'Content-Type': 'application/json' });
  });
  return app;
};
