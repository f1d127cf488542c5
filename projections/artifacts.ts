/** Which artifacts steps stored: a row each. */
import { createStore } from '@xstate/store';
import {
  defineProjection,
  projectedEvents,
  type ProjectedRow,
  type ProjectedRows,
  type StoredArtifact,
} from 'ecl';
import { z } from 'zod';

const Artifact = z.object({
  run: z.string(),
  step: z.string(),
  name: z.string(),
  sha256: z.string(),
  bytes: z.number(),
  mediaType: z.string(),
  storedAt: z.string(),
  revision: z.number(),
});
type Artifact = z.infer<typeof Artifact>;

const columns = { run: 'text', sha256: 'text', revision: 'integer' } as const;

type Rows = ProjectedRows<Artifact, typeof columns>;

const tenantOf = (run: string): string => {
  const parts = run.split('.');
  return parts.length === 2 ? 'default' : parts[0]!;
};

const artifactOf = ({ context }: ProjectedRow<Artifact, typeof columns>): StoredArtifact => ({
  ...context,
  tenant: tenantOf(context.run),
});

const sameMax = 1_000;

const queries = (rows: Rows) => ({
  /** Those of a run, in the order in which they were stored. */
  of: (run: string): StoredArtifact[] =>
    rows
      .query({
        where: [{ column: 'run', operator: '=', value: run }],
        orderBy: [{ column: 'revision' }],
      })
      .map(artifactOf),
  /** Everywhere that a content was stored, up to 1,000 places. */
  with: (sha256: string): StoredArtifact[] =>
    rows
      .query({ where: [{ column: 'sha256', operator: '=', value: sha256 }], limit: sameMax })
      .map(artifactOf),
});

export const artifacts = defineProjection({
  name: 'artifacts',
  version: 1,
  types: ['ArtifactStored'],
  key: ({ run, revision }) => `${run}/${revision}`,
  first: 'ArtifactStored',
  context: Artifact,
  store: createStore({
    schemas: { events: projectedEvents },
    context: {
      run: '',
      step: '',
      name: '',
      sha256: '',
      bytes: 0,
      mediaType: '',
      storedAt: '',
      revision: 0,
    },
    on: {
      ArtifactStored: (_, { run, revision, at, data }): Artifact => ({
        run,
        step: data.invocation.replace(/#\d+$/, ''),
        name: data.name,
        sha256: data.sha256,
        bytes: data.bytes,
        mediaType: data.mediaType,
        storedAt: at,
        revision,
      }),
    },
  }),
  columns,
  indexes: [['run', 'revision'], ['sha256']],
  row: ({ run, sha256, revision }) => ({ run, sha256, revision }),
  queries,
});
