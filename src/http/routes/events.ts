/** Journal events of one run or of all: a page of them, or a stream that goes on. */
import type { Context } from 'hono';
import { z } from 'zod';
import { parseRunId } from '../../core/ids.ts';
import type { JournalEventType } from '../../core/journal-events.ts';
import type { EventPageQuery, EventQuery, PublicEvent } from '../../runtime/event-feed.ts';
import type { ModelText as Piece } from '../../runtime/model-text.ts';
import { requireRun, tenantForList } from '../access/authorize.ts';
import type { Api, ApiEnv } from '../api.ts';
import { cloudEvent } from '../cloud-event.ts';
import {
  CloudEvent,
  cloudEventBatchMediaType,
  cloudEventMediaType,
  Event,
  eventStreamMediaType,
} from '../contract/event.ts';
import { Cursor, Limit, limitDefault, pageOf } from '../contract/page.ts';
import { eventStream } from '../event-stream.ts';
import { problems, route, type Answer, type Route } from '../route.ts';
import { RunPath } from './run-kit.ts';

const paging = {
  from: z
    .string()
    .regex(/^(start|end|\d{1,19})$/)
    .optional()
    .meta({ description: 'Position after which to begin, or start or end' }),
  types: z
    .string()
    .regex(/^[A-Za-z]{1,64}(,[A-Za-z]{1,64}){0,63}$/)
    .optional()
    .meta({ description: 'Only events of these types, with commas between them' }),
  limit: Limit,
  cursor: Cursor,
  modelText: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'In a stream: what models are giving too, as events `model.text`' }),
};

const StreamHeaders = z.object({
  'last-event-id': z
    .string()
    .regex(/^\d{1,19}$/)
    .optional()
    .meta({ description: 'In a stream: position of the last event that the client has' }),
});

const answers: Record<number, Answer> = {
  200: {
    description:
      'A page of events; with `Accept: text/event-stream` a stream of server-sent events that goes on, each with ' +
      'its position as id; with `application/cloudevents-batch+json` a page of CloudEvents, the next one in `Link`',
    content: {
      'application/json': pageOf(Event, 'EventPage'),
      [eventStreamMediaType]: z.string(),
      [cloudEventBatchMediaType]: z.array(CloudEvent),
    },
  },
  ...problems(404),
};

interface Wanted {
  readonly accept: string;
  readonly query: {
    readonly from?: string | undefined;
    readonly types?: string | undefined;
    readonly limit?: number | undefined;
    readonly cursor?: string | undefined;
    readonly modelText?: string | undefined;
  };
  readonly lastEventId: string | undefined;
  /** Which runs: one, or those of a tenant or a workflow. */
  readonly of: Pick<EventQuery, 'run' | 'workflow' | 'tenant'>;
}

const typesOf = (text: string | undefined): { types?: readonly JournalEventType[] } =>
  text === undefined ? {} : { types: text.split(',') as JournalEventType[] };

const concerns =
  ({ run, workflow, tenant }: Wanted['of']) =>
  (piece: Piece): boolean => {
    if (run !== undefined) return piece.run === run;
    const of = parseRunId(piece.run);
    return (tenant ?? of.tenant) === of.tenant && (workflow ?? of.workflow) === of.workflow;
  };

/** Where a stream begins; the end is a position, so that a client that comes back has missed nothing. */
const beginning = async (
  { ecl }: Api,
  { query, lastEventId }: Wanted,
): Promise<{ from: string; position?: string }> => {
  const from = lastEventId ?? query.from ?? 'start';
  if (from !== 'end') return { from };
  const last = await ecl.system.services.store.lastPosition();
  return last === undefined ? { from: 'start' } : { from: String(last), position: String(last) };
};

