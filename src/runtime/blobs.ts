/** Blobs of event data: stored before the event that names them, fetched when a reader meets the name. */
import type { Blob } from '../core/payload.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';

export const putBlobs = async (artifacts: ArtifactStore, blobs: readonly Blob[]): Promise<void> => {
  await Promise.all(blobs.map(({ text }) => artifacts.put(Buffer.from(text, 'utf8'))));
};

/** Text of blobs by address, for a synchronous reader that names what it misses. */
export class BlobTexts {
  readonly #artifacts: ArtifactStore;
  readonly #texts = new Map<string, string>();

  constructor(artifacts: ArtifactStore) {
    this.#artifacts = artifacts;
  }

  readonly get = (sha256: string): string | undefined => this.#texts.get(sha256);

  /** @throws EclError `artifact.not-found`, `artifact.corrupt` */
  async fetch(addresses: readonly string[]): Promise<void> {
    for (const address of addresses) {
      const content = await this.#artifacts.get(address);
      this.#texts.set(address, Buffer.from(content).toString('utf8'));
    }
  }

  /** What was fetched is not needed again. */
  clear(): void {
    this.#texts.clear();
  }
}
