/** Figures of the whole server for Prometheus; where none are kept there is no such route. */
import { z } from 'zod';
import type { Api } from '../api.ts';
import { problems, route, type Route } from '../route.ts';

export const metricsRoutes = ({ ecl: { metrics } }: Api): Route[] =>
  metrics === undefined
    ? []
    : [
        route({
          method: 'get',
          path: '/metrics',
          operationId: 'metrics',
          tag: 'Health',
          summary: 'Figures for Prometheus',
          description: 'They count what all tenants do: a token of one tenant does not get them.',
          scope: 'read',
          tenants: 'all',
          answers: {
            200: {
              description: 'The text format of Prometheus',
              content: { 'text/plain': z.string() },
            },
            ...problems(),
          },
          handle: async (context) => {
            const body = await metrics.text();
            return context.body(body, 200, { 'Content-Type': metrics.contentType });
          },
        }),
      ];
