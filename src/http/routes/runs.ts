/** Runs: start, show, list. */
import { z } from 'zod';
import { EclError } from '../../core/errors.ts';
import { runStatuses } from '../../core/run-statuses.ts';
import {
  isOperator,
  requireRun,
  tenantForList,
  tenantForNew,
  type Principal,
} from '../access/authorize.ts';
import type { Api, ServedWorkflow } from '../api.ts';
import { Cursor, Limit, limitDefault, Position } from '../contract/page.ts';
import { Run, RunPage, StartRun } from '../contract/run.ts';
import { answersJson, problems, route, type Route } from '../route.ts';
import { waitGoals } from '../run-waits.ts';
import { etagOf, IdempotencyKey, publicRun, RunPath } from './run-kit.ts';

/** A path is code to load: only who may do all on this machine may name one. */
const findWorkflow = (
  { workflows }: Api,
  principal: Principal,
  target: string,
): Promise<ServedWorkflow> => {
  if (!/[./\\]/.test(target) || isOperator(principal)) return workflows.find(target);
  throw new EclError('access.forbidden', { reason: 'a workflow is named by its id' });
};

const startRun = (api: Api): Route =>
  route({
    method: 'post',
    path: '/api/v1/runs',
    operationId: 'startRun',
    tag: 'Runs',
    summary: 'Start a run, or find the one that has the same key and input',
    description:
      'When the answer comes, the start is durable. With an `Idempotency-Key` the answer is the run as it was when ' +
      'it had just started, however often the request is repeated.',
    scope: 'write',
    takes: { headers: z.object({ 'idempotency-key': IdempotencyKey }), body: StartRun },
    answers: {
      201: answersJson(Run, 'The run was started'),
      200: answersJson(Run, 'The run was there already'),
      ...problems(404, 409, 413, 415),
    },
    handle: async (context, { body, headers }) => {
      const { ecl } = api;
      const principal = context.get('principal');
      const tenant = tenantForNew(principal, body.tenant);
      const { workflow, module } = await findWorkflow(api, principal, body.workflow);
      await api.artifactAccess.requireAllIn(principal, body.input);
      ecl.registry.register(workflow, module === undefined ? {} : { module });
      const idempotencyKey = headers['idempotency-key'];
      const { run, created } = await ecl.start(workflow, {
        input: body.input,
        tenant,
        readFiles: false,
        ...(body.key === undefined ? {} : { key: body.key }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      });
      const document =
        idempotencyKey === undefined ? await run.document() : await ecl.startedDocument(run.id);
      return context.json(publicRun(document), created ? 201 : 200, {
        Location: `/api/v1/runs/${run.id}`,
        ETag: etagOf(document),
      });
    },
  });

const Moment = z.union([z.iso.datetime(), z.iso.date()]).optional();

/** What is given, under its name; what is not given is absent. */
const present = <Value extends object>(
  values: Value,
): { [Name in keyof Value]: Exclude<Value[Name], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Value]: Exclude<Value[Name], undefined>;
  };

const RunQuery = z.strictObject({
  status: z.enum(runStatuses).optional(),
  workflow: z.string().max(64).optional(),
  tenant: z.string().max(64).optional(),
  parent: z.string().max(512).optional().meta({ description: 'Child runs of this run' }),
  children: z.enum(['true', 'false']).optional().meta({ description: 'Child runs too' }),
  since: Moment.meta({ description: 'Started at this moment or later' }),
  until: Moment.meta({ description: 'Started before this moment' }),
  tag: z.string().max(128).optional().meta({ description: 'The state has this tag' }),
  search: z
    .string()
    .max(256)
    .optional()
    .meta({ description: 'Stands in the beginning of the input or the output' }),
  counts: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'How many runs there are of each status, too' }),
  limit: Limit,
  cursor: Cursor,
  after: Position,
});

const listRuns = ({ ecl, limits }: Api): Route =>
  route({
    method: 'get',
    path: '/api/v1/runs',
    operationId: 'listRuns',
    tag: 'Runs',
    summary: 'Runs, newest first',
    scope: 'read',
    takes: { query: RunQuery },
    answers: {
      200: answersJson(RunPage, 'A page of runs'),
      ...problems(404, 409),
    },
    handle: async (context, { query }) => {
      const principal = context.get('principal');
      const tenant = tenantForList(principal, query.tenant);
      const { children, counts, limit = limitDefault, ...rest } = query;
      if (rest.parent !== undefined) requireRun(principal, rest.parent);
      const page = await ecl.list({
        ...present({ ...rest, tenant }),
        limit,
        waitMs: limits.freshWaitMs,
        children: children === 'true',
        counts: counts === 'true',
      });
      return context.json(RunPage.parse(page));
    },
  });

const matches = (header: string | undefined, etag: string): boolean =>
  header?.split(',').some((each) => each.trim() === etag) ?? false;

const RunWait = z.strictObject({
  until: z.enum(waitGoals).optional().meta({
    description: 'Answers when the run rests, or ends; `Ecl-Reached` says whether it did',
  }),
  wait: z
    .string()
    .regex(/^\d{1,2}$/)
    .optional()
    .meta({ description: 'Seconds to wait for that, at most; 30 where it is left out' }),
});

const waitDefault = '30';

const getRun = ({ ecl, waits, closing, limits }: Api): Route =>
  route({
    method: 'get',
    path: '/api/v1/runs/{id}',
    operationId: 'getRun',
    tag: 'Runs',
    summary: 'A run as it is now, or when it has got somewhere',
    scope: 'read',
    takes: {
      params: RunPath,
      query: RunWait,
      headers: z.object({ 'if-none-match': z.string().optional() }),
    },
    answers: {
      200: answersJson(Run, 'The run'),
      304: { description: 'It is as it was at the ETag of `If-None-Match`' },
      ...problems(404),
    },
    handle: async (context, { params, query, headers }) => {
      const id = requireRun(context.get('principal'), params.id);
      const run = await ecl.get(id);
      if (query.until !== undefined) {
        const seconds = Math.min(Number(query.wait ?? waitDefault), limits.waitSecondsMax);
        const signal = AbortSignal.any([closing, context.req.raw.signal]);
        const isReached = await waits.wait(run, query.until, {
          milliseconds: seconds * 1_000,
          signal,
        });
        context.header('Ecl-Reached', String(isReached));
      }
      const document = await run.document();
      const etag = etagOf(document);
      context.header('ETag', etag);
      if (matches(headers['if-none-match'], etag)) return context.body(null, 304);
      return context.json(publicRun(document));
    },
  });

export const runRoutes = (api: Api): Route[] => [startRun(api), listRuns(api), getRun(api)];
