/** Whether the server lives, and whether it can do its work. */
import { z } from 'zod';
import { isEclError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Api } from '../api.ts';
import { answersJson, route, type Route } from '../route.ts';

const Live = z.object({ status: z.literal('live') }).meta({ id: 'Live' });

const Ready = z
  .object({
    status: z.enum(['ready', 'unavailable', 'closing']),
    reason: z.string().optional(),
  })
  .meta({ id: 'Ready' });

/** An answer that takes longer is as good as none. */
const answerMsMax = 2_000;
/** Nobody writes it: looking it up asks the store, and costs it next to nothing. */
const probedStream = 'ecl-health';

const inTime = async (clock: Clock, work: Promise<unknown>): Promise<void> => {
  let cancel = (): void => {};
  const late = new Promise<never>((_, reject) => {
    cancel = clock.schedule(clock.now() + answerMsMax, () => reject(new Error('too late')));
  });
  try {
    await Promise.race([work, late]);
  } finally {
    cancel();
  }
};

const live = route({
  method: 'get',
  path: '/health/live',
  operationId: 'live',
  tag: 'Health',
  summary: 'The process answers, also while the store is away',
  scope: undefined,
  answers: { 200: answersJson(Live, 'It lives') },
  handle: (context) => context.json({ status: 'live' }),
});

const ready = ({ ecl, clock, closing }: Api): Route =>
  route({
    method: 'get',
    path: '/health/ready',
    operationId: 'ready',
    tag: 'Health',
    summary: 'The store answers too',
    scope: undefined,
    answers: {
      200: answersJson(Ready, 'Requests can be served'),
      503: answersJson(Ready, 'The store is away, or the server is about to end'),
    },
    handle: async (context) => {
      if (closing.aborted) return context.json({ status: 'closing' }, 503);
      try {
        await inTime(clock, ecl.system.services.store.lastRevision(probedStream));
        return context.json({ status: 'ready' });
      } catch (error) {
        const reason = isEclError(error) ? error.code : 'the store does not answer';
        return context.json({ status: 'unavailable', reason }, 503);
      }
    },
  });

export const healthRoutes = (api: Api): Route[] => [live, ready(api)];
