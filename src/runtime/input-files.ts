/**
 * Files in an input: a path where the schema says `file()` is read once at the edge into the artifact store, and enters
 * the input as a reference. The run does not depend on a file that changes later; changed content is another input.
 */
import type { z } from 'zod';
import { isFileSchema } from '../authoring/file.ts';
import type { ArtifactReference } from '../core/journal-events.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';

/** Reads a file of this machine. @throws EclError `input.file-missing` */
export type ReadFile = (
  path: string,
) => Promise<{ name: string; content: Uint8Array; mediaType: string }>;

interface Definition {
  readonly type?: string;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly shape?: Record<string, z.ZodType>;
  readonly in?: z.ZodType;
}

const definitionOf = (schema: z.ZodType): Definition =>
  (schema as unknown as { def?: Definition }).def ?? {};

export class InputFiles {
  readonly #artifacts: Pick<ArtifactStore, 'put'>;
  readonly #readFile: ReadFile;

  constructor(artifacts: Pick<ArtifactStore, 'put'>, readFile: ReadFile) {
    this.#artifacts = artifacts;
    this.#readFile = readFile;
  }

  /** The input with every path in the place of a file replaced by its reference. */
  async resolve(schema: z.ZodType | undefined, value: unknown): Promise<unknown> {
    if (schema === undefined || value === undefined || value === null) return value;
    if (isFileSchema(schema)) return typeof value === 'string' ? this.#store(value) : value;
    const { innerType, element, shape, in: input } = definitionOf(schema);
    const inner = innerType ?? input;
    if (inner !== undefined) return this.resolve(inner, value);
    if (element !== undefined && Array.isArray(value)) {
      return Promise.all(value.map((part) => this.resolve(element, part)));
    }
    if (shape === undefined || typeof value !== 'object' || Array.isArray(value)) return value;
    const entries = Object.entries(value).map(
      async ([name, part]) => [name, await this.resolve(shape[name], part)] as const,
    );
    return Object.fromEntries(await Promise.all(entries));
  }

  async #store(path: string): Promise<ArtifactReference> {
    const { name, content, mediaType } = await this.#readFile(path);
    const { sha256, bytes } = await this.#artifacts.put(content);
    return { name, sha256, bytes, mediaType };
  }
}
