/** What the routes of runs share. */
import { z } from 'zod';
import { EclError } from '../../core/errors.ts';
import type { RunDocument } from '../../runtime/run-document.ts';
import type { Run } from '../contract/run.ts';

export const RunPath = z.object({
  id: z.string().min(1).max(512).meta({ description: 'Id of a run' }),
});

export const IdempotencyKey = z
  .string()
  .min(1)
  .max(256)
  .optional()
  .meta({ description: 'The same key and request has one effect, however often it is sent' });

/** The revision, and the status, which also depends on the workflows that the server has. */
export const etagOf = ({ revision, status }: Pick<RunDocument, 'revision' | 'status'>): string =>
  `"${revision}-${status}"`;

/** A revision out of an ETag. @throws EclError `usage.invalid` */
export const revisionOfEtag = (header: string | undefined): number | undefined => {
  if (header === undefined || header === '*') return undefined;
  const revision = /^"(\d{1,15})-[a-z]+"$/.exec(header)?.[1];
  if (revision !== undefined) return Number(revision);
  throw new EclError('usage.invalid', { reason: `If-Match takes an ETag of a run, not ${header}` });
};

/** Where clients find artifacts is the API, whatever the path on the disk. */
export const publicRun = (document: RunDocument): Run => ({
  ...document,
  error: document.error && { ...document.error, details: { ...document.error.details } },
  waitingFor: [...document.waitingFor],
  artifacts: document.artifacts.map((artifact) => ({
    ...artifact,
    path: `/api/v1/artifacts/${artifact.sha256}`,
  })),
});
