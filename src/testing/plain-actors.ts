/** What steps get when their machine runs under plain `createActor`: a model and files. */
import type { Script } from '../adapters/scripted/script.ts';
import { plainArtifacts, setPlainModel } from '../authoring/plain-step.ts';
import type { ArtifactReference } from '../core/journal-events.ts';
import type { Model } from '../ports/model.ts';
import type { Ecl } from '../runtime/ecl.ts';
import { asModel } from './scripted-model.ts';

/**
 * Sets the model that steps call under plain `createActor`.
 *
 * @returns a function that brings the one before it back
 * @example
 * const restore = provideModel([{ reply: { object: { text: 'The sea is wide.' } } }]);
 * const output = await toPromise(createActor(machine, { input }).start());
 * restore();
 */
export const provideModel = (model: Model | Script): (() => void) => {
  const before = setPlainModel(asModel(model));
  return () => {
    setPlainModel(before);
  };
};

export interface ProvidedFile {
  readonly name: string;
  readonly content: string | Uint8Array;
  /** @default 'text/markdown' */
  readonly mediaType?: string;
}

/**
 * Makes a file for a `file()` input without a disk.
 *
 * @param ecl where it is stored. @default where plain executions read
 */
export const provideFile = async (file: ProvidedFile, ecl?: Ecl): Promise<ArtifactReference> => {
  const { name, content, mediaType = 'text/markdown' } = file;
  if (ecl === undefined) return plainArtifacts.write({ name, content, mediaType });
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return { name, mediaType, ...(await ecl.system.services.artifacts.put(bytes)) };
};
