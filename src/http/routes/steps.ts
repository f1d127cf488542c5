/** What happened in a run. */
import { z } from 'zod';
import { requireRun } from '../access/authorize.ts';
import type { Api } from '../api.ts';
import { Cursor, Limit, limitDefault, pageOf, Position } from '../contract/page.ts';
import { Step } from '../contract/status.ts';
import { answersJson, problems, route, type Route } from '../route.ts';
import { RunPath } from './run-kit.ts';

const StepQuery = z.strictObject({
  kinds: z
    .string()
    .regex(/^[a-z-]{1,32}(,[a-z-]{1,32}){0,31}$/)
    .optional()
    .meta({
      description:
        '`step` where it is left out; others are `attempt`, `model-call`, `verdict`, `state`, `wait`, `signal`, ' +
        '`timer`, `child`, …; `all` gives the whole story',
    }),
  limit: Limit,
  cursor: Cursor,
  after: Position,
});

export const stepRoutes = ({ ecl, limits }: Api): Route[] => [
  route({
    method: 'get',
    path: '/api/v1/runs/{id}/steps',
    operationId: 'listRunSteps',
    tag: 'Runs',
    summary: 'Steps of a run, in the order in which they began',
    description: 'A page may hold fewer items than its limit while there are more.',
    scope: 'read',
    takes: { params: RunPath, query: StepQuery },
    answers: {
      200: answersJson(pageOf(Step, 'StepPage'), 'A page of steps'),
      ...problems(404, 409),
    },
    handle: async (context, { params, query }) => {
      const id = requireRun(context.get('principal'), params.id);
      const { kinds = 'step', limit = limitDefault, cursor, after } = query;
      const wanted = new Set(kinds.split(','));
      const { items, nextCursor } = await ecl.timeline(id, {
        limit,
        after,
        waitMs: limits.freshWaitMs,
        ...(cursor === undefined ? {} : { cursor }),
      });
      const shown = wanted.has('all') ? items : items.filter(({ kind }) => wanted.has(kind));
      return context.json({ items: shown, ...(nextCursor === undefined ? {} : { nextCursor }) });
    },
  }),
];
