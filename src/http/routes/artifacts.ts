/** Artifacts: those of a run, their content, and files that are brought for a run. */
import { z } from 'zod';
import { checkName } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { requireRun, tenantForNew } from '../access/authorize.ts';
import type { Api } from '../api.ts';
import { Position, pageOf } from '../contract/page.ts';
import { ArtifactReference, StoredArtifact } from '../contract/status.ts';
import { readBody } from '../json-body.ts';
import { answersJson, problems, route, type Route } from '../route.ts';
import { RunPath } from './run-kit.ts';

const runArtifacts = ({ ecl, limits: { freshWaitMs } }: Api): Route =>
  route({
    method: 'get',
    path: '/api/v1/runs/{id}/artifacts',
    operationId: 'listRunArtifacts',
    tag: 'Artifacts',
    summary: 'Artifacts that the steps of a run stored, in order',
    scope: 'read',
    takes: { params: RunPath, query: z.strictObject({ after: Position }) },
    answers: {
      200: answersJson(pageOf(StoredArtifact, 'ArtifactPage'), 'The artifacts'),
      ...problems(404, 409),
    },
    handle: async (context, { params, query }) => {
      const id = requireRun(context.get('principal'), params.id);
      const stored = await ecl.artifacts(id, { ...query, waitMs: freshWaitMs });
      const items = stored.map((artifact) =>
        StoredArtifact.parse({ ...artifact, path: `/api/v1/artifacts/${artifact.sha256}` }),
      );
      return context.json({ items });
    },
  });

const ArtifactPath = z.object({
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .meta({ description: 'Address of the content' }),
});

const artifact = ({ ecl, artifactAccess }: Api): Route =>
  route({
    method: 'get',
    path: '/api/v1/artifacts/{sha256}',
    operationId: 'getArtifact',
    tag: 'Artifacts',
    summary: 'The content of an artifact',
    scope: 'read',
    takes: { params: ArtifactPath },
    answers: {
      200: { description: 'The bytes', content: { 'application/octet-stream': z.unknown() } },
      304: { description: 'The client has it: content under an address never changes' },
      ...problems(404),
    },
    handle: async (context, { params: { sha256 } }) => {
      await artifactAccess.require(context.get('principal'), sha256);
      const etag = `"${sha256}"`;
      context.header('ETag', etag);
      if (context.req.header('if-none-match') === etag) return context.body(null, 304);
      const content = await ecl.system.services.artifacts.get(sha256);
      return context.body(new Uint8Array(content), 200, {
        'Content-Type': 'application/octet-stream',
        // Whatever it holds, a browser does not run it.
        'Content-Disposition': `attachment; filename="${sha256}"`,
        'Content-Security-Policy': "default-src 'none'; sandbox",
      });
    },
  });

/** As a file of a run's input may be called. */
const FileName = z
  .string()
  .regex(/^[^/\\\0]{1,200}$/)
  .optional()
  .meta({ description: 'How the file is called; `file` where it is left out' });

const mediaTypePattern = /^[\w.+-]{1,64}\/[\w.+-]{1,64}$/;

const upload = ({ ecl, uploads }: Api): Route =>
  route({
    method: 'post',
    path: '/api/v1/artifacts',
    operationId: 'uploadArtifact',
    tag: 'Artifacts',
    summary: 'Bring a file for the input of a run',
    description: `Any bytes, up to ${limits.payloadBytesMax}. The answer stands in the input where its schema says file().`,
    scope: 'write',
    takes: {
      query: z.strictObject({ name: FileName, tenant: z.string().max(64).optional() }),
      body: z.unknown(),
    },
    bodyKind: 'binary',
    answers: {
      201: answersJson(ArtifactReference, 'The reference to the file'),
      ...problems(413),
    },
    handle: async (context, { query }) => {
      const tenant = tenantForNew(context.get('principal'), query.tenant);
      const content = await readBody(context, limits.payloadBytesMax);
      const { sha256, bytes } = await ecl.system.services.artifacts.put(content);
      await uploads.add(checkName('The tenant', tenant), sha256);
      const given = context.req.header('content-type')?.split(';', 1)[0]!.trim() ?? '';
      const mediaType = mediaTypePattern.test(given) ? given : 'application/octet-stream';
      const reference = { name: query.name ?? 'file', sha256, bytes, mediaType };
      return context.json(reference, 201, { Location: `/api/v1/artifacts/${sha256}` });
    },
  });

export const artifactRoutes = (api: Api): Route[] => [
  runArtifacts(api),
  artifact(api),
  upload(api),
];
