/** What is sent to a run: signals, cancellation, resumption. Each answer holds the state that it led to. */
import type { Context } from 'hono';
import { z } from 'zod';
import { EclError } from '../../core/errors.ts';
import type { RunDocument } from '../../runtime/run-document.ts';
import type { ResumeOptions, RunHandle } from '../../runtime/run-handle.ts';
import { requireRun } from '../access/authorize.ts';
import type { Api, ApiEnv } from '../api.ts';
import { CancelRun, ResumeRun, Run, Signal } from '../contract/run.ts';
import { answersJson, problems, route, type Route } from '../route.ts';
import { etagOf, IdempotencyKey, publicRun, revisionOfEtag, RunPath } from './run-kit.ts';

const IfMatch = z.string().max(64).optional().meta({ description: 'Only at this ETag of the run' });

const answers = {
  202: answersJson(Run, 'It is stored; this is the run with what it led to'),
  ...problems(404, 409, 412, 413, 415),
};

/** The run that a command is for, at the revision that it is for. */
const runOf = async (
  { ecl }: Api,
  context: Context<ApiEnv>,
  asked: { params: { id: string }; headers: { 'if-match'?: string | undefined } },
): Promise<RunHandle> => {
  const run = await ecl.get(requireRun(context.get('principal'), asked.params.id));
  const revision = revisionOfEtag(asked.headers['if-match']);
  return revision === undefined ? run : run.at(revision);
};

const accepted = (context: Context<ApiEnv>, document: RunDocument): Response =>
  context.json(publicRun(document), 202, { ETag: etagOf(document) });

const sendSignal = (api: Api): Route =>
  route({
    method: 'post',
    path: '/api/v1/runs/{id}/signals',
    operationId: 'sendSignal',
    tag: 'Runs',
    summary: 'Send an event to a run',
    description: 'An `Idempotency-Key` is the id of the signal: sent again it changes nothing.',
    scope: 'write',
    takes: {
      params: RunPath,
      headers: z.object({ 'idempotency-key': IdempotencyKey, 'if-match': IfMatch }),
      body: Signal,
    },
    answers,
    handle: async (context, asked) => {
      const run = await runOf(api, context, asked);
      await api.artifactAccess.requireAllIn(context.get('principal'), asked.body);
      const id = asked.headers['idempotency-key'];
      return accepted(context, await run.send(asked.body, id === undefined ? {} : { id }));
    },
  });

const cancelRun = (api: Api): Route =>
  route({
    method: 'post',
    path: '/api/v1/runs/{id}/cancel',
    operationId: 'cancelRun',
    tag: 'Runs',
    summary: 'End a run and its child runs for good',
    scope: 'write',
    takes: { params: RunPath, headers: z.object({ 'if-match': IfMatch }), body: CancelRun },
    bodyKind: 'optional-json',
    answers,
    handle: async (context, asked) => {
      const run = await runOf(api, context, asked);
      return accepted(context, await run.cancel(asked.body.reason));
    },
  });

const resumption = (body: z.infer<typeof ResumeRun>): ResumeOptions => {
  const { accept, moreRounds, reason } = body;
  const given = [accept === true, moreRounds !== undefined, 'output' in body];
  if (given.filter(Boolean).length > 1) {
    const why = 'Give one of accept, moreRounds and output';
    throw new EclError('usage.invalid', { reason: why });
  }
  return {
    ...(accept === undefined ? {} : { accept }),
    ...(moreRounds === undefined ? {} : { moreRounds }),
    ...('output' in body ? { output: body.output } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
};

const resumeRun = (api: Api): Route =>
  route({
    method: 'post',
    path: '/api/v1/runs/{id}/resume',
    operationId: 'resumeRun',
    tag: 'Runs',
    summary: 'Go on with a paused or quarantined run, or answer for exhausted rounds',
    scope: 'write',
    takes: { params: RunPath, headers: z.object({ 'if-match': IfMatch }), body: ResumeRun },
    bodyKind: 'optional-json',
    answers,
    handle: async (context, asked) => {
      const run = await runOf(api, context, asked);
      await api.artifactAccess.requireAllIn(context.get('principal'), asked.body);
      return accepted(context, await run.resume(resumption(asked.body)));
    },
  });

export const runCommandRoutes = (api: Api): Route[] => [
  sendSignal(api),
  cancelRun(api),
  resumeRun(api),
];
