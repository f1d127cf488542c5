/**
 * Artifacts in memory, for tests and for a store that lives as long as its process.
 *
 * 1. It keeps copies: what the caller does to its bytes later changes nothing here.
 */
import { EclError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { sha256 } from '../../core/sha256.ts';
import type { ArtifactStore } from '../../ports/artifact-store.ts';

/** Creates an empty artifact store. */
export const createMemoryArtifactStore = (): ArtifactStore => {
  const blobs = new Map<string, Uint8Array>();
  return {
    put: async (content) => {
      const bytes = content.byteLength;
      if (bytes > limits.payloadBytesMax) {
        const limit = limits.payloadBytesMax;
        throw new EclError('input.too-large', { what: 'The artifact', bytes, limit });
      }
      const copy = new Uint8Array(content);
      const address = sha256(copy);
      blobs.set(address, copy);
      return { sha256: address, bytes };
    },
    get: async (address) => {
      const blob = blobs.get(address);
      if (blob === undefined) {
        throw new EclError('artifact.not-found', { sha256: address.slice(0, 64) });
      }
      return new Uint8Array(blob);
    },
    has: async (address) => blobs.has(address),
    locate: (address) => `memory:${address.slice(0, 64)}`,
  };
};
