/** Artifacts that journals name, brought from one store into another: those that are there already stay as they are. */
import { isEclError } from '../core/errors.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { RecordedEvent } from '../ports/event-store.ts';

export interface MissingArtifact {
  readonly stream: string;
  readonly revision: number;
  readonly reason: string;
}

/** Every reference holds its address under this name: of documents, of files of an input, of large fields. */
const addresses = /"sha256":"([0-9a-f]{64})"/g;

const addressesIn = (text: string): string[] => Array.from(text.matchAll(addresses), ([, a]) => a!);

export class ArtifactCopy {
  readonly #from: ArtifactStore;
  readonly #to: ArtifactStore;
  readonly #seen = new Set<string>();
  readonly missing: MissingArtifact[] = [];
  #copied = 0;
  #present = 0;

  constructor(from: ArtifactStore, to: ArtifactStore) {
    this.#from = from;
    this.#to = to;
  }

  get artifacts(): { readonly copied: number; readonly present: number } {
    return { copied: this.#copied, present: this.#present };
  }

  /** Brings what an event names, and what that names in turn: a large field may hold references itself. */
  async bring(event: RecordedEvent): Promise<void> {
    if (!event.data.includes('"sha256"')) return;
    for (const address of addressesIn(event.data)) await this.#bringOne(address, event);
  }

  async #bringOne(address: string, event: RecordedEvent): Promise<void> {
    if (this.#seen.has(address)) return;
    this.#seen.add(address);
    try {
      const content = await this.#from.get(address);
      for (const inner of addressesIn(Buffer.from(content).toString('utf8'))) {
        await this.#bringOne(inner, event);
      }
      if (await this.#to.has(address)) this.#present += 1;
      else {
        await this.#to.put(content);
        this.#copied += 1;
      }
    } catch (error) {
      if (!isEclError(error, 'artifact.not-found') && !isEclError(error, 'artifact.corrupt')) {
        throw error;
      }
      const { stream, revision } = event;
      this.missing.push({ stream, revision, reason: error.message });
    }
  }
}