const stream = async (api: Api, context: Context<ApiEnv>, wanted: Wanted): Promise<Response> => {
  const { accept, query, of } = wanted;
  const { from, position } = await beginning(api, wanted);
  const { ecl, clock, limits, closing } = api;
  const controller = new AbortController();
  const leave = api.load.takeStream(context.get('principal'));
  const end = (): void => controller.abort();
  closing.addEventListener('abort', end);
  if (closing.aborted) end();
  const isWanted = concerns(of);
  const body = eventStream({
    events: ecl.events({
      ...of,
      ...typesOf(query.types),
      from,
      live: true,
      signal: controller.signal,
    }),
    document: accept.includes(cloudEventMediaType) ? cloudEvent : (event) => event,
    listen:
      query.modelText === 'false'
        ? undefined
        : (listener) =>
            ecl.system.modelText.listen((piece) => {
              if (isWanted(piece)) listener(piece);
            }),
    position,
    heartbeatMs: limits.heartbeatMs,
    clock,
    controller,
    ended: () => {
      closing.removeEventListener('abort', end);
      leave();
    },
  });
  return context.body(body, 200, {
    'Content-Type': eventStreamMediaType,
    // When a stream is over, its connection is of no more use.
    Connection: 'close',
    // A proxy that gathers what it passes on would hold events back.
    'X-Accel-Buffering': 'no',
  });
};

const nextLink = (context: Context<ApiEnv>, cursor: string): string => {
  const url = new URL(context.req.url);
  url.searchParams.set('cursor', cursor);
  return `<${url.pathname}${url.search}>; rel="next"`;
};

const page = async (
  { ecl }: Api,
  context: Context<ApiEnv>,
  { accept, query, of }: Wanted,
): Promise<Response> => {
  const { from, types, limit = limitDefault, cursor } = query;
  const asked: EventPageQuery = {
    ...of,
    ...typesOf(types),
    limit,
    ...(from === undefined ? {} : { from }),
    ...(cursor === undefined ? {} : { cursor }),
  };
  const found = await ecl.eventPage(asked);
  if (!accept.includes('application/cloudevents')) return context.json(found);
  const batch = found.items.map((event: PublicEvent) => cloudEvent(event));
  return context.body(JSON.stringify(batch), 200, {
    'Content-Type': cloudEventBatchMediaType,
    ...(found.nextCursor === undefined ? {} : { Link: nextLink(context, found.nextCursor) }),
  });
};

const answer = (
  api: Api,
  context: Context<ApiEnv>,
  wanted: Omit<Wanted, 'accept'>,
): Promise<Response> => {
  const accept = context.req.header('accept')?.toLowerCase() ?? '';
  const all = { ...wanted, accept };
  return accept.includes(eventStreamMediaType)
    ? stream(api, context, all)
    : page(api, context, all);
};

const runEvents = (api: Api): Route =>
  route({
    method: 'get',
    path: '/api/v1/runs/{id}/events',
    operationId: 'listRunEvents',
    tag: 'Events',
    summary: 'The journal of a run',
    scope: 'read',
    takes: { params: RunPath, query: z.strictObject(paging), headers: StreamHeaders },
    answers,
    handle: async (context, { params, query, headers }) => {
      const run = requireRun(context.get('principal'), params.id);
      await api.ecl.revisionOf(run);
      return answer(api, context, { query, lastEventId: headers['last-event-id'], of: { run } });
    },
  });

const Name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/);

const allEvents = (api: Api): Route =>
  route({
    method: 'get',
    path: '/api/v1/events',
    operationId: 'listEvents',
    tag: 'Events',
    summary: 'The journals of all runs',
    scope: 'read',
    takes: {
      query: z.strictObject({
        workflow: Name.optional(),
        tenant: Name.optional(),
        ...paging,
      }),
      headers: StreamHeaders,
    },
    answers,
    handle: (context, { query, headers }) => {
      const { workflow } = query;
      const tenant = tenantForList(context.get('principal'), query.tenant);
      return answer(api, context, {
        query,
        lastEventId: headers['last-event-id'],
        of: {
          ...(workflow === undefined ? {} : { workflow }),
          ...(tenant === undefined ? {} : { tenant }),
        },
      });
    },
  });

export const eventRoutes = (api: Api): Route[] => [runEvents(api), allEvents(api)];
