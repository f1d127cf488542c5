/** `file()`: an input that is a file, given as a path and kept by its content. */
import { z } from 'zod';
import { ArtifactReference } from '../core/journal-events.ts';

const fileSchemas = new WeakSet<z.ZodType>();

/**
 * A file in a workflow's input. Whoever starts a run gives a path; the run gets `{ name, sha256, bytes, mediaType }`,
 * whose content a step reads with `artifacts.text(file)`.
 *
 * Its input type takes the path too: it is read before the schema sees the input.
 *
 * @example
 * workflow({ machine, input: z.object({ files: z.array(file()).min(1) }) });
 */
export const file = (): z.ZodType<ArtifactReference, ArtifactReference | string> => {
  const schema = z.object(ArtifactReference.shape).meta({ ecl: 'file' });
  fileSchemas.add(schema);
  return schema;
};

export const isFileSchema = (schema: z.ZodType): boolean =>
  fileSchemas.has(schema) || schema.meta?.()?.['ecl'] === 'file';
